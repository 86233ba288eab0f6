// The one place of the daemon that reads the wall clock; everything below is given the time.

import Glibc

/// The machine's clock.
public enum WallClock {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    @Sendable public static func milliseconds() -> Int64 {
        var now = timespec()
        let status = clock_gettime(CLOCK_REALTIME, &now)
        precondition(status == 0, "the system has no real-time clock")
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
