// When a session wants to know the time: never again at once without having done anything, or whoever drives it would do
// nothing else.

import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("When a session wants the time")
struct DeadlineTests {
    @Test(
        "what is to be announced waits until the connection takes it, not for the time",
        arguments: [FlowMode.hold, .own, .announce, .all])
    func unwritable(mode: FlowMode) {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.flow(testSpace(1), mode, VersionVector()))
        probe.feed(.writable(false))
        var held = probe.replica.vector
        held.raise(testReplica(3), to: 5)
        probe.feed(.advanced(testSpace(1), position: probe.replica.position + 5, held: held))
        while let deadline = probe.session.deadline {
            guard deadline > probe.now else {
                Issue.record("it wants the time again at \(deadline), where it is \(probe.now)")
                return
            }
            probe.now = deadline
            probe.feed(.tick)
        }
        #expect(probe.end?.code == ErrorCode.peerSilent.rawValue)
    }
}
