// With whom nodes connect, as the choice alone makes it: networks grown by it are connected and stay within bounds.

import ConcordSync
import Testing

@Suite("The choice of peers")
struct ActivePeersTests {
    /// Nodes that connect one by one as the choice says.
    private struct Overlay {
        var peers: [Set<Int>]
        var isUp: [Bool]
        var avoided: [Set<Int>]

        init(_ count: Int) {
            peers = Array(repeating: [], count: count)
            isUp = Array(repeating: true, count: count)
            avoided = Array(repeating: [], count: count)
        }

        func choice(_ node: Int) -> ActivePeers<Int> {
            ActivePeers(
                ownBytes: Array("node \(node)".utf8), nodeCount: peers.count,
                candidates: peers.indices.filter { $0 != node }.map { other in
                    .init(
                        key: other, bytes: Array("node \(other)".utf8),
                        isConnected: peers[node].contains(other),
                        isAvoided: avoided[node].contains(other))
                })
        }

        /// Lets everybody dial until nothing changes.
        mutating func settle() {
            for _ in 0..<50 {
                let before = peers
                for node in peers.indices where isUp[node] {
                    for other in choice(node).toDial() {
                        guard isUp[other],
                            choice(other).admission(isByHand: false, isStranger: false) == .accepted
                        else {
                            avoided[node].insert(other)
                            continue
                        }
                        peers[node].insert(other)
                        peers[other].insert(node)
                    }
                }
                if peers == before { return }
            }
        }

        mutating func fail(_ node: Int) {
            isUp[node] = false
            for other in peers[node] { peers[other].remove(node) }
            peers[node] = []
        }

        var isConnected: Bool {
            let all = peers.indices.filter { isUp[$0] }
            var reached: Set<Int> = [all[0]]
            var edge = [all[0]]
            while let node = edge.popLast() {
                for other in peers[node] where reached.insert(other).inserted { edge.append(other) }
            }
            return reached.count == all.count
        }
    }

    @Test("a small network is a full mesh", arguments: [2, 44, 64])
    func mesh(nodes: Int) {
        var overlay = Overlay(nodes)
        overlay.settle()
        #expect(overlay.peers.allSatisfy { $0.count == nodes - 1 })
    }

    @Test("a large one is sparse and connected, also when a third of it fails", arguments: [65, 200])
    func sparse(nodes: Int) {
        var overlay = Overlay(nodes)
        overlay.settle()
        let degrees = overlay.peers.map(\.count)
        #expect(
            degrees.max()! <= ActivePeers<Int>.most && degrees.min()! >= ActivePeers<Int>.enough, "\(degrees)"
        )
        #expect(overlay.isConnected)
        for node in stride(from: 0, to: nodes, by: 3) { overlay.fail(node) }
        #expect(overlay.isConnected)
        for node in overlay.avoided.indices { overlay.avoided[node] = [] }
        overlay.settle()
        let later = overlay.peers.indices.filter { overlay.isUp[$0] }.map { overlay.peers[$0].count }
        #expect(later.max()! <= ActivePeers<Int>.most && later.min()! >= 6, "\(later)")
    }

    private func candidates(_ connected: Int, free: Int, byHand: Set<Int> = [], avoided: Set<Int> = [])
        -> [ActivePeers<Int>.Candidate]
    {
        (0..<connected + free).map {
            .init(
                key: $0, bytes: [UInt8($0)], isConnected: $0 < connected, isByHand: byHand.contains($0),
                isAvoided: avoided.contains($0))
        }
    }

    @Test("the choice is the same each time, those named by hand come first, those not reached last")
    func order() {
        let choice = ActivePeers(
            ownBytes: [1], nodeCount: 200,
            candidates: candidates(2, free: 30, byHand: [9, 20], avoided: [3, 20]))
        let first = choice.toDial()
        #expect(first == choice.toDial() && first.count == ActivePeers<Int>.enough - 2)
        #expect(first.first == 9 && !first.contains(3) && !first.contains(20))
        #expect(choice.toDial(underWay: 5).count == 1 && choice.toDial(underWay: 6).isEmpty)
        let other = ActivePeers(ownBytes: [2], nodeCount: 200, candidates: candidates(2, free: 30)).toDial()
        #expect(first != other, "another node chooses others")
    }

    @Test("a full node turns those away that it met lately, and makes room for a stranger")
    func admission() {
        let full = ActivePeers(
            ownBytes: [1], nodeCount: 200, candidates: candidates(12, free: 4, byHand: [2]))
        #expect(full.admission(isByHand: false, isStranger: false) == .full)
        guard case .acceptedInPlaceOf(let key) = full.admission(isByHand: false, isStranger: true) else {
            Issue.record("a stranger is turned away")
            return
        }
        #expect(key < 12 && key != 2)
        #expect(full.toDrop.isEmpty && full.toDial().isEmpty)
        let more = ActivePeers(
            ownBytes: [1], nodeCount: 200, candidates: candidates(20, free: 0, byHand: [2]))
        #expect(more.toDrop.count == 8 && !more.toDrop.contains(2))
        let small = ActivePeers(ownBytes: [1], nodeCount: 64, candidates: candidates(40, free: 4))
        #expect(small.admission(isByHand: false, isStranger: false) == .accepted && small.toDrop.isEmpty)
    }
}
