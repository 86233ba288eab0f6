// Many nodes together: whatever their connections look like and whatever fails, all come to hold the same; and while
// nothing fails, each node is sent each change once.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

/// How nodes are connected.
enum Topology: CaseIterable {
    case chain, star, ring, mesh, sparse

    func links(_ nodes: Int, _ random: inout TestRandom) -> [(Int, Int)] {
        switch self {
        case .chain: (1..<nodes).map { ($0 - 1, $0) }
        case .star: (1..<nodes).map { (0, $0) }
        case .ring: (0..<nodes).map { ($0, ($0 + 1) % nodes) }
        case .mesh: (0..<nodes).flatMap { one in (one + 1..<nodes).map { (one, $0) } }
        case .sparse:
            // A random tree, and some links more.
            (1..<nodes).map { (Int.random(in: 0..<$0, using: &random), $0) }
                + (0..<nodes / 2).map { _ in
                    let one = Int.random(in: 0..<nodes - 1, using: &random)
                    return (one, Int.random(in: one + 1..<nodes, using: &random))
                }
        }
    }
}

@Suite("Many nodes together")
struct MeshTests {
    private let space = testSpace(1)

    private func network(_ nodes: Int, _ topology: Topology, seed: UInt64) -> FakeNetwork {
        var random = TestRandom(seed: seed)
        var links: [(Int, Int)] = []
        for link in topology.links(nodes, &random) where !links.contains(where: { $0 == link }) {
            links.append(link)
        }
        return FakeNetwork(nodes: nodes, links: links, seed: seed)
    }

    @Test(
        "whatever is cut, all converge, and nothing that was announced stays missing",
        arguments: Topology.allCases, 600...607 as ClosedRange<UInt64>)
    func chaos(topology: Topology, seed: UInt64) {
        var random = TestRandom(seed: seed &* 31)
        let nodes = Int.random(in: 3...7, using: &random)
        var network = network(nodes, topology, seed: seed)
        network.sendsOnlyNews = false
        for _ in 0..<1_000 {
            switch Int.random(in: 0..<100, using: &network.random) {
            case 0..<5:
                network.write(
                    Int.random(in: 0..<nodes, using: &network.random),
                    count: Int.random(in: 1...4, using: &network.random),
                    payload: network.random.chance(5)
                        ? 30_000 : Int.random(in: 0...300, using: &network.random))
            case 5..<7: network.cut(Int.random(in: network.links.indices, using: &network.random))
            case 7..<13: network.connect(Int.random(in: network.links.indices, using: &network.random))
            case 13..<14: network.wait(atMost: 20_000)
            default: _ = network.step()
            }
        }
        network.converge("\(topology), seed \(seed): swift test --filter MeshTests", waits: 120)
    }

    /// Connects all, and lets all know what all hold.
    private func atRest(_ nodes: Int, _ topology: Topology, seed: UInt64) -> FakeNetwork {
        var network = network(nodes, topology, seed: seed)
        // Only waiting takes time: what is on its way arrives before anybody loses patience.
        network.pace = 0...0
        for link in network.links.indices { network.connect(link) }
        network.settle()
        for node in 0..<nodes { network.write(node) }
        network.converge("start", waits: 60)
        return network
    }

    private func arrivals(_ network: FakeNetwork, of dot: Dot) -> [Int] {
        network.received.map { $0[space]?[dot] ?? 0 }
    }

    @Test("in a full mesh a change is sent to each node once, by its author, and nobody is asked for it")
    func mesh() {
        var network = atRest(9, .mesh, seed: 1)
        let wants = network.links.map { link in (0...1).map { link[$0].sentTypes[22, default: 0] } }
        for round in 2...6 {
            network.write(round)
            network.converge("round \(round)", waits: 40)
            let dot = Dot(testReplica(round + 1), 2)
            #expect(arrivals(network, of: dot) == (0..<9).map { $0 == round ? 0 : 1 })
        }
        #expect(wants == network.links.map { link in (0...1).map { link[$0].sentTypes[22, default: 0] } })
    }

    @Test(
        "where the author is not connected a change is asked for from one node",
        arguments: [Topology.ring, .sparse, .star])
    func relayed(topology: Topology) {
        var network = atRest(9, topology, seed: 3)
        for node in 0..<9 {
            network.write(node)
            network.converge("node \(node)", waits: 40)
            let total = arrivals(network, of: Dot(testReplica(node + 1), 2)).reduce(0, +)
            #expect((8...12).contains(total), "a change was sent \(total) times to 8 nodes")
        }
    }

    @Test("a node that joins with many connections is sent everything about once")
    func joining() {
        var network = network(10, .mesh, seed: 4)
        let own = network.links.indices.filter { network.links[$0].nodes.1 == 9 }
        for link in network.links.indices where !own.contains(link) { network.connect(link) }
        for node in 0..<9 { network.write(node, count: 60, payload: 300) }
        for _ in 0..<60 {
            network.settle()
            network.wait(atMost: 300)
        }
        network.converge("joining", waits: 60)
        let received = network.received[9][space] ?? [:]
        #expect(received.count == 9 * 60)
        let total = received.values.reduce(0, +)
        #expect(total <= received.count * 5 / 4, "\(total) for \(received.count) changes")
    }

    @Test("a node that is connected to nobody else is sent everything unasked, by a relay too")
    func leaf() {
        var network = atRest(6, .star, seed: 5)
        let before = network.links.map { $0[1].sentTypes[22, default: 0] }
        network.write(1)
        network.converge("leaf", waits: 40)
        #expect(network.links.map { $0[1].sentTypes[22, default: 0] } == before, "a leaf asks for nothing")
    }

    @Test("two nodes that hold changes of many replicas show each other only where they differ")
    func manyReplicas() {
        var network = FakeNetwork(nodes: 2, links: [(0, 1)], seed: 6)
        for number in 100..<500 {
            var author = FakeReplica(number)
            author.write(1, payload: 10)
            let runs = author.slice(after: 0, excluding: VersionVector(), maximumBytes: 1 << 20).runs
            _ = network.replicas[0][space]!.receive(runs)
            if number % 150 != 0 { _ = network.replicas[1][space]!.receive(runs) }
        }
        network.connect(0)
        network.settle()
        #expect(network.replicas[0][space]!.vector == network.replicas[1][space]!.vector)
        let ends = [network.links[0][0], network.links[0][1]]
        #expect(ends.allSatisfy { $0.sentTypes[23] == 1 && $0.sentTypes[2] == 1 })
        // 400 heads take 16 kB.
        #expect(ends.allSatisfy { $0.sentBytes < 3_000 }, "\(ends.map(\.sentBytes))")
    }
}
