// When backups are made by themselves, where, and how many are kept.

import ConcordModel

/// The policy of `concord.yaml`.
public struct BackupPolicy: Hashable, Sendable {
    /// Milliseconds from one backup to the next; nil if none are made by themselves.
    public var interval: Int64? = BackupLimits.interval
    /// The folder, absolute; nil for `backups` in the home.
    public var folder: String?
    /// Of how many days with a backup the latest is kept.
    public var keptDays = BackupLimits.keptDays
    /// Of how many weeks with a backup the latest is kept.
    public var keptWeeks = BackupLimits.keptWeeks

    /// The policy of a node without a configuration.
    public init() {}

    /// The folder of a home's backups.
    public func folder(in home: NodeHome) -> String { folder ?? home.backups }

    /// An interval as people write it, such as `6h` or `1d`, in milliseconds; `.some(nil)` for `off`, nil if it is
    /// neither.
    static func interval(_ text: String) -> Int64?? {
        if text == "off" { return .some(nil) }
        let factors: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last, let factor = factors[unit], let number = Int64(text.dropLast()),
            (1...36_500).contains(number)
        else { return nil }
        return .some(number * factor)
    }

    /// Those backups that are not to be kept, of which the times are given in milliseconds since 1970: neither the latest
    /// of one of the latest days, nor of one of the latest weeks, nor the latest of all.
    public func superfluous(among times: [Int64]) -> [Int64] {
        var kept: Set<Int64> = []
        let latestFirst = times.sorted(by: >)
        for (span, count) in [(Self.day, keptDays), (Self.week, keptWeeks)] {
            var seen: [Int64] = []
            for time in latestFirst where seen.count < count {
                let number = span(time)
                guard seen.last != number else { continue }
                seen.append(number)
                kept.insert(time)
            }
        }
        if let latest = latestFirst.first { kept.insert(latest) }
        return times.filter { !kept.contains($0) }
    }

    private static func day(_ time: Int64) -> Int64 { time / 86_400_000 }
    /// Weeks begin on Monday; 1970 began on a Thursday.
    private static func week(_ time: Int64) -> Int64 { (day(time) + 3) / 7 }
}
