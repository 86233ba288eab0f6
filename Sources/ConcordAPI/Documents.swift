// The JSON documents of the local API about records: written by the daemon, read by the command line, described in
// Protocol/admin-api.yaml. Fields are only ever added.

/// A record as people see it.
public struct RecordDocument: Codable, Hashable, Sendable {
    /// The record's id.
    public var id: String
    /// Its kind.
    public var kind: String
    /// The id of its space.
    public var space: String
    /// The id of the record above, if there is one.
    public var parent: String?
    /// The code of the member that created it.
    public var owner: String
    /// Names the state of the record: another state has another version.
    public var version: String
    /// What lists show.
    public var title: String
    /// Whether it is shown; false if it or a record above it is deleted.
    public var shown: Bool
    /// Whether somebody edited it while somebody else deleted it, and nobody has settled that yet.
    public var editedWhileDeleted: Bool
    /// The displayed values: strings and numbers for registers, arrays for sets. Empty registers are left out.
    public var fields: [String: JSONValue]
    /// The fields with several concurrent values.
    public var conflicts: [ConflictDocument]
    /// When it was created, by its author's clock.
    public var createdAt: String
    /// When it was last changed, by that author's clock.
    public var updatedAt: String
    /// In lists and search results, the fields of which only the beginning is given because they are long; else null.
    public var shortened: [String]?

    /// A record in the state that these values describe.
    public init(
        id: String, kind: String, space: String, parent: String?, owner: String, version: String,
        title: String,
        shown: Bool, editedWhileDeleted: Bool, fields: [String: JSONValue], conflicts: [ConflictDocument],
        createdAt: String, updatedAt: String, shortened: [String]? = nil
    ) {
        self.id = id
        self.kind = kind
        self.space = space
        self.parent = parent
        self.owner = owner
        self.version = version
        self.title = title
        self.shown = shown
        self.editedWhileDeleted = editedWhileDeleted
        self.fields = fields
        self.conflicts = conflicts
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.shortened = shortened
    }
}

/// A field with several concurrent values; the first is the displayed one.
public struct ConflictDocument: Codable, Hashable, Sendable {
    /// One of the values, and who wrote it.
    public struct Candidate: Codable, Hashable, Sendable {
        /// What was written.
        public var value: JSONValue
        /// The code of the author's member.
        public var member: String
        /// The name of the author's node.
        public var node: String
        /// The author label of the change.
        public var author: String
        /// When, by the author's clock.
        public var at: String
        /// The change: `replica:sequence`.
        public var dot: String

        /// A value, and who wrote it when.
        public init(value: JSONValue, member: String, node: String, author: String, at: String, dot: String) {
            self.value = value
            self.member = member
            self.node = node
            self.author = author
            self.at = at
            self.dot = dot
        }
    }

    /// The field.
    public var field: String
    /// Its values.
    public var values: [Candidate]

    /// A field and its values, the displayed one first.
    public init(field: String, values: [Candidate]) {
        self.field = field
        self.values = values
    }
}

/// One change of the log, for `concord log`.
public struct LogDocument: Codable, Hashable, Sendable {
    /// What one operation did.
    public struct Operation: Codable, Hashable, Sendable {
        /// `create`, `set`, `add`, `remove`, `edit`, `delete`, `restore`, `act`, `bind`, `erase` or `unknown`.
        public var operation: String
        /// The record, if it is on one.
        public var record: String?
        /// The record's kind, where it is known.
        public var kind: String?
        /// The field, if it is on one.
        public var field: String?
        /// The value, if there is one.
        public var value: JSONValue?
        /// Whether the rules let it take effect.
        public var allowed: Bool

        /// One operation of a change; nil for what it does not have.
        public init(
            operation: String, record: String?, kind: String?, field: String?, value: JSONValue?,
            allowed: Bool
        ) {
            self.operation = operation
            self.record = record
            self.kind = kind
            self.field = field
            self.value = value
            self.allowed = allowed
        }
    }

    /// `replica:sequence`.
    public var dot: String
    /// The change's hash.
    public var hash: String
    /// The space.
    public var space: String
    /// The code of the author's member.
    public var member: String
    /// The name of the author's node.
    public var node: String
    /// The author label.
    public var author: String
    /// When, by the author's clock.
    public var at: String
    /// Whether the change is effective.
    public var effective: Bool
    /// What it did.
    public var operations: [Operation]

    /// A change and what it did.
    public init(
        dot: String, hash: String, space: String, member: String, node: String, author: String, at: String,
        effective: Bool, operations: [Operation]
    ) {
        self.dot = dot
        self.hash = hash
        self.space = space
        self.member = member
        self.node = node
        self.author = author
        self.at = at
        self.effective = effective
        self.operations = operations
    }
}

/// An error, as the local API and `--json` give it.
public struct ErrorDocument: Codable, Hashable, Sendable {
    /// What stands under `error`.
    public struct Body: Codable, Hashable, Sendable {
        /// The stable code.
        public var code: String
        /// One sentence.
        public var message: String
        /// The next step.
        public var action: String?

        /// An error of this code.
        public init(code: String, message: String, action: String?) {
            self.code = code
            self.message = message
            self.action = action
        }
    }

    /// The error.
    public var error: Body

    /// An error of this code.
    public init(code: String, message: String, action: String?) {
        error = Body(code: code, message: message, action: action)
    }
}
