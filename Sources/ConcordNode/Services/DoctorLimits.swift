// From what on the doctor finds something wrong; mirrored by Protocol/limits.md.

/// The limits of the doctor.
enum DoctorLimits {
    /// Days before its end at which a certificate is warned of.
    static let certificateWarningDays: Int64 = 30
    /// Free bytes below which a disk is warned of.
    static let lowDiskBytes: Int64 = 1 << 30
    /// Free bytes below which a person must act.
    static let emptyDiskBytes: Int64 = 100 << 20
    /// Milliseconds that a change may be dated ahead of this clock.
    static let clockTolerance: Int64 = 600_000
    /// Refused operations that are listed.
    static let refusedOperations = 100
    /// Changes, the latest, whose time is compared with the clock.
    static let datedChanges = 10_000
}
