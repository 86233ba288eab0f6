// The one place of the daemon that reads the wall clock; everything below is given the time.

import Glibc

/// The machine's clock.
public enum WallClock {
    /// A file with the milliseconds by which the clock is to be wrong, read anew each time: so that a test sets the clock
    /// of one daemon and not of the machine. Absent unless a test says otherwise.
    private static let offsetFile = getenv("CONCORD_TEST_CLOCK").map { String(cString: $0) }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    @Sendable public static func milliseconds() -> Int64 {
        var now = timespec()
        let status = clock_gettime(CLOCK_REALTIME, &now)
        precondition(status == 0, "the system has no real-time clock")
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000 + offset
    }

    private static var offset: Int64 {
        guard let offsetFile, let text = try? FileSystem.readText(offsetFile) else { return 0 }
        return Int64(text.filter { !$0.isWhitespace }) ?? 0
    }
}
