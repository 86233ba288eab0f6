// What a session has read from the log: what a run depends on must never be in a run that depends on the former.

import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("What is read for a peer")
struct SlicingTests {
    @Test("what is on its way is left out, but does not count as what the peer has until it acknowledges it")
    func onItsWay() throws {
        var probe = Probe()
        probe.startStreaming()
        let (space, own) = (testSpace(1), testReplica(1))
        probe.feed(
            .slice(space, LogSlice(runs: [testRun(1, replica: 1)], position: 1, isLast: false)))
        let first = try #require(probe.lastRead)
        #expect(first.all[own] == 1 && first.had[own] == 0)
        probe.feed(
            .slice(space, LogSlice(runs: [testRun(2, replica: 1)], position: 2, isLast: true)))
        probe.say(.acknowledge(space, VersionVector([Dot(own, 1)])))
        probe.replica.write(1, payload: 10)
        probe.feed(.advanced(space, position: probe.replica.position, held: probe.replica.vector))
        let second = try #require(probe.lastRead)
        #expect(second.all[own] == 2 && second.had[own] == 1)
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
