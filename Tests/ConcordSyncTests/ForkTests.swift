// A replica that signs two changes of one number. Honest nodes come to hold both branches and know it, whoever learned
// which first and wherever connections were cut; and no two of them meet again and again without learning something.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

@Suite("Sessions and forked replicas")
struct ForkTests {
    private let space = testSpace(1)

    /// Connects and comes to rest until no session ends any more; each round in which one ends must bring news.
    private func convergeForked(_ network: inout FakeNetwork, _ comment: Comment) {
        func places() -> [Int64] { network.replicas.map { $0[space]!.position } }
        var rounds = 0
        repeat {
            let (before, ends) = (places(), network.ends.count)
            for link in network.links.indices {
                if network.links[link].ends != nil,
                    (0...1).contains(where: { network.links[link][$0].end != nil })
                {
                    network.cut(link)
                }
                network.connect(link)
            }
            // What is told without haste, and asked for, takes some seconds.
            for _ in 0..<20 {
                network.settle()
                network.wait(atMost: 300)
            }
            network.settle()
            rounds += 1
            guard network.ends.count > ends else { break }
            #expect(
                places() != before, "a session ended and nothing was learned in round \(rounds): \(comment)")
        } while rounds < 40
        #expect(rounds < 40, comment)
        let first = network.replicas[0][space]!.held().summary
        for replica in network.replicas {
            #expect(replica[space]!.held().summary.hash == first.hash, comment)
            #expect(replica[space]!.vector == first.vector, comment)
        }
        for link in network.links {
            for side in 0...1 {
                #expect(link[side].end == nil, comment)
                #expect(link[side].progress[space]?.inStep == true, comment)
                #expect(link[side].progress[space]?.digestEqual != false, comment)
            }
        }
        // Time that passes without a frame being delivered makes peers fall silent, too.
        for end in network.ends where end.code != ErrorCode.peerSilent.rawValue {
            #expect(
                end.code == ErrorCode.equivocation.rawValue && end.faultClass == .retry, "\(end): \(comment)")
        }
    }

    private func chaos(
        honest: Int, links: [(Int, Int)], clones: [Int: Int], equivocators: Set<Int> = [], seed: UInt64,
        steps: Int = 700
    ) -> FakeNetwork {
        let nodes = honest + clones.count
        var network = FakeNetwork(nodes: nodes, links: links, clones: clones, seed: seed)
        network.equivocators = equivocators
        for _ in 0..<steps {
            switch Int.random(in: 0..<100, using: &network.random) {
            case 0..<7:
                network.write(
                    Int.random(in: 0..<nodes, using: &network.random),
                    count: Int.random(in: 1...4, using: &network.random),
                    payload: Int.random(in: 0...300, using: &network.random))
            case 7..<9: network.cut(Int.random(in: links.indices, using: &network.random))
            case 9..<14:
                let link = Int.random(in: links.indices, using: &network.random)
                if network.links[link].ends != nil,
                    (0...1).contains(where: { network.links[link][$0].end != nil })
                {
                    network.cut(link)
                }
                network.connect(link)
            case 14: network.wait(atMost: 20_000)
            default: _ = network.step()
            }
        }
        // Nobody forks any more: what is there must now come to everybody.
        convergeForked(&network, "seed \(seed): swift test --filter ForkTests")
        return network
    }

    @Test("two nodes that were shown different branches come to hold both")
    func twoBranches() {
        // 0 and 1 are honest; 2 and 3 write under one replica, each shows its branch to one of them.
        var network = FakeNetwork(nodes: 4, links: [(0, 2), (1, 3), (0, 1)], clones: [2: 3, 3: 3], seed: 1)
        network.equivocators = [2, 3]
        network.write(2, count: 5, payload: 10)
        network.write(3, count: 3, payload: 20)
        for link in 0...1 { network.connect(link) }
        network.settle()
        network.write(0)
        network.write(1)
        network.settle()
        let before = network.replicas.map { $0[space]!.held().summary }
        #expect(before[0].hash != before[1].hash)
        #expect(before[0].vector[testReplica(4)] == 5 && before[1].vector[testReplica(4)] == 3)
        network.cut(0)
        network.cut(1)
        network.links.removeFirst(2)
        network.connect(0)
        network.settle()
        let alarms = (0...1).map { side in network.links[0][side].alarms.map(\.code) }
        #expect(alarms.contains([.equivocation]), "\(alarms)")
        network.replicas.removeLast(2)
        convergeForked(&network, "two branches")
        for replica in network.replicas {
            #expect(replica[space]!.branches == 2)
            let heads = replica[space]!.heads.filter { $0.dot.replica == testReplica(4) }
            #expect(heads.map(\.dot.sequence).sorted() == [3, 5])
        }
        #expect(network.ends.count <= 2, "\(network.ends.count) sessions ended")
    }

    @Test(
        "three honest nodes around a replica with two lives converge to both branches",
        arguments: 400...440 as ClosedRange<UInt64>)
    func threeNodes(seed: UInt64) {
        let network = chaos(
            honest: 3, links: [(0, 1), (1, 2), (3, 0), (4, 2), (0, 2)], clones: [3: 3, 4: 3],
            equivocators: seed % 2 == 0 ? [3, 4] : [], seed: seed)
        #expect(!network.retired.isEmpty || network.replicas[0][space]!.branches == 0, "seed \(seed)")
    }

    @Test(
        "branches of branches reach the end of a chain of honest nodes",
        arguments: 500...525 as ClosedRange<UInt64>)
    func threeLives(seed: UInt64) {
        _ = chaos(
            honest: 3, links: [(0, 1), (1, 2), (3, 0), (4, 1), (5, 2)], clones: [3: 3, 4: 3, 5: 3],
            equivocators: seed % 3 == 0 ? [] : [3, 4, 5], seed: seed, steps: 900)
    }

    @Test(
        "a restored database that wrote before its first contact stops, takes back what it lacks and goes on")
    func restored() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 3)
        network.write(0, count: 2)
        let backup = network.replicas[0][space]!
        network.write(0, count: 3)
        network.converge("before")
        network.cut(0)
        network.replicas[0][space] = backup
        network.sendsOnlyNews = false
        network.write(0, count: 1, payload: 9)
        convergeForked(&network, "restored")
        #expect(network.retired == [testReplica(1)])
        network.write(0)
        network.settle()
        #expect(network.replicas[1][space]!.vector[network.replicas[0][space]!.replica] == 1)
        #expect(network.replicas[1][space]!.heads.count == 3, "both branches and what was written since")
    }

    @Test("a restored database that wrote nothing stops as soon as a peer shows what it lacks")
    func restoredUnwritten() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 4)
        network.write(0, count: 2)
        let backup = network.replicas[0][space]!
        network.write(0, count: 3)
        network.converge("before")
        network.cut(0)
        network.replicas[0][space] = backup
        network.sendsOnlyNews = false
        convergeForked(&network, "restored")
        #expect(network.retired == [testReplica(1)])
        #expect(network.replicas[0][space]!.branches == 0)
        #expect(network.ends.isEmpty, "nothing was forked")
    }

    @Test(
        "a restored database takes back what it lacks in its first sessions, also where no peer sends all unasked",
        arguments: 700...729 as ClosedRange<UInt64>)
    func restoredAmongMany(seed: UInt64) {
        var network = FakeNetwork(nodes: 4, links: [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)], seed: seed)
        network.sendsOnlyNews = false
        network.write(0, count: 2)
        let backup = network.replicas[0][space]!
        network.write(0, count: 3)
        network.converge("before", waits: 20)
        for link in network.links.indices { network.cut(link) }
        network.replicas[0][space] = backup
        if seed % 2 == 0 { network.write(1, count: 2) }
        // Those who have the rest come to know each other before, at the same time, or after.
        if seed % 3 == 0 { network.connect(3) }
        for _ in 0..<Int.random(in: 0...30, using: &network.random) { _ = network.step() }
        convergeForked(&network, "seed \(seed): swift test --filter restoredAmongMany")
        #expect(network.retired == [testReplica(1)])
        #expect(network.ends.isEmpty, "seed \(seed): nothing was forked")
    }

    @Test("the store's word that a replica is forked ends the session after what is owed, for a new one")
    func outcome() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.changes(space, [testRun(1)]), .changes(space, [testRun(2)]))
        probe.feed(
            .applied(
                space,
                ReceiveOutcome(
                    durable: VersionVector([Dot(testReplica(2), 1)]), applied: 1, heldBack: 0, refusal: nil,
                    forked: testReplica(2), tookBranch: true)))
        probe.expectEnd(.equivocation, .retry)
        #expect(probe.end?.sentence.contains("anew") == true)
        #expect(probe.alarms == [.equivocation])
        let types = probe.sent.suffix(2).map(\.type)
        #expect(types == [4, 5], "what is durable is acknowledged first")
    }

    @Test("a fork that another session found ends this one, too")
    func elsewhere() {
        var probe = Probe()
        probe.startStreaming()
        probe.feed(.forked(testSpace(2), testReplica(5)))
        #expect(probe.end == nil, "of a space that is not exchanged here")
        probe.feed(.forked(space, testReplica(5)))
        probe.expectEnd(.equivocation, .retry)
        #expect(probe.alarms == [.equivocation])
    }

    @Test("what the peer lacks is sent before a session ends in which nothing was learned")
    func sendsFirst() {
        var probe = Probe()
        probe.answersComparisons = false
        probe.startStreaming()
        probe.feed(.compared(space, HeadComparison(known: VersionVector(), forked: [testReplica(9)])))
        probe.say(.changes(space, [testRun(4)]))
        let lost = ReceiveOutcome(
            durable: VersionVector(), applied: 0, heldBack: 0, refusal: nil, forked: testReplica(2))
        probe.feed(.applied(space, lost))
        #expect(probe.end == nil)
        probe.feed(
            .slice(space, probe.replica.slice(after: 0, excluding: VersionVector(), maximumBytes: 1_000)))
        #expect(probe.end == nil)
        probe.say(.acknowledge(space, VersionVector([Dot(testReplica(1), 2)])))
        probe.expectEnd(.equivocation, .retry)
        #expect(probe.alarms.isEmpty, "what was only said accuses nobody")
    }

    @Test("a peer that makes claims about our own replica again and again is heard once")
    func repeatedClaim() {
        var probe = Probe()
        probe.startStreaming()
        probe.say(.acknowledge(space, VersionVector([Dot(testReplica(1), 9)])))
        #expect(probe.retired == [testReplica(1)])
        for number in 50...60 {
            probe.feed(.spacesChanged([SpaceHead(space: space, replica: testReplica(number))]))
            probe.say(.acknowledge(space, VersionVector([Dot(testReplica(number), 9)])))
        }
        #expect(probe.retired == [testReplica(1)])
        #expect(probe.alarms == [.ourReplicaElsewhere] && probe.end == nil)
    }

    @Test("changes that come while the store still compares are taken, and not sent back")
    func whileComparing() {
        var probe = Probe()
        probe.answersComparisons = false
        probe.startStreaming()
        probe.say(.changes(space, [testRun(1)]))
        #expect(probe.end == nil)
        #expect(probe.effects.contains(.apply(space, [testRun(1)])))
        probe.feed(.compared(space, HeadComparison(known: VersionVector(), forked: [])))
        let excluded = probe.effects.compactMap { effect -> VersionVector? in
            if case .readSlice(_, _, let known, _) = effect { known.all } else { nil }
        }
        #expect(excluded.last?[testReplica(2)] == 1)
    }

    @Test(
        "names that the peer gives to branches which are not known here count for nothing but its acknowledgement"
    )
    func unknownBranch() {
        var probe = Probe()
        probe.startStreaming()
        let branch = ChangeRun(
            replica: testReplica(2), chain: testReplica(600), firstSequence: 9,
            previous: Bytes16(high: 1, low: 1),
            changes: [[1]], signature: testSignature)
        probe.say(.changes(space, [branch]))
        func progress() -> Progress? {
            probe.effects.reversed().lazy.compactMap { effect in
                if case .progress(_, let progress) = effect { progress } else { nil }
            }.first
        }
        #expect(progress()?.inStep == false)
        probe.feed(
            .applied(
                space,
                ReceiveOutcome(
                    durable: VersionVector([Dot(testReplica(600), 9)]), applied: 1, heldBack: 0, refusal: nil)
            ))
        #expect(probe.sent.last == .acknowledge(space, VersionVector([Dot(testReplica(600), 9)])))
        #expect(progress()?.weLack == 0)
        #expect(progress()?.theyLack == 2, "what is ours, as before")
    }

    @Test("a peer that writes under our own replica is a copy of this node")
    func clone() {
        for late in [false, true] {
            var probe = Probe()
            if late { probe.feed(.spacesChanged([SpaceHead(space: space, replica: testReplica(3))])) }
            probe.say(Probe.hello(replica: late ? testReplica(1) : testReplica(1)))
            #expect(probe.retired == (late ? [] : [testReplica(1)]))
            if late { probe.feed(.spacesChanged([SpaceHead(space: space, replica: testReplica(1))])) }
            #expect(probe.retired == [testReplica(1)])
            #expect(probe.alarms == [.ourReplicaElsewhere])
            #expect(probe.end == nil)
        }
    }

    @Test("a claim about our own replica is judged by a reading that begins after it")
    func staleReading() {
        var probe = Probe()
        probe.startStreaming()
        probe.answersReadings = false
        let stale = probe.replica.held()
        for sequence in 3...4 as ClosedRange<UInt64> {
            probe.say(.acknowledge(space, VersionVector([Dot(testReplica(1), sequence)])))
        }
        probe.replica.write(2, payload: 1)
        probe.feed(.held(space, stale.summary, digest: nil))
        probe.feed(.held(space, probe.replica.held().summary, digest: nil))
        #expect(probe.alarms.isEmpty && probe.retired.isEmpty)
        probe.say(.changes(space, [testRun(9, replica: 1)]))
        let applied = probe.effects.contains { if case .apply = $0 { true } else { false } }
        #expect(!applied, "changes of our own that we lack wait until that is certain")
        probe.feed(.held(space, probe.replica.held().summary, digest: nil))
        #expect(probe.retired == [testReplica(1)])
        #expect(probe.effects.contains(.apply(space, [testRun(9, replica: 1)])))
    }
}
