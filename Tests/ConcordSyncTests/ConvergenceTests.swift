// Sessions against sessions: whatever is cut, delayed or written in between, in the end both sides hold the
// same, and no session ever broke a rule on the way (FakeNetwork checks these at every frame).

import ConcordModel
import ConcordSync
import SyncSupport
import Testing

extension FakeNetwork {
    /// Connects everything, lets it come to rest and checks that all hold the same and know it.
    ///
    /// - Parameter waits: how often a third of a second passes at rest: for what is told and asked for without haste, and
    ///   for the comparison after a catch-up on both sides.
    mutating func converge(_ comment: Comment, waits: Int = 4) {
        for link in links.indices { connect(link) }
        for _ in 0..<waits {
            settle()
            wait(atMost: 300)
        }
        settle()
        for space in replicas[0].keys.sorted() {
            let first = replicas[0][space]!.held().summary
            for replica in replicas { #expect(replica[space]!.held().summary.hash == first.hash, comment) }
            for link in links {
                for side in 0...1 {
                    #expect(link[side].end == nil, comment)
                    #expect(link[side].progress[space]?.inStep == true, comment)
                    #expect(link[side].progress[space]?.theyLack == 0, comment)
                    #expect(link[side].alarms.isEmpty, comment)
                }
            }
        }
    }
}

@Suite("Sessions against sessions")
struct ConvergenceTests {
    private func chaos(
        nodes: Int, links: [(Int, Int)], spaces: Int = 1, seed: UInt64, steps: Int,
        _ adjust: (inout FakeNetwork) -> Void = { _ in }
    ) {
        var network = FakeNetwork(
            nodes: nodes, spaces: (1...spaces).map(testSpace), links: links, seed: seed)
        adjust(&network)
        for _ in 0..<steps {
            switch Int.random(in: 0..<100, using: &network.random) {
            case 0..<6:
                let node = Int.random(in: 0..<nodes, using: &network.random)
                let space = testSpace(Int.random(in: 1...spaces, using: &network.random))
                network.write(
                    node, space, count: Int.random(in: 1...5, using: &network.random),
                    payload: network.random.chance(5)
                        ? 30_000 : Int.random(in: 0...400, using: &network.random))
            case 6..<8: network.cut(Int.random(in: links.indices, using: &network.random))
            case 8..<12: network.connect(Int.random(in: links.indices, using: &network.random))
            case 12..<13: network.wait(atMost: 20_000)
            default: _ = network.step()
            }
        }
        network.converge("seed \(seed): swift test --filter ConvergenceTests")
        let compared = network.links.allSatisfy { link in
            (0...1).allSatisfy { link[$0].progress.values.allSatisfy { $0.digestEqual != false } }
        }
        #expect(compared, "seed \(seed)")
    }

    @Test(
        "two nodes converge however often and wherever their connection is cut",
        arguments: 1...60 as ClosedRange<UInt64>)
    func twoNodes(seed: UInt64) { chaos(nodes: 2, links: [(0, 1)], seed: seed, steps: 600) }

    @Test(
        "a chain of three converges through the one in between", arguments: 100...130 as ClosedRange<UInt64>)
    func chain(seed: UInt64) { chaos(nodes: 3, links: [(0, 1), (1, 2)], seed: seed, steps: 800) }

    @Test("several spaces share a connection and its window", arguments: 200...215 as ClosedRange<UInt64>)
    func severalSpaces(seed: UInt64) { chaos(nodes: 2, links: [(0, 1)], spaces: 4, seed: seed, steps: 800) }

    @Test(
        "a small window and a slow link change nothing but the time",
        arguments: 300...320 as ClosedRange<UInt64>)
    func smallWindow(seed: UInt64) {
        chaos(nodes: 2, links: [(0, 1)], seed: seed, steps: 800) {
            $0.configuration.windowBytes = 70_000
            $0.highWater = 2_000
        }
    }

