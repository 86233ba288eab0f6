// How close an exchange comes to what a link allows: 64 kbit/s, 600 ms round trip, 2 % loss, as over a satellite; and
// that the care for such a link costs a fast one nothing.

import ConcordSync
import Testing

@Suite("Sessions on slow links")
struct SlowLinkTests {
    private let satellite = TimedShape(lossPerMille: 20)

    /// Changes of one side in groups of ten, which are signed together.
    private func plan(_ link: inout TimedLink, _ side: Int, groups: Int) {
        for group in 0..<groups { link.plan(side, after: Int64(group) * 10, count: 10, payload: 80) }
    }

    /// What the changes of these groups have as they are stored, each with the usual bytes around its payload, and the
    /// signatures.
    private func bytes(groups: Int) -> Int { groups * (10 * 85 + 64) }

    @Test(
        "1,000 small changes take at most 1.3 times what their bytes need, and two round trips",
        arguments: 1...20 as ClosedRange<UInt64>)
    func oneWay(seed: UInt64) {
        var link = TimedLink(satellite, seed: seed)
        link.connect()
        _ = link.run { $0.now >= 5_000_000 }
        plan(&link, 0, groups: 100)
        let time = link.run { $0.changes(1) == 1000 }
        let needed = link.time(bytes(groups: 100))
        #expect(time <= needed * 13 / 10 + 1200, "\(time) ms instead of \(needed)")
        #expect(link.sentBytes[1] < link.sentBytes[0] / 15, "\(link.sentBytes)")
    }

    @Test(
        "both ways at once, too: acknowledgements do not wait for long behind changes",
        arguments: 1...20 as ClosedRange<UInt64>)
    func bothWays(seed: UInt64) {
        var link = TimedLink(satellite, seed: seed)
        link.connect()
        _ = link.run { $0.now >= 5_000_000 }
        for side in 0...1 { plan(&link, side, groups: 100) }
        let time = link.run { $0.changes(0) == 2000 && $0.changes(1) == 2000 }
        let needed = link.time(bytes(groups: 100))
        #expect(time <= needed * 175 / 100 + 1200, "\(time) ms instead of \(needed)")
    }

    @Test("what was written before two nodes meet arrives as soon, and two round trips later")
    func absence() {
        var link = TimedLink(satellite, seed: 3)
        for _ in 0..<100 { link.write(0, count: 10, payload: 80) }
        link.connect()
        let time = link.run { $0.changes(1) == 1000 }
        let needed = link.time(bytes(groups: 100))
        #expect(time <= needed * 13 / 10 + 2 * 1200, "\(time) ms instead of \(needed)")
    }

    @Test("what is on its way holds up what is said next for two and a half seconds at most")
    func queue() {
        var link = TimedLink(satellite, seed: 5)
        for _ in 0..<300 { link.write(0, count: 10, payload: 80) }
        link.connect()
        // The first frames leave before anything is known of the link.
        _ = link.run { $0.changes(1) >= 500 }
        link.forgetQueues()
        _ = link.run { $0.changes(1) == 3000 }
        #expect(link.longestQueue[0] <= 2_500_000, "\(link.longestQueue[0]) µs")
    }

    @Test("one change on an idle link takes half a round trip")
    func single() {
        var link = TimedLink(satellite, seed: 6)
        link.connect()
        _ = link.run { $0.now >= 5_000_000 }
        link.write(0, count: 1, payload: 80)
        let time = link.run { $0.changes(1) == 1 }
        #expect(time <= 300 + 60 + 10, "\(time) ms")
    }

    @Test("a run of the greatest length reaches a peer at 9.6 kbit/s, although it takes minutes")
    func largestRun() {
        var link = TimedLink(TimedShape(bytesPerSecond: 1200), seed: 7)
        link.write(0, count: 16, payload: 16_000)
        link.connect()
        let time = link.run { $0.changes(1) == 16 }
        #expect(time > 180_000)
        #expect(link.ends.isEmpty)
    }

    @Test(
        "a fast link is filled, whether it is long or short",
        arguments: [
            TimedShape(bytesPerSecond: 12_500_000, roundTrip: 1, commit: 3),
            TimedShape(bytesPerSecond: 1_250_000, roundTrip: 40, commit: 3),
            TimedShape(bytesPerSecond: 1_250_000, roundTrip: 600, commit: 3),
        ])
    func fast(shape: TimedShape) {
        var link = TimedLink(shape, seed: 8)
        for _ in 0..<1000 { link.write(0, count: 20, payload: 500) }
        link.connect()
        let time = link.run { $0.changes(1) == 20_000 }
        let needed = link.time(1000 * (20 * 507 + 64))
        // To find out what the link carries takes a few round trips.
        #expect(time <= needed * 13 / 10 + 10 * shape.roundTrip, "\(time) ms instead of \(needed)")
    }
}
