// The JSON document of `concord backup salvage`. Fields are only ever added.

/// What was made of a damaged replica.
public struct SalvageDocument: Codable, Hashable, Sendable {
    /// The home.
    public var home: String
    /// Where the damaged files are now.
    public var damaged: String
    /// The backup on which the new replica rests; nil if there was none.
    public var backup: String?
    /// When that was made.
    public var backupAt: String?
    /// Backups that could not be used, with the reason.
    public var unusable: [String]
    /// Pages of the damaged database.
    public var pages: Int
    /// Of these, pages that the disk could not read.
    public var unreadablePages: Int
    /// Frames of its write-ahead log with a wrong checksum.
    public var brokenFrames: Int
    /// Changes that it held, as far as it still says.
    public var named: Int64
    /// Of these, changes that could be read.
    public var read: Int64
    /// Changes that it had written itself, as far as it still says.
    public var ownNamed: Int64
    /// Of these, changes that could be read.
    public var ownRead: Int64
    /// Changes that were taken from it, beyond those of the backup.
    public var taken: Int64
    /// Changes that wait for what they lack; the daemon takes them in when that has come.
    public var waiting: Int64
    /// Changes that do not verify, and are left where they are.
    public var refused: Int64
    /// Changes of the new replica.
    public var changes: Int64
    /// Spaces of the new replica.
    public var spaces: Int

    /// All figures.
    public init(
        home: String, damaged: String, backup: String?, backupAt: String?, unusable: [String], pages: Int,
        unreadablePages: Int, brokenFrames: Int, named: Int64, read: Int64, ownNamed: Int64, ownRead: Int64,
        taken: Int64, waiting: Int64, refused: Int64, changes: Int64, spaces: Int
    ) {
        self.home = home
        self.damaged = damaged
        self.backup = backup
        self.backupAt = backupAt
        self.unusable = unusable
        self.pages = pages
        self.unreadablePages = unreadablePages
        self.brokenFrames = brokenFrames
        self.named = named
        self.read = read
        self.ownNamed = ownNamed
        self.ownRead = ownRead
        self.taken = taken
        self.waiting = waiting
        self.refused = refused
        self.changes = changes
        self.spaces = spaces
    }
}
