// What a session has read from the log: what a run depends on must never be in a run that depends on the former.

import ConcordModel
import ConcordSync
import Testing

@Suite("What is read for a peer")
struct SlicingTests {
    @Test("what is on its way is left out, but does not count as what the peer has until it acknowledges it")
    func onItsWay() throws {
        var probe = Probe()
        probe.startStreaming()
        let (own, other) = (testReplica(1), testReplica(2))
        probe.say(.flow(testSpace(1), .own, VersionVector()))
        let run = testRun(1, replica: 1)
        probe.feed(.slice(testSpace(1), LogSlice(runs: [run], position: 1, isLast: false)))
        let sent = probe.sent.contains { if case .changes = $0 { true } else { false } }
        #expect(sent)
        var held = probe.replica.vector
        held.raise(other, to: 3)
        probe.feed(.advanced(testSpace(1), position: 10, held: held))
        probe.say(.want(testSpace(1), [ChainSpan(chain: other, from: 0, upTo: 3)]))
        while let read = probe.lastRead, read.all[own] < 1 {
            probe.feed(.slice(testSpace(1), LogSlice(runs: [], position: 10, isLast: true)))
            if probe.lastRead == read { break }
        }
        let before = try #require(probe.lastRead)
        #expect(before.all[own] >= 1 && before.had[own] == 0)
        probe.feed(.slice(testSpace(1), LogSlice(runs: [], position: 10, isLast: true)))
        probe.say(.acknowledge(testSpace(1), VersionVector([Dot(own, 1)])))
        held.raise(other, to: 4)
        probe.feed(.advanced(testSpace(1), position: 11, held: held))
        probe.say(.want(testSpace(1), [ChainSpan(chain: other, from: 3, upTo: 4)]))
        let after = try #require(probe.lastRead)
        #expect(after.had[own] == 1)
    }
}

extension Probe {
    /// What was left out of what was read last.
    fileprivate var lastRead: LeftOut? {
        effects.compactMap { effect in
            if case .readSlice(_, _, let excluded, _) = effect { excluded } else { nil }
        }.last
    }
}
