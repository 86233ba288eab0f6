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

/// The backups that the node made by itself.
public struct BackupsDocument: Codable, Hashable, Sendable {
    /// One of them.
    public struct Backup: Codable, Hashable, Sendable {
        /// The file.
        public var path: String
        /// How large it is.
        public var bytes: Int64
        /// When it was begun.
        public var at: String

        /// A backup at `path`.
        public init(path: String, bytes: Int64, at: String) {
            self.path = path
            self.bytes = bytes
            self.at = at
        }
    }

    /// The folder.
    public var folder: String
    /// The latest first.
    public var backups: [Backup]
    /// When the next one is due; nil if none are made by themselves, or the daemon is down.
    public var nextAt: String?

    /// The backups of a folder.
    public init(folder: String, backups: [Backup], nextAt: String?) {
        self.folder = folder
        self.backups = backups
        self.nextAt = nextAt
    }
}
