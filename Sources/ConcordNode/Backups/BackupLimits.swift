// Own choices about backups; mirrored by Protocol/limits.md.

import ConcordModel

/// The limits of automatic backups, in milliseconds where it is a time.
enum BackupLimits {
    /// From one backup to the next, unless configured otherwise: a day.
    static let interval: Int64 = 86_400_000
    /// Of how many days with a backup the latest is kept, unless configured otherwise.
    static let keptDays = 7
    /// Of how many weeks with a backup the latest is kept, unless configured otherwise.
    static let keptWeeks = 4
    /// From the start of a daemon that has no backup yet to the first.
    static let firstDelay: Int64 = 600_000
    /// After a failure, until it is tried again.
    static let retry: Int64 = 900_000
    /// Intervals without a good backup, after which somebody must look.
    static let overdueIntervals: Int64 = 2
}
