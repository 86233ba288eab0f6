// What a verification found. It goes out through the local API as it is.

/// How far a verification has come.
public struct VerifyProgress: Hashable, Sendable {
    /// Changes that were checked.
    public let changes: Int64
    /// Changes that there are.
    public let total: Int64
}

/// The result of checking the whole log and recomputing the visible state from nothing.
public struct VerifyReport: Codable, Hashable, Sendable {
    /// A space that was checked.
    public struct Space: Codable, Hashable, Sendable {
        /// Its id.
        public var id: String
        /// The digest of the visible state, as recomputed; empty if the log does not verify.
        public var digest: String
        /// Changes that were checked.
        public var changes: Int64
        /// Records that were recomputed.
        public var records: Int64
    }

    /// Something that is not as it must be.
    public struct Problem: Codable, Hashable, Sendable {
        /// The stable code.
        public var code: String
        /// One sentence.
        public var message: String
        /// The space.
        public var space: String
        /// The change, `replica:sequence`, if it is about one.
        public var dot: String?
        /// The record, if it is about one.
        public var record: String?
    }

    /// Changes that were checked in all spaces.
    public var changes: Int64
    /// Records that were recomputed in all spaces.
    public var records: Int64
    /// The spaces.
    public var spaces: [Space]
    /// What is wrong: of a log that does not verify the first place, of the visible state at most a hundred
    /// records.
    public var problems: [Problem]

    /// Whether everything is as it must be.
    public var isClean: Bool { problems.isEmpty }
}
