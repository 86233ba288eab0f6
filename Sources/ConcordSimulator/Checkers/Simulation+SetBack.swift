// Acknowledged changes whose node was set back to an earlier copy of its files. It has lost them, and its people know that;
// but what somebody else held at that moment must be held by everybody in the end.

import ConcordAPI
import ConcordModel
import ConcordStore

/// An acknowledged change that its own node has lost.
struct LostWrite: Sendable {
    let written: SimulatedNode.Written
    /// The node that wrote it.
    let author: Int
    /// The honest nodes that held it when its own was set back, or later, and were not set back since.
    var holders: Set<Int> = []
}

extension Simulation {
    /// Remembers what a node is about to lose, and who else holds it. What that node alone held of others is lost for
    /// good, and no longer demanded.
    ///
    /// - Parameter lost: what it acknowledged and loses.
    mutating func noteSetBack(_ node: Int, losing lost: ArraySlice<SimulatedNode.Written>) throws {
        if node != swarm.hostile {
            lostWrites += lost.map { LostWrite(written: $0, author: node) }
            figures.setBack += lost.count
        }
        guard !lostWrites.isEmpty else { return }
        for number in 0..<swarm.nodes where number != node && vouches(number) {
            guard let store = nodes[number].store else { continue }
            let held = Set(try changes(in: store).map { "\($0.dot) \($0.hash)" })
            for index in lostWrites.indices where held.contains(lostWrites[index].written.description) {
                lostWrites[index].holders.insert(number)
            }
        }
        for index in lostWrites.indices { lostWrites[index].holders.remove(node) }
        lostWrites.removeAll(where: \.holders.isEmpty)
    }

    /// Whether what a node holds now is on its disk for good. What one holds that is down at present was noted before,
    /// or is not.
    private func vouches(_ node: Int) -> Bool {
        node != swarm.hostile && nodes[node].store != nil && nodes[node].hasSpace && !nodes[node].isTroubled
    }

    /// What was lost to its own node and must be held by everybody, as one of these nodes held it.
    func demanded(by nodes: [Int]) -> [LostWrite] {
        lostWrites.filter { !$0.holders.isDisjoint(with: nodes) }
    }

    /// All changes that a store holds.
    func changes(in store: ReplicaStore) throws -> [LogDocument] {
        try store.log(LogQuery(space: space, limit: 1_000_000))
    }

    // MARK: The canary

    /// Sets all nodes back at one moment to copies of another one, and goes on demanding what only the others still had.
    mutating func loseEverywhere(_ node: Int) throws {
        guard !canaryFired, nodes.allSatisfy({ $0.store != nil && $0.hasSpace && !$0.isTroubled }) else {
            return
        }
        guard nodes.allSatisfy(\.hasSnapshot) else {
            for index in nodes.indices { nodes[index].keepSnapshot(anew: true) }
            return
        }
        guard nodes[node].canLoseCommits else { return }
        try die(node, .restore)
        let demanded = lostWrites
        guard !demanded.isEmpty else { return }
        for other in nodes.indices where other != node { try die(other, .restore) }
        lostWrites = demanded
        canaryFired = true
    }
}

extension SimulatedNode.Written: CustomStringConvertible {
    /// As logs show it.
    var description: String { "\(dot) \(hash)" }
}
