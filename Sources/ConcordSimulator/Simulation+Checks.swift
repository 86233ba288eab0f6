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
        queue.add(.check, at: now + 500)
    }

    /// Why the run is not over; nil if it is.
    func pending() -> String? {
        for node in nodes where node.store == nil || !node.hasSpace { return "\(node.name) is not there yet" }
        let held = nodes.map { try? $0.store?.held(space) }
        for node in nodes where held[node.number]?.hash != held[0]?.hash {
            return "\(nodes[0].name) and \(node.name) hold different changes"
        }
        for link in links {
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

    /// Checks all that must hold at the end.
    mutating func checkEnd() async throws {
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
        try checkLogs(stores)
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

    /// Every acknowledged change is in every log as it was written, and no dot stands for two changes.
    private func checkLogs(_ stores: [ReplicaStore]) throws {
        var hashes: [String: String] = [:]
        for (node, store) in zip(nodes, stores) {
            var seen: Set<String> = []
            for change in try store.log(LogQuery(space: space, limit: 1_000_000)) {
                guard seen.insert(change.dot).inserted,
                    hashes.updateValue(change.hash, forKey: change.dot).map({ $0 == change.hash }) ?? true
                else {
                    throw Violation(invariant: .noDotTwice, detail: "\(node.name) has \(change.dot) twice")
                }
            }
            for author in nodes {
                for written in author.written where !seen.contains(written.dot.description) {
                    throw Violation(
                        invariant: .nothingLost,
                        detail: "\(node.name) lacks \(written.dot), which \(author.name) acknowledged")
                }
            }
        }
        for author in nodes {
            for written in author.written where hashes[written.dot.description] != written.hash.description {
                throw Violation(invariant: .nothingLost, detail: "\(written.dot) is not what was written")
            }
        }
    }
}
