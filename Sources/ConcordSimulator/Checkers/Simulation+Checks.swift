// What must hold at the end of a run, and when the end is. The checks look at the stores from outside and share no code with
// what they check.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension Simulation {
    /// Looks whether all nodes have come to hold the same.
    mutating func check() async throws {
        guard let healedAt else { return }
        guard let reason = pending() else {
            isConverged = true
            return
        }
        guard now - healedAt < Self.healingLimit else {
            throw Violation(invariant: .converges, detail: "after an hour of peace \(reason)")
        }
        try signAgain()
        try await exchangeWithLaptop()
        queue.add(.check, at: now + 500)
    }

    /// Why the run is not over; nil if it is.
    func pending() -> String? {
        let judged = judged
        for number in judged where nodes[number].store == nil || !nodes[number].hasSpace {
            return "\(nodes[number].name) is not there yet"
        }
        let held = nodes.map { try? $0.store?.held(space) }
        for number in judged where held[number]?.hash != held[judged[0]]?.hash {
            return "\(nodes[judged[0]].name) and \(nodes[number].name) hold different changes"
        }
        for link in links where judged.contains(link.nodes.0) && judged.contains(link.nodes.1) {
            let names = "\(nodes[link.nodes.0].name) and \(nodes[link.nodes.1].name)"
            guard let id = link.connection, let connection = connections[id] else {
                return "\(names) are not connected"
            }
            // What different versions see is not compared.
            let expected = nodes[link.nodes.0].isLater == nodes[link.nodes.1].isLater ? true : nil
            for end in connection.ends {
                guard let progress = end.progress, progress.inStep, progress.digestEqual == expected else {
                    return "\(names) do not know that they are in step"
                }
                guard progress.theyLack == 0, progress.weLack == 0 else {
                    return "one of \(names) believes that the other lacks something"
                }
            }
        }
        return nil
    }

    /// Checks all that must hold at the end.
    mutating func checkEnd() async throws {
        let judged = judged
        let nodes = judged.map { self.nodes[$0] }
        let stores = nodes.compactMap(\.store)
        let digest = try await stores[0].digest(space)
        let records = try documents(stores[0])
        figures.conflicts = records.reduce(0) { $0 + $1.conflicts.count }
        figures.deleted = records.count { !$0.shown }
        for (node, store) in zip(nodes, stores) {
            guard try await store.digest(space) == digest else {
                throw Violation(
                    invariant: .equalDigests,
                    detail: "\(nodes[0].name) and \(node.name) have different digests")
            }
            let others = try documents(store)
            for (a, b) in zip(records, others) where a != b {
                throw Violation(
                    invariant: .equalRecords, detail: "\(nodes[0].name) sees \(a), \(node.name) sees \(b)")
            }
            guard records.count == others.count else {
                throw Violation(
                    invariant: .equalRecords,
                    detail: "\(nodes[0].name) has \(records.count) records, \(node.name) \(others.count)")
            }
        }
        try checkLogs(nodes, stores)
        for node in nodes { try checkOrder(node) }
        if let canary = swarm.canary, [.alteredEdit, .alteredWord, .inventedDeletion].contains(canary) {
            let shown = records.filter(\.shown).compactMap { RecordID(text: $0.id) }
            canaryFired = ledger.falsify(canary, shown)
        }
        if judges(.memory), let fault = ledger.fault(in: records) {
            throw Violation(invariant: .editsShown, detail: fault)
        }
        try await checkStores(nodes, stores, digest)
        try await checkTraffic(judged, stores[0])
        if judges(.backup) { try await checkBackup(stores[0], digest) }
        if judges(.freshNode) { try await checkFreshNode(nodes[nodes.count - 1], digest) }
        countJudgements()
    }

    private func documents(_ store: ReplicaStore) throws -> [RecordDocument] {
        try store.records(RecordQuery(space: space, includeDeleted: true)).sorted { $0.id < $1.id }
    }

    /// Two of the stores verify from nothing; where all hold the same and give the same digest, the others would too.
    private func checkStores(
        _ nodes: [SimulatedNode], _ stores: [ReplicaStore], _ digest: Digest
    ) async throws {
        let chosen = Set([0, Int(scenario.seed % UInt64(nodes.count))])
        for index in chosen.sorted() {
            let report = try await stores[index].verify(space: space)
            guard report.isClean else {
                throw Violation(invariant: .verifies, detail: "\(nodes[index].name): \(report.problems)")
            }
        }
    }

    /// Every acknowledged change is in every log as it was written, chains have no gaps, and no dot stands for two changes
    /// unless its replica was written in two places.
    private func checkLogs(_ nodes: [SimulatedNode], _ stores: [ReplicaStore]) throws {
        let lost = demanded(by: nodes.map(\.number))
        var hashes: [String: Set<String>] = [:]
        for (node, store) in zip(nodes, stores) {
            var seen: [String: Set<String>] = [:]
            for change in try changes(in: store) {
                guard seen[change.dot, default: []].insert(change.hash).inserted else {
                    throw Violation(invariant: .noDotTwice, detail: "\(node.name) has \(change.dot) twice")
                }
                hashes[change.dot, default: []].insert(change.hash)
                guard !judges(.numbers) || hashes[change.dot]?.count == 1 else {
                    throw Violation(
                        invariant: .noDotTwice, detail: "\(change.dot) stands for two changes at \(node.name)"
                    )
                }
            }
            for head in try store.held(space).heads {
                for sequence in 1...head.dot.sequence
                where seen[Dot(head.dot.replica, sequence).description] == nil {
                    throw Violation(
                        invariant: .noGaps, detail: "\(node.name) lacks \(Dot(head.dot.replica, sequence))")
                }
            }
            for author in self.nodes where author.number != swarm.hostile && author.original == nil {
                guard nodes.contains(where: { $0.number == author.number }) else { continue }
                for written in author.written
                where seen[written.dot.description]?.contains(written.hash.description) != true {
                    throw Violation(
                        invariant: .nothingLost,
                        detail: "\(node.name) lacks \(written.dot), which \(author.name) acknowledged")
                }
            }
            for write in lost
            where seen[write.written.dot.description]?.contains(write.written.hash.description) != true {
                throw Violation(
                    invariant: .nothingLost,
                    detail: "\(node.name) lacks \(write.written.dot), which others held when "
                        + "\(self.nodes[write.author].name) was set back")
            }
        }
    }

    // MARK: Traffic

    /// Remembers what everybody holds as the faults end.
    mutating func beginHealing() {
        traffic.connectionsBefore = figures.connections - connections.count
        for number in judged {
            traffic.held[number] = (try? nodes[number].store?.held(space).vector) ?? VersionVector()
        }
    }

    private func checkTraffic(_ judged: [Int], _ store: ReplicaStore) async throws {
        guard judges(.traffic), let healedAt else { return }
        var lacking = 0
        for number in judged {
            let known = traffic.held[number] ?? VersionVector()
            lacking += try store.runs(of: space, excluding: known).reduce(0) { $0 + $1.byteCount }
        }
        let fault = traffic.fault(
            lacking: lacking, connections: figures.connections - traffic.connectionsBefore,
            seconds: Int(now - healedAt) / 1_000)
        if let fault { throw Violation(invariant: .noStorm, detail: fault) }
    }
}
