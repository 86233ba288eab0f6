// Comparing again what both hold, long after they have caught up.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("When two compare what they hold")
struct ComparingTests {
    @Test(
        "a peer that says more often what it holds is not in disagreement with what was said before it had that"
    )
    func staleWord() {
        var probe = Probe()
        let space = testSpace(1)
        probe.startStreaming()
        let own = probe.replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 1 << 20)
        probe.feed(.slice(space, own))
        probe.say(.acknowledge(space, probe.replica.vector))
        var peer = FakeReplica(2)
        peer.write(1, payload: 10)
        let runs = peer.slice(after: 0, excluding: VersionVector(), maximumBytes: 1 << 20).runs
        probe.say(.changes(space, runs))
        probe.feed(.applied(space, probe.replica.receive(runs)))
        probe.feed(.advanced(space, position: probe.replica.position, held: probe.replica.vector))
        // Nothing of what came is for the peer, which has it.
        let rest = probe.replica.slice(
            after: own.position, excluding: probe.replica.vector, maximumBytes: 1 << 20)
        probe.feed(.slice(space, rest))
        let (held, digest) = probe.replica.held()
        let summary = Summary(heldHash: held.hash, digest: digest, changeCount: 3)
        for _ in 0..<5 { probe.say(.summary(space, summary)) }
        #expect(probe.end == nil)
    }
}
