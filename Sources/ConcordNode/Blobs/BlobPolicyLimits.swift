// What a node allows itself when it fetches and keeps attachments: own choices, which bind nobody else.

import ConcordSync

/// The limits of fetching and keeping files.
public enum BlobPolicyLimits {
    /// How long a peer that lacks a file is not asked for it again, in milliseconds, unless it says that it has it.
    static let retry: Milliseconds = 15_000
    /// After so many milliseconds without a byte an order is given to another peer, if there is one.
    static let stall: Milliseconds = 60_000
    /// For how many milliseconds a node that gave wrong bytes of a file is not asked for that file.
    static let distrust: Milliseconds = 3_600_000
    /// Of so many files a node may give wrong bytes before it is asked for none.
    static let distrustedBlobs = 16
    /// Bytes that are ordered from all peers together.
    static let outstandingBytes: Int64 = 16 << 20
    /// Files that are being fetched at once; twice as many where somebody waits for them.
    static let openFiles = 16
    /// From this window on a peer is asked beside others.
    static let fastWindow = 64 << 10
    /// A peer with so many times the window of another takes over what that one was asked for.
    static let muchFaster = 4
    /// How often stalled orders and retries are looked at.
    static let tickInterval = Duration.seconds(2)
    /// Time between two looks at which files are named.
    static let scanInterval = Duration.milliseconds(500)
    /// How often files are looked at that nothing names any more.
    static let sweepInterval = Duration.seconds(60)
    /// How often they are looked at even if no record of an attachment has changed.
    static let longestSweepInterval = Duration.seconds(3600)
    /// How long a file is kept that no record names any more, in milliseconds: 30 days.
    static let keptUnused: Int64 = 2_592_000_000
    /// Bytes up to which files are fetched unasked, unless the configuration says otherwise.
    public static let eagerBytes: Int64 = 256 << 20
    /// Bytes of a file that are read at once for the local API.
    static let readBytes = 256 << 10
}
