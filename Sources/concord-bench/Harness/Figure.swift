// How figures are written.

import Foundation

/// Texts of figures.
enum Figure {
    /// With so many digits behind the point.
    static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// A whole number, with a comma every three digits.
    static func count(_ value: some BinaryInteger) -> String {
        var digits = Array(String(value.magnitude))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// A time that is given in milliseconds, in the unit that suits it.
    static func time(_ milliseconds: Double) -> String {
        switch milliseconds {
        case ..<1: "\(number(milliseconds * 1000, 0)) µs"
        case ..<100: "\(number(milliseconds, 2)) ms"
        case ..<1000: "\(number(milliseconds, 0)) ms"
        default: "\(number(milliseconds / 1000, 2)) s"
        }
    }

    /// How many a second.
    static func rate(_ count: Int, _ milliseconds: Double) -> String {
        "\(self.count(Int(Double(count) * 1000 / max(milliseconds, 0.001))))/s"
    }

    /// Bytes that passed in a time.
    static func throughput(_ bytes: Int, _ milliseconds: Double) -> String {
        "\(number(Double(bytes) / 1000 / max(milliseconds, 0.001), 1)) MB/s"
    }

    /// A multiple of something.
    static func ratio(_ value: Double, _ reference: Double) -> String {
        "\(number(value / max(reference, .leastNormalMagnitude), 2)) ×"
    }

    /// Memory.
    static func mebibytes(_ bytes: Int) -> String { "\(number(Double(bytes) / 1_048_576, 1)) MiB" }
}
