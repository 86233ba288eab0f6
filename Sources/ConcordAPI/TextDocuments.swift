// The JSON documents of the local API about texts that merge: a text at a version, what a write did, who wrote which
// passage, and the difference between two versions. Positions and lengths are in Unicode scalars. Fields are only ever
// added.

/// A text of a record at one of its versions.
public struct TextDocument: Codable, Hashable, Sendable {
    /// The record.
    public var id: String
    /// Its space.
    public var space: String
    /// The field that holds the text.
    public var field: String
    /// The version: 12 hexadecimal digits of each of the latest changes in it, joined by `+`; `0` is the empty text
    /// before the first.
    public var version: String
    /// The text.
    public var text: String
    /// Its length.
    public var scalars: Int64
    /// The SHA-256 of the text in UTF-8, in hexadecimal digits.
    public var sha256: String
    /// Whether this is what the record shows now.
    public var isCurrent: Bool

    /// A text at a version.
    public init(
        id: String, space: String, field: String, version: String, text: String, scalars: Int64,
        sha256: String,
        isCurrent: Bool
    ) {
        self.id = id
        self.space = space
        self.field = field
        self.version = version
        self.text = text
        self.scalars = scalars
        self.sha256 = sha256
        self.isCurrent = isCurrent
    }
}

/// Which text a record shows, without the text.
public struct TextSummaryDocument: Codable, Hashable, Sendable {
    /// The field that holds the text.
    public var field: String
    /// Its version.
    public var version: String
    /// Its length.
    public var scalars: Int64
    /// The SHA-256 of the text in UTF-8, in hexadecimal digits.
    public var sha256: String

    /// A field and the text that it holds.
    public init(field: String, version: String, scalars: Int64, sha256: String) {
        self.field = field
        self.version = version
        self.scalars = scalars
        self.sha256 = sha256
    }
}

/// What became of a text that somebody wrote as a whole.
public struct TextWrittenDocument: Codable, Hashable, Sendable {
    /// The record.
    public var id: String
    /// Its space.
    public var space: String
    /// The record's title.
    public var title: String
    /// The field that holds the text.
    public var field: String
    /// The version that its writer saw, in full.
    public var base: String
    /// The version that was current when it was written.
    public var before: String
    /// The version that is current now.
    public var version: String
    /// Whether something was written: a text that is its base's needs no change.
    public var changed: Bool
    /// Whether what was written met edits that its writer had not seen, so that the text is now neither's alone.
    public var merged: Bool
    /// How much was inserted, against the base.
    public var inserted: Int64
    /// How much was deleted, against the base.
    public var deleted: Int64
    /// The length of the text now.
    public var scalars: Int64
    /// The SHA-256 of the text now, in hexadecimal digits.
    public var sha256: String

    /// What a write did.
    public init(
        id: String, space: String, title: String, field: String, base: String, before: String,
        version: String,
        changed: Bool, merged: Bool, inserted: Int64, deleted: Int64, scalars: Int64, sha256: String
    ) {
        self.id = id
        self.space = space
        self.title = title
        self.field = field
        self.base = base
        self.before = before
        self.version = version
        self.changed = changed
        self.merged = merged
        self.inserted = inserted
        self.deleted = deleted
        self.scalars = scalars
        self.sha256 = sha256
    }
}

/// Who wrote which passage of a text, and the edits that led to it.
public struct TextHistoryDocument: Codable, Hashable, Sendable {
    /// Who made an edit, and when.
    public struct Origin: Codable, Hashable, Sendable {
        /// The change: `replica:sequence`.
        public var dot: String
        /// The code of the author's member.
        public var member: String
        /// The name of the author's node.
        public var node: String
        /// The author label.
        public var author: String
        /// When, by the author's clock.
        public var at: String

        /// Who made an edit, and when.
        public init(dot: String, member: String, node: String, author: String, at: String) {
            self.dot = dot
            self.member = member
            self.node = node
            self.author = author
            self.at = at
        }
    }

    /// A stretch of the text that one edit inserted.
    public struct Passage: Codable, Hashable, Sendable {
        /// Where it begins.
        public var position: Int64
        /// Its length.
        public var scalars: Int64
        /// What stands there.
        public var text: String
        /// Who wrote it, and when.
        public var by: Origin

        /// A passage and who wrote it.
        public init(position: Int64, scalars: Int64, text: String, by: Origin) {
            self.position = position
            self.scalars = scalars
            self.text = text
            self.by = by
        }
    }

    /// One edit of the text.
    public struct Edit: Codable, Hashable, Sendable {
        /// The version that it made of the text that its writer saw.
        public var version: String
        /// Who made it, and when.
        public var by: Origin
        /// How much it inserted.
        public var inserted: Int64
        /// How much it deleted.
        public var deleted: Int64
        /// Whether its writer had not seen an edit that arrived here before it: the two were made apart.
        public var isConcurrent: Bool
        /// Whether it is without effect, since it does not fit the text for which it was written.
        public var isInert: Bool
        /// Whether what it inserted was erased for good.
        public var isErased: Bool

        /// An edit, and who made it.
        public init(
            version: String, by: Origin, inserted: Int64, deleted: Int64, isConcurrent: Bool, isInert: Bool,
            isErased: Bool
        ) {
            self.version = version
            self.by = by
            self.inserted = inserted
            self.deleted = deleted
            self.isConcurrent = isConcurrent
            self.isInert = isInert
            self.isErased = isErased
        }
    }

    /// The record.
    public var id: String
    /// Its space.
    public var space: String
    /// The field that holds the text.
    public var field: String
    /// The version whose history this is.
    public var version: String
    /// The passages in the order of the text; together they are the text.
    public var passages: [Passage]
    /// The edits, the latest first.
    public var edits: [Edit]

    /// The history of a text.
    public init(
        id: String, space: String, field: String, version: String, passages: [Passage], edits: [Edit]
    ) {
        self.id = id
        self.space = space
        self.field = field
        self.version = version
        self.passages = passages
        self.edits = edits
    }
}

/// What turns one version of a text into another.
public struct TextDifferenceDocument: Codable, Hashable, Sendable {
    /// A place where the two differ.
    public struct Run: Codable, Hashable, Sendable {
        /// Where, in the text as the runs before it left it.
        public var position: Int64
        /// What stands there in the first version only.
        public var deleted: String
        /// What stands there in the second version only.
        public var inserted: String

        /// A place where the two differ.
        public init(position: Int64, deleted: String, inserted: String) {
            self.position = position
            self.deleted = deleted
            self.inserted = inserted
        }
    }

    /// The record.
    public var id: String
    /// The first version.
    public var from: String
    /// The second version.
    public var to: String
    /// The places where they differ, in the order of the text.
    public var runs: [Run]

    /// What turns version `from` into version `to`.
    public init(id: String, from: String, to: String, runs: [Run]) {
        self.id = id
        self.from = from
        self.to = to
        self.runs = runs
    }
}
