// Moments as text: exact to the millisecond, and nothing else than what is written is read.

import ConcordAPI
import Foundation
import Testing

@Suite("Timestamps")
struct TimestampTests {
    /// The last millisecond of the year 9999.
    private static let last: Int64 = 253_402_300_799_999

    @Test(
        "known moments have their text",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_795_243_480_123, "2026-11-21T06:44:40.123Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func known(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds: milliseconds) == text)
        #expect(Timestamp.milliseconds(text: text) == milliseconds)
    }

    @Test("every moment comes back from its text, and later moments have greater texts")
    func roundTrip() {
        var state: UInt64 = 42
        var moments = (0..<3000).map { _ in Self.next(&state) }
        // Each day of a leap cycle around 2000, at its first and last millisecond.
        for day in 10_000..<11_500 as Range<Int64> {
            moments += [day * 86_400_000, day * 86_400_000 + 86_399_999]
        }
        moments.sort()
        var before = ""
        for moment in moments {
            let text = Timestamp.text(milliseconds: moment)
            #expect(Timestamp.milliseconds(text: text) == moment)
            #expect(before <= text, "\(moment)")
            before = text
        }
    }

    /// The next moment of a fixed sequence (a linear congruence of Knuth's) before the year 10,000.
    private static func next(_ state: inout UInt64) -> Int64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int64(state >> 15) % (last + 1)
    }

    @Test("texts agree with Foundation's")
    func foundation() throws {
        for step in 0..<500 as Range<Int64> {
            let moment = step * (Self.last / 500)
            let date = Date(timeIntervalSince1970: Double(moment / 1000))
            #expect(
                Timestamp.text(milliseconds: moment / 1000 * 1000).prefix(19)
                    == date.formatted(.iso8601).prefix(19))
        }
    }

    @Test("the milliseconds may be left out when read")
    func withoutFraction() {
        #expect(Timestamp.milliseconds(text: "2026-11-21T06:44:40Z") == 1_795_243_480_000)
    }

    @Test(
        "what is not of the form is nil",
        arguments: [
            "", "Z", "2026-11-21", "2026-11-21T06:44:40", "2026-11-21 06:44:40Z", "2026-11-21T06:44:40.12Z",
            "2026-11-21T06:44:40.1234Z", "2026-11-21T06:44:40,123Z", "2026-11-21T06:44:40+01:00",
            "2026-13-21T06:44:40Z",
            "2026-00-21T06:44:40Z", "2026-02-29T06:44:40Z", "2026-04-31T06:44:40Z", "2026-11-00T06:44:40Z",
            "2026-11-21T24:00:00Z", "2026-11-21T06:60:40Z", "2026-11-21T06:44:60Z", "2026/11/21T06:44:40Z",
            "2026-11-21T06-44-40Z", "202x-11-21T06:44:40Z", "+026-11-21T06:44:40Z",
            "2026-11-21T06:44:40.12xZ",
            "２026-11-21T06:44:40Z", "2026-11-21T06:44:40.123z",
        ])
    func malformed(text: String) {
        #expect(Timestamp.milliseconds(text: text) == nil)
    }
}
