// The JSON documents of the local API that hold several records, hits or changes. Fields are only ever added.

/// Several records.
public struct RecordsDocument: Codable, Hashable, Sendable {
    /// The records.
    public var records: [RecordDocument]

    /// These records.
    public init(records: [RecordDocument]) { self.records = records }
}

/// One record with those below it: a record's fields, and `children`, `endorsements` and `texts` beside them.
public struct RecordDetailDocument: Codable, Hashable, Sendable {
    /// The record.
    public var record: RecordDocument
    /// The records right below it.
    public var children: [RecordDocument]
    /// Who endorsed it; nil unless it is a document.
    public var endorsements: EndorsementsDocument?
    /// The versions of the texts that merge among its fields.
    public var texts: [TextSummaryDocument]

    /// A record and those right below it.
    public init(
        record: RecordDocument, children: [RecordDocument], endorsements: EndorsementsDocument? = nil,
        texts: [TextSummaryDocument] = []
    ) {
        self.record = record
        self.children = children
        self.endorsements = endorsements
        self.texts = texts
    }

    private enum CodingKeys: String, CodingKey { case children, endorsements, texts }

    /// Reads it; members that are not known here are ignored.
    public init(from decoder: any Decoder) throws {
        record = try RecordDocument(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        children = try container.decode([RecordDocument].self, forKey: .children)
        endorsements = try container.decodeIfPresent(EndorsementsDocument.self, forKey: .endorsements)
        texts = try container.decodeIfPresent([TextSummaryDocument].self, forKey: .texts) ?? []
    }

    /// Writes it.
    public func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(children, forKey: .children)
        try container.encodeIfPresent(endorsements, forKey: .endorsements)
        try container.encode(texts, forKey: .texts)
    }
}

/// A record that was copied from another space.
public struct ShareDocument: Codable, Hashable, Sendable {
    /// The copy.
    public var record: RecordDocument
    /// How many records below it were copied with it.
    public var children: Int64
    /// The fields that name records of the other space, which the copy therefore lacks.
    public var leftOut: [String]

    /// A copy, and what it lacks.
    public init(record: RecordDocument, children: Int64, leftOut: [String]) {
        self.record = record
        self.children = children
        self.leftOut = leftOut
    }
}

/// What a search found.
public struct SearchDocument: Codable, Hashable, Sendable {
    /// A record with the place in it that matched.
    public struct Hit: Codable, Hashable, Sendable {
        /// The record.
        public var record: RecordDocument
        /// The words around the match.
        public var snippet: String

        /// A record and where in it the words were found.
        public init(record: RecordDocument, snippet: String) {
            self.record = record
            self.snippet = snippet
        }
    }

    /// The hits, the best first.
    public var hits: [Hit]

    /// These hits, the best first.
    public init(hits: [Hit]) { self.hits = hits }
}

/// Changes of the log.
public struct LogListDocument: Codable, Hashable, Sendable {
    /// The changes.
    public var changes: [LogDocument]

    /// These changes, the latest first.
    public init(changes: [LogDocument]) { self.changes = changes }
}

/// What an import wrote.
public struct ImportDocument: Codable, Hashable, Sendable {
    /// How many records were created.
    public var records: Int64
    /// How many changes that took.
    public var changes: Int64
    /// The ids of the records whose lines had a key.
    public var keys: [String: String]

    /// How much was written, and the ids by key.
    public init(records: Int64, changes: Int64, keys: [String: String]) {
        self.records = records
        self.changes = changes
        self.keys = keys
    }
}