    @Test("much is caught up in frames that stay within the window")
    func bulk() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 9)
        for _ in 0..<600 { network.write(0, count: 20, payload: 500) }
        for _ in 0..<50 { network.write(1, count: 20, payload: 500) }
        network.converge("bulk")
        let sent = network.links[0][0]
        #expect(sent.sentTypes[3]! > 20, "the history is not cut into frames")
        #expect(sent.sentTypes[3]! < 300, "the frames are too small")
        #expect(sent.sentTypes[4]! <= network.links[0][1].sentTypes[3]!)
        #expect(sent.progress[testSpace(1)]?.digestEqual == true)
    }

    @Test("after an equal start nothing but summaries is exchanged, and the digests are compared")
    func equalStart() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 4)
        network.write(0, count: 3)
        network.converge("first")
        network.cut(0)
        network.connect(0)
        network.settle()
        for side in 0...1 {
            let end = network.links[0][side]
            #expect(end.sentTypes == [0: 1, 1: 1, 7: 1, 8: 1])
            #expect(end.progress[testSpace(1)]?.digestEqual == true)
            #expect(end.sentBytes < 300)
        }
    }

    @Test("a live change costs one frame of changes and one acknowledgement")
    func livePush() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 5)
        network.write(0)
        network.write(1)
        network.converge("start")
        let before = (network.links[0][0], network.links[0][1])
        network.write(0, count: 1, payload: 0)
        network.settle()
        let change = network.replicas[0][testSpace(1)]!.latestChange!.count
        let (sender, receiver) = (network.links[0][0], network.links[0][1])
        #expect(sender.sentTypes[3]! - before.0.sentTypes[3, default: 0] == 1)
        #expect(receiver.sentTypes[4]! - before.1.sentTypes[4, default: 0] == 1)
        let bytes = sender.sentBytes - before.0.sentBytes + receiver.sentBytes - before.1.sentBytes
        #expect(bytes - change <= 200, "\(bytes) bytes besides the change")
        #expect(network.replicas[1][testSpace(1)]!.position == network.replicas[0][testSpace(1)]!.position)
        #expect(sender.progress[testSpace(1)]?.inStep == true)
    }

    @Test("a live change passes through a relay at once")
    func liveRelay() {
        var network = FakeNetwork(nodes: 3, links: [(0, 1), (1, 2)], seed: 6)
        network.write(0)
        network.converge("start")
        let time = network.now
        network.write(0)
        network.settle()
        #expect(network.replicas[2][testSpace(1)]!.vector == network.replicas[0][testSpace(1)]!.vector)
        #expect(network.now - time < 200, "the relay waited for a timer")
    }

    @Test("equal changes with unequal digests raise the alarm, and the session goes on")
    func tamperedDigest() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 7)
        network.write(0)
        network.connect(0)
        for _ in 0..<4 {
            network.settle()
            network.wait(atMost: 300)
        }
        network.replicas[1][testSpace(1)]!.digestIsTampered = true
        network.wait(atMost: 61_000)
        for _ in 0..<20 {
            network.settle()
            network.wait(atMost: 10_000)
        }
        for side in 0...1 {
            #expect(network.links[0][side].alarms.map(\.code) == [.digestMismatch])
            #expect(network.links[0][side].end == nil)
            #expect(network.links[0][side].progress[testSpace(1)]?.digestEqual == false)
        }
    }

    @Test("an idle connection stays up by pings and comparisons alone")
    func idle() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 8)
        network.write(0)
        network.converge("start")
        let start = network.now
        let before = network.links[0][0].sentBytes
        while network.now < start + 600_000 {
            network.wait()
            network.settle()
        }
        #expect(network.links[0][0].end == nil)
        // Summaries after 1, 2 and 4 minutes, ever more seldom; the rest are pings.
        #expect(network.links[0][0].sentBytes - before < 1_500)
        #expect((3...6).contains(network.links[0][0].sentTypes[1]!))
    }

    @Test("a space that is added while connected is exchanged; one that is taken back is not")
    func spacesChange() {
        var network = FakeNetwork(nodes: 2, spaces: [testSpace(1), testSpace(2)], links: [(0, 1)], seed: 10)
        let second = [network.replicas[0][testSpace(2)]!, network.replicas[1][testSpace(2)]!]
        for node in 0...1 { network.replicas[node][testSpace(2)] = nil }
        network.write(0)
        network.converge("one space")
        for node in 0...1 {
            network.replicas[node][testSpace(2)] = second[node]
            network.write(node, testSpace(2))
            let heads = [testSpace(1), testSpace(2)].map {
                SpaceHead(space: $0, replica: testReplica(node + 1))
            }
            network.feed(0, node, .spacesChanged(heads))
            if node == 0 { network.settle() }
        }
        network.converge("two spaces")
        network.write(0, testSpace(2))
        network.feed(0, 0, .spacesChanged([SpaceHead(space: testSpace(1), replica: testReplica(1))]))
        network.settle()
        #expect(network.links[0][0].end == nil && network.links[0][1].end == nil)
        let vectors = (0...1).map { network.replicas[$0][testSpace(2)]!.vector }
        #expect(vectors[0] != vectors[1])
        network.write(1)
        network.settle()
        #expect(network.replicas[0][testSpace(1)]!.vector == network.replicas[1][testSpace(1)]!.vector)
    }
}
