// Nodes that die and come back, disks in trouble, copies of files.

import ConcordModel
import ConcordStore
import Foundation

extension Simulation {
    // MARK: Dying

    /// A node dies and comes back after a while.
    ///
    /// - Parameter writes: for a state that people put back: what they write before the node meets anybody.
    mutating func die(_ node: Int, _ death: SimulatedNode.Death, writes: Int = 0) throws {
        guard nodes[node].store != nil else { return }
        figures.crashes += 1
        let word =
            switch death {
            case .kill, .forget: "killed"
            case .power: "the power fails"
            case .restore: "an earlier copy of the files is put back"
            }
        log(node, word)
        for id in connections.keys.sorted() where connections[id]?.side(of: node) != nil {
            kill(node, in: id)
        }
        canaryFired = canaryFired || death == .forget
        switch death {
        case .restore: try noteSetBack(node, losing: nodes[node].writtenSinceSnapshot)
        case .forget: try noteSetBack(node, losing: [])
        case .kill, .power: break
        }
        nodes[node].die(death)
        queue.add(.reopen(node: node, writes: writes), at: now + choices.duration(mean: 3_000))
    }

    /// A node's side of a connection dies with it, also of one that was cut before.
    private mutating func kill(_ node: Int, in id: Int) {
        cut(id, dead: node)
        guard let connection = connections[id], let side = connection.side(of: node) else { return }
        connections[id]?.ends[side].isOver = true
        connections[id]?.ends[side].tasks = []
        if connection.ends[1 - side].isOver { connections[id] = nil }
    }

    /// People keep a copy of a node's files, or put it back.
    mutating func restore(_ node: Int) throws {
        guard nodes[node].store != nil else { return }
        if swarm.canary == .lostEverywhere { return try loseEverywhere(node) }
        guard choices.chance(60), nodes[node].canLoseCommits else {
            return nodes[node].keepSnapshot(anew: true)
        }
        figures.restored += 1
        try die(node, .restore, writes: choices.number(0...3))
    }

    /// A node that died comes back and must have all that it acknowledged to its people.
    mutating func reopen(_ node: Int, writes: Int) async throws {
        guard nodes[node].store == nil else { return }
        // Who is to stay away does so, also when that was killed before.
        if swarm.canary == .absence, canaryFired, node == swarm.nodes - 1 { return }
        do {
            try nodes[node].open()
        } catch let error as ConcordError where nodes[node].isTroubled && Self.isOfTrouble(error) {
            log(node, "does not open: \(error.code.rawValue)")
            nodes[node].close()
            if nodes[node].disk.isDead { nodes[node].die(.power) }
            queue.add(.reopen(node: node, writes: writes), at: now + choices.duration(mean: 3_000))
            return
        }
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

    // MARK: Disks

    /// What a store may answer while its disk fails.
    static func isOfTrouble(_ error: ConcordError) -> Bool { isOfTrouble(error.code) }

    /// Whether a code is one of the disk, save that a file is damaged: that must never be.
    static func isOfTrouble(_ code: ErrorCode) -> Bool {
        code.rawValue.hasPrefix("E-5") && ![.corruptDatabase, .newerDatabase].contains(code)
    }

    /// Runs what a node asks of its store. What fails while its disk is in trouble has happened or not, as the next look
    /// at the disk will show; at any other time nothing may fail.
    ///
    /// - Returns: nil if it failed, or if the power went meanwhile: then the node is down.
    mutating func attempt<Answer>(
        _ node: Int, _ body: (ReplicaStore) async throws -> Answer
    ) async throws -> Answer? {
        guard let store = nodes[node].store else { return nil }
        var answer: Answer?
        do {
            answer = try await body(store)
        } catch let error as ConcordError where nodes[node].isTroubled && Self.isOfTrouble(error) {
            log(node, "the store fails: \(error.code.rawValue)")
            figures.storeFailures += 1
        }
        guard nodes[node].disk.isDead else {
            awaitTrial(node)
            return answer
        }
        try die(node, .power)
        // What was answered before the power went was not told anybody.
        return nil
    }

    /// Sees to it that a node whose store refuses to write tries again after a while, as the daemon does.
    private mutating func awaitTrial(_ node: Int) {
        guard !nodes[node].awaitsTrial, let store = nodes[node].store, store.storageTrouble != nil else {
            return
        }
        nodes[node].awaitsTrial = true
        queue.add(.trial(node: node), at: now + store.nextTrialDelay())
    }

    /// A node finds out whether its disk can be written again.
    mutating func tryWriting(_ node: Int) async throws {
        guard nodes[node].awaitsTrial else { return }
        nodes[node].awaitsTrial = false
        if try await attempt(node, { store in await store.tryWriting() }) == true {
            log(node, "the store writes again")
        }
    }

    /// A node's disk begins to fail.
    mutating func trouble(_ kind: Decision.Kind, _ node: Int) {
        var trouble = SimulatedDisk.Trouble()
        if kind == .diskFull {
            trouble.isFull = true
        } else {
            let rate = choices.pick([20, 200, 2_000])
            for path in [
                \SimulatedDisk.Trouble.readErrors, \.writeErrors, \.syncErrors, \.busyLocks,
            ] where choices.chance(50) { trouble[keyPath: path] = rate }
        }
        let time = choices.duration(mean: choices.pick([1_000, 10_000]))
        nodes[node].disk.set(trouble)
        nodes[node].troubledUntil = now + time
        log(node, "the disk fails for \(time) ms: \(trouble)")
        queue.add(.relief(node: node), at: now + time)
    }

    /// The disk of a node is well again; what its store holds in memory must be what its disk holds.
    mutating func relieve(_ node: Int) async throws {
        guard nodes[node].troubledUntil > 0, healedAt != nil || nodes[node].troubledUntil <= now else {
            return
        }
        nodes[node].troubledUntil = 0
        nodes[node].disk.set(.none)
        log(node, "the disk is well again")
        guard nodes[node].hasSpace else { return }
        let space = space
        let (name, path) = (nodes[node].name, nodes[node].disk.path)
        var hasCompared = false
        _ = try await attempt(node) { store in
            let options = ReplicaStore.Options(readOnly: true, cacheBytes: 1 << 18, vfs: SimulatedDisk.vfs)
            let onDisk = try ReplicaStore(path: path, options: options)
            defer { try? onDisk.close() }
            guard try onDisk.held(space) == store.held(space), try onDisk.roster(space) == store.roster(space)
            else {
                throw Violation(
                    invariant: .memoryIsDisk,
                    detail: "\(name) remembers \(try store.held(space).vector) where its disk holds "
                        + "\(try onDisk.held(space).vector)")
            }
            hasCompared = true
            let report = try await store.verify(space: space)
            guard report.isClean else {
                throw Violation(
                    invariant: .verifies, detail: "\(name), after its disk failed: \(report.problems)")
            }
        }
        isDiskCompared = isDiskCompared || hasCompared
    }

    /// Somebody who got hold of a node's disk runs a copy of it, which writes under the same replica.
    mutating func copy() throws {
        guard let original = swarm.copied, healedAt == nil else { return }
        guard let store = nodes[original].store, nodes[original].hasSpace, !nodes[original].isTroubled,
            try store.roster(space).entry(nodes[original].identity.member) != nil
        else { return queue.add(.copy, at: now + 500) }
        try nodes[swarm.nodes].become(nodes[original])
        figures.copies += 1
        log(swarm.nodes, "a copy begins to write")
    }
}
