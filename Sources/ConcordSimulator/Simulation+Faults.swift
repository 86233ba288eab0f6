// What goes wrong in a run while people write.

import ConcordModel
import Foundation

extension Simulation {
    /// A fault strikes; the next of its kind is scheduled.
    mutating func strike(_ fault: Event) throws {
        guard healedAt == nil else { return }
        switch fault {
        case .disconnect:
            let standing = links.indices.compactMap { links[$0].connection }
            if !standing.isEmpty {
                let id = faults.pick(standing)
                log(nil, "cut \(id)")
                cut(id)
            }
            schedule(.disconnect, swarm.disconnectInterval)
        case .partition:
            partition()
            schedule(.partition, swarm.partitionInterval)
        case .crash:
            try crash()
            schedule(.crash, swarm.crashInterval)
        case .restore:
            try restore()
            schedule(.restore, swarm.restoreInterval)
        case .pause:
            let node = faults.number(0...nodes.count - 1)
            let time = faults.duration(mean: 5_000)
            nodes[node].pausedUntil = now + time
            log(node, "pause for \(time) ms")
            schedule(.pause, swarm.pauseInterval)
        case .clock:
            let node = faults.number(0...nodes.count - 1)
            nodes[node].clockOffset = Int64(faults.number(-Int(swarm.clockSkew)...Int(swarm.clockSkew)))
            log(node, "clock off by \(nodes[node].clockOffset) ms")
            schedule(.clock, swarm.clockInterval)
        default: break
        }
    }

    /// Some nodes cannot reach the others for a while.
    private mutating func partition() {
        let group = nodes.indices.filter { _ in faults.chance(50) }
        let time = faults.duration(mean: 5_000)
        log(nil, "partition for \(time) ms around \(group.map { nodes[$0].name }.joined(separator: " "))")
        for index in links.indices {
            let (first, second) = links[index].nodes
            guard group.contains(first) != group.contains(second) else { continue }
            links[index].blockedUntil = now + time
            if let id = links[index].connection { cut(id) }
        }
    }

    private mutating func crash() throws {
        let node = faults.number(0...nodes.count - 1)
        try crash(node, losingCommits: swarm.canary == .lostCommits && nodes[node].canLoseCommits)
    }

    /// Kills a node, which comes back after a while.
    ///
    /// - Parameters:
    ///   - losingCommits: whether it comes back in an earlier state that was kept.
    ///   - writes: for a state that people put back: what they write before the node meets anybody.
    mutating func crash(_ node: Int, losingCommits: Bool, writes: Int? = nil) throws {
        guard nodes[node].store != nil else { return }
        figures.crashes += 1
        log(node, writes == nil ? "crash" : "restore an earlier copy")
        for id in connections.keys.sorted() where connections[id]?.side(of: node) != nil {
            kill(node, in: id)
        }
        canaryFired = canaryFired || losingCommits && writes == nil
        try nodes[node].crash(losingCommits: losingCommits, restoring: writes != nil)
        queue.add(.reopen(node: node, writes: writes ?? 0), at: now + faults.duration(mean: 3_000))
    }

    /// People copy a node's files, and another time put the copy back.
    private mutating func restore() throws {
        let node = faults.number(0...swarm.nodes - 1)
        guard nodes[node].store != nil else { return }
        guard faults.chance(60), nodes[node].canLoseCommits else {
            return try nodes[node].keepSnapshot(anew: true)
        }
        figures.restored += 1
        try crash(node, losingCommits: true, writes: faults.number(0...3))
    }

    /// Somebody who got hold of a node's disk runs a copy of it, which writes under the same replica.
    mutating func copy() throws {
        guard let original = swarm.copied, healedAt == nil else { return }
        guard let store = nodes[original].store, nodes[original].hasSpace,
            try store.roster(space).entry(nodes[original].identity.member) != nil
        else { return queue.add(.copy, at: now + 500) }
        try nodes[swarm.nodes].become(nodes[original])
        figures.copies += 1
        log(swarm.nodes, "a copy begins to write")
    }

    /// A node's side of a connection dies with it, also of one that was cut before.
    private mutating func kill(_ node: Int, in id: Int) {
        cut(id, dead: node)
        guard let connection = connections[id], let side = connection.side(of: node) else { return }
        connections[id]?.ends[side].isOver = true
        connections[id]?.ends[side].tasks = []
        if connection.ends[1 - side].isOver { connections[id] = nil }
    }

    /// A node that was killed comes back and must have all that it acknowledged to its people.
    mutating func reopen(_ node: Int, writes: Int) async throws {
        guard nodes[node].store == nil else { return }
        try nodes[node].open()
        log(node, "reopen")
        guard let store = nodes[node].store, nodes[node].hasSpace else { return }
        let chains = try store.nodes(space)
        for written in nodes[node].written
        where !chains.contains(where: { chain in
            chain.replica == written.dot.replica && chain.start <= written.dot.sequence
                && written.dot.sequence <= chain.sequence
        }) {
            throw Violation(
                invariant: .writesSurvive, detail: "\(nodes[node].name) lost \(written.dot) in a crash")
        }
        for _ in 0..<writes { try await writeSomething(at: node) }
    }
}
