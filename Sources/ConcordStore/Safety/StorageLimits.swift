// Own choices about the disk; mirrored by Protocol/limits.md.

/// The limits of the replica's care for its disk, in milliseconds and bytes.
public enum StorageLimits {
    /// From the failure of a write to the first trial.
    public static let firstTrialDelay: Int64 = 1_000
    /// Between two trials at most.
    public static let longestTrialDelay: Int64 = 10_000
    /// Without trouble, after which the first trial comes soon again.
    public static let steadyTime: Int64 = 60_000
    /// Bytes of the write-ahead log that say that it is not written back: four times what it has before it should be.
    public static let longLogBytes: Int64 = 256 << 20
    /// Commits after which its size is looked at.
    public static let commitsPerLook = 64
    /// How often a database that was found damaged is looked at once more.
    public static let rechecks = 5
    /// Bytes that are kept free of ordinary writes, unless configured otherwise.
    public static let reserveBytes: Int64 = 64 << 20
}
