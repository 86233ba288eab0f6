// Spans of time, moments, sizes and counts as people read and write them. All moments are shown in UTC: the
// readers sit in many time zones and compare notes.

import ConcordAPI

/// How quantities are written for people.
public enum Quantity {
    /// `4 s`, `12 min`, `3 h 20 min`, `9 d 4 h`, `12 d`: at most two units, from 30 days on only days.
    public static func span(seconds: Int64) -> String {
        let seconds = max(0, seconds)
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
        if minutes == 0 { return "\(seconds) s" }
        if hours == 0 { return "\(minutes) min" }
        if days == 0 { return minutes % 60 == 0 ? "\(hours) h" : "\(hours) h \(minutes % 60) min" }
        return hours % 24 == 0 || days >= 30 ? "\(days) d" : "\(days) d \(hours % 24) h"
    }

    /// `1 312`: digits in groups of three.
    public static func count(_ number: Int64) -> String {
        let digits = Array(String(number.magnitude))
        var groups: [String] = []
        var end = digits.count
        while end > 0 {
            groups.insert(String(digits[max(0, end - 3)..<end]), at: 0)
            end -= 3
        }
        return (number < 0 ? "-" : "") + groups.joined(separator: " ")
    }

    /// `·` for zero and `?` for what is not known, so that the two are never confused.
    public static func lack(_ number: Int64?) -> String {
        switch number {
        case nil: "?"
        case 0: "·"
        case .some(let number): count(number)
        }
    }

    /// `41 MB`: decimal units, three digits at most.
    public static func bytes(_ number: Int64) -> String {
        var value = Double(max(0, number))
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 999.5 {
                return unit == "B" || value >= 9.95
                    ? "\(Int64(value.rounded())) \(unit)" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1000
        }
        return "\(count(Int64(value.rounded()))) TB"
    }

    /// `one contact`, `3 contacts`.
    public static func plural(_ number: Int64, _ one: String, _ many: String) -> String {
        "\(count(number)) \(number == 1 ? one : many)"
    }

    /// `5c1e·77a0`: the first eight digits of an identifier, to be compared by eye.
    public static func short(_ identifier: String) -> String {
        let digits = TerminalText.escaped(String(identifier.filter { $0 != "-" }.prefix(8)))
        return digits.count == 8 ? "\(digits.prefix(4))·\(digits.suffix(4))" : digits
    }

    /// A fingerprint in groups of four digits, to be read out on the telephone.
    public static func fingerprint(_ digits: String) -> String {
        let digits = Array(TerminalText.escaped(digits))
        return stride(from: 0, to: digits.count, by: 4)
            .map { String(digits[$0..<min($0 + 4, digits.count)]) }.joined(separator: " ")
    }
}

/// How moments are written for people.
public enum Moment {
    /// `2026-11-22 06:44`; what is not a moment stands as it is, escaped.
    public static func minute(_ text: String) -> String {
        guard Timestamp.milliseconds(text: text) != nil else { return TerminalText.escaped(text) }
        let characters = Array(text)
        return "\(String(characters[..<10])) \(String(characters[11..<16]))"
    }

    /// `today 02:10`, `yesterday 17:39` or ``minute(_:)``, seen from `now`.
    public static func relative(_ text: String, now: String) -> String {
        guard let then = Timestamp.milliseconds(text: text), let now = Timestamp.milliseconds(text: now)
        else {
            return minute(text)
        }
        let time = Array(text)[11..<16]
        switch now / 86_400_000 - then / 86_400_000 {
        case 0: return "today \(String(time))"
        case 1: return "yesterday \(String(time))"
        default: return minute(text)
        }
    }

    /// `2029-11-22`, of seconds since 1970.
    public static func day(seconds: Int64) -> String {
        String(Timestamp.text(milliseconds: seconds * 1000).prefix(10))
    }

    /// The seconds from `then` to `now`, at least 0; nil if either is not a moment.
    public static func seconds(from then: String?, to now: String) -> Int64? {
        guard let then = then.flatMap(Timestamp.milliseconds(text:)),
            let now = Timestamp.milliseconds(text: now)
        else { return nil }
        return max(0, (now - then) / 1000)
    }
}

/// A span of time as it is typed: `60s`, `500ms`, `5m`, `12h`, `7d`, `2w`.
public struct TypedSpan: Hashable, Sendable {
    /// Its length.
    public let milliseconds: Int64

    /// Parses a whole number with a unit; nil if it is something else.
    public init?(_ text: String) {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
            ("w", 604_800_000),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int64(digits)
            else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            if overflow || product > 1 << 48 { return nil }
            milliseconds = product
            return
        }
        return nil
    }
}
