// The JSON document of the local API about a verification. Fields are only ever added.

/// What checking the whole log, and recomputing the visible state from nothing, found.
public struct VerifyDocument: Codable, Hashable, Sendable {
    /// A space that was checked.
    public struct Space: Codable, Hashable, Sendable {
        /// The id in hexadecimal digits.
        public var id: String
        /// The digest of the visible state, as recomputed; empty if the log does not verify.
        public var digest: String
        /// How many changes were checked.
        public var changes: Int64
        /// How many records were recomputed.
        public var records: Int64

        /// A space with these counts.
        public init(id: String, digest: String, changes: Int64, records: Int64) {
            self.id = id
            self.digest = digest
            self.changes = changes
            self.records = records
        }
    }

    /// Something that is not as it must be.
    public struct Problem: Codable, Hashable, Sendable {
        /// The stable code.
        public var code: String
        /// One sentence.
        public var message: String
        /// The id of the space.
        public var space: String
        /// The change, `replica:sequence`; nil if it is not about one.
        public var dot: String?
        /// The id of the record; nil if it is not about one.
        public var record: String?

        /// A problem in a space.
        public init(code: String, message: String, space: String, dot: String?, record: String?) {
            self.code = code
            self.message = message
            self.space = space
            self.dot = dot
            self.record = record
        }
    }

    /// How many changes were checked, in all spaces.
    public var changes: Int64
    /// How many records were recomputed, in all spaces.
    public var records: Int64
    /// How many files of attachments were hashed anew; nil if none were looked at.
    public var attachments: Int64?
    /// Bytes of these files.
    public var attachmentBytes: Int64?
    /// The spaces.
    public var spaces: [Space]
    /// What is wrong; empty if everything verifies.
    public var problems: [Problem]

    /// Whether everything is as it must be.
    public var isClean: Bool { problems.isEmpty }

    /// A report of these findings.
    public init(changes: Int64, records: Int64, spaces: [Space], problems: [Problem]) {
        self.changes = changes
        self.records = records
        self.spaces = spaces
        self.problems = problems
    }
}
