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

    @Test("what the peer waits for goes out though the window is full of what waits for it there")
    func fullWindow() throws {
        var probe = Probe()
        let (space, other) = (testSpace(1), testReplica(9))
        var author = FakeReplica(9)
        author.write(1, payload: 10)
        _ = probe.replica.receive(
            author.slice(after: 0, excluding: VersionVector(), maximumBytes: 1_000).runs)
        // What this side writes next depends on the other's change, which the peer lacks as well.
        for _ in 0..<200 { probe.replica.write(1, payload: 2_000) }
        probe.startStreaming()
        probe.say(.flow(space, .announce, VersionVector()))
        probe.feed(
            .advanced(space, position: probe.replica.position, held: probe.replica.vector))
        probe.readAll()
        #expect(!probe.sentRuns.contains { $0.replica == other })
        let full = probe.sentRuns.count
        #expect(full > 1 && full < 200, "the window is full")

        probe.say(.want(space, [ChainSpan(chain: other, from: 0, upTo: 1)]))
        probe.readAll()
        #expect(!probe.sentRuns.contains { $0.replica == other })
        // The first ping of a session, for the round trip, goes out at once; the next one may after a second.
        if case .ping(let nonce)? = probe.sent.first(where: { $0.type == 7 }) { probe.say(.pong(nonce)) }
        probe.now += 1_000
        probe.feed(.tick)
        guard case .ping(let nonce)? = probe.sent.last else {
            Issue.record("what has arrived is not asked for: \(probe.sent.last.map(\.type) ?? 0)")
            return
        }
        probe.say(.pong(nonce))
        probe.readAll()
        #expect(probe.sentRuns.contains { $0.replica == other })
    }
}

extension Probe {
    /// Gives the session what it reads, until it reads no more.
    fileprivate mutating func readAll() {
        var answered = effects.count { if case .readSlice = $0 { true } else { false } } - 1
        while true {
            let reads = effects.filter { if case .readSlice = $0 { true } else { false } }
            guard answered < reads.count, let read = reads.last,
                case .readSlice(let space, let after, let excluded, let maximumBytes) = read
            else { return }
            answered = reads.count
            feed(
                .slice(
                    space,
                    replica.slice(after: after, excluding: excluded.all, maximumBytes: maximumBytes)))
        }
    }

    /// The runs that were sent.
    fileprivate var sentRuns: [ChangeRun] {
        sent.flatMap { message -> [ChangeRun] in
            if case .changes(_, let runs) = message { runs } else { [] }
        }
    }

    /// What was left out of what was read last.
    fileprivate var lastRead: LeftOut? {
        effects.compactMap { effect in
            if case .readSlice(_, _, let excluded, _) = effect { excluded } else { nil }
        }.last
    }
}
