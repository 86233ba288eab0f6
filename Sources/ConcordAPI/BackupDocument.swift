// The JSON document of the local API about a backup. Fields are only ever added.

/// A backup that was made.
public struct BackupDocument: Codable, Hashable, Sendable {
    /// Where.
    public var path: String
    /// How large.
    public var bytes: Int64
    /// When.
    public var at: String
    /// Whether it was read back and found complete.
    public var verified: Bool

    /// A backup that was made at `path`.
    public init(path: String, bytes: Int64, at: String, verified: Bool) {
        self.path = path
        self.bytes = bytes
        self.at = at
        self.verified = verified
    }
}
