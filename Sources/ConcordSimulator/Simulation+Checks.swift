// What must hold at the end of a run, and when the end is. The checks look at the stores from outside and
// share no code with them.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension Simulation {
    /// Looks whether all nodes have come to hold the same.
    mutating func check() throws {
        guard let healedAt else { return }
        guard let reason = pending() else {
            isConverged = true
            return
        }
        guard now - healedAt < Self.healingLimit else {
            throw Violation(invariant: .converges, detail: "after an hour of peace \(reason)")
        }
        try signAgain()
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
            for end in connection.ends where end.progress?.inStep != true || end.progress?.digestEqual != true
            {
                return "\(names) do not know that they are in step"
            }
        }
        return nil
    }

    /// The nodes that must come to hold the same: all that appeared, without those of a member that stays suspended,
    /// with which nobody exchanges, and those that are reached through them alone.
    var judged: [Int] {
        let present = nodes.indices.filter { nodes[$0].original == nil || nodes[$0].store != nil }
        let others = present.filter { !isSuspended || !isOfSuspect($0) }
        var reached: Set<Int> = [0]
        var grew = true
        while grew {
            grew = false
            for link in links where others.contains(link.nodes.0) && others.contains(link.nodes.1) {
                guard reached.contains(link.nodes.0) != reached.contains(link.nodes.1) else { continue }
                reached.formUnion([link.nodes.0, link.nodes.1])
                grew = true
            }
        }
        return others.filter(reached.contains)
    }

    /// Checks all that must hold at the end.
    mutating func checkEnd() async throws {
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
        for (node, store) in zip(nodes, stores) {
            let report = try await store.verify(space: space)
            guard report.isClean else {
                throw Violation(invariant: .verifies, detail: "\(node.name): \(report.problems)")
            }
        }
    }

    private func documents(_ store: ReplicaStore) throws -> [RecordDocument] {
        try store.records(RecordQuery(space: space, includeDeleted: true)).sorted { $0.id < $1.id }
    }

    /// Every acknowledged change is in every log as it was written, and no dot stands for two changes unless its
    /// replica was written in two places.
    private func checkLogs(_ nodes: [SimulatedNode], _ stores: [ReplicaStore]) throws {
        var hashes: [String: Set<String>] = [:]
        for (node, store) in zip(nodes, stores) {
            var seen: [String: Set<String>] = [:]
            for change in try store.log(LogQuery(space: space, limit: 1_000_000)) {
                guard seen[change.dot, default: []].insert(change.hash).inserted else {
                    throw Violation(invariant: .noDotTwice, detail: "\(node.name) has \(change.dot) twice")
                }
                hashes[change.dot, default: []].insert(change.hash)
                guard swarm.hasForks || hashes[change.dot]?.count == 1 else {
                    throw Violation(
                        invariant: .noDotTwice, detail: "\(change.dot) stands for two changes at \(node.name)"
                    )
                }
            }
            for author in nodes {
                for written in author.written
                where seen[written.dot.description]?.contains(written.hash.description) != true {
                    throw Violation(
                        invariant: .nothingLost,
                        detail: "\(node.name) lacks \(written.dot), which \(author.name) acknowledged")
                }
            }
        }
    }
}
