// Takes changes in that were salvaged from a damaged database: verified like those of a peer, each as soon as what it
// follows is held. What is not held in the end is given back, for the time when others have brought what it lacks.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// What became of salvaged changes.
public struct SalvageOutcome: Hashable, Sendable {
    /// Changes that came to be held.
    public var taken: Int64 = 0
    /// Of these, changes of replicas that the damaged database wrote.
    public var ownTaken: Int64 = 0
    /// What lacks something that is not held.
    public var waiting: [SalvagedRun] = []
    /// Changes that do not verify.
    public var refused: Int64 = 0

    /// Nothing was taken in yet.
    public init() {}
}

extension ReplicaStore {
    /// Bytes that are given to the writer at once.
    private static let salvagedBytes = 256 << 10

    /// Takes in what verifies, in several rounds, since the order in which it had arrived may be lost.
    ///
    /// - Throws: ``ConcordError`` if the disk takes no writes; what was taken in until then is durable.
    public func takeIn(salvaged runs: [SalvagedRun]) async throws -> SalvageOutcome {
        var outcome = SalvageOutcome()
        var waiting = runs
        var isFruitful = true
        while isFruitful, !waiting.isEmpty {
            isFruitful = false
            var rest: [SalvagedRun] = []
            var group: [SalvagedRun] = []
            var bytes = 0
            func flush() async throws {
                let result = try await takeInOnce(group)
                isFruitful = isFruitful || result.taken > 0
                outcome.taken += result.taken
                outcome.ownTaken += result.ownTaken
                outcome.refused += result.refused
                rest += result.waiting
                (group, bytes) = ([], 0)
            }
            for run in waiting {
                group.append(run)
                bytes += run.changes.reduce(0) { $0 + $1.count }
                if bytes >= Self.salvagedBytes { try await flush() }
            }
            if !group.isEmpty { try await flush() }
            waiting = rest
        }
        outcome.waiting = waiting
        return outcome
    }

    private func takeInOnce(_ runs: [SalvagedRun]) async throws -> SalvageOutcome {
        var refused: Set<SalvagedRun> = []
        for space in try spaces().map(\.id) {
            let missing = try runs.filter { ($0.space ?? space) == space }.filter { try !isHeld($0, space) }
            let concerned = try connected(missing, space)
            guard !concerned.isEmpty else { continue }
            // Together they are fast; one that does not verify would keep those after it out.
            let together = concerned.compactMap { run in run.previous.map { run.run(after: $0) } }
            if try await receive(together, in: space).refusal == nil,
                try concerned.allSatisfy({ try isHeld($0, space) })
            {
                continue
            }
            for run in concerned {
                guard let previous = try run.previous ?? mark(before: run, space) else { continue }
                let refusal = try await receive([run.run(after: previous)], in: space).refusal
                // Anything else may come right once more is held.
                if let refusal, run.space != nil, run.previous != nil, Self.final.contains(refusal.code) {
                    refused.insert(run)
                }
            }
        }
        return try sorted(runs, refused)
    }

    /// Those runs of which the change before is held, or comes before them here: the others cannot come in now.
    private func connected(_ runs: [SalvagedRun], _ space: SpaceID) throws -> [SalvagedRun] {
        var coming: Set<Dot> = []
        return try runs.filter { run in
            let isFirst = run.firstSequence == 1
            guard
                try isFirst || coming.contains(Dot(run.replica, run.firstSequence - 1))
                    || mark(before: run, space) != nil
            else { return false }
            coming.insert(Dot(run.replica, run.lastSequence))
            return true
        }
    }

    /// With these a run is refused whatever else is held.
    private static let final: Set<ErrorCode> = [.badSignature, .malformedChange, .limitExceeded]

    /// What is held now of these runs and what is not.
    private func sorted(_ runs: [SalvagedRun], _ refused: Set<SalvagedRun>) throws -> SalvageOutcome {
        var outcome = SalvageOutcome()
        let spaces = try spaces().map(\.id)
        for run in runs {
            let count = Int64(run.changes.count)
            if try spaces.contains(where: { try ($0 == run.space || run.space == nil) && isHeld(run, $0) }) {
                outcome.taken += count
                if run.isOwn { outcome.ownTaken += count }
            } else if refused.contains(run) {
                outcome.refused += count
            } else {
                outcome.waiting.append(run)
            }
        }
        return outcome
    }

    /// Whether the last change of a run is held as it stands there, or without values that were erased since: what is
    /// signed is the same.
    private func isHeld(_ run: SalvagedRun, _ space: SpaceID) throws -> Bool {
        guard let last = run.changes.last else { return true }
        let held = try writer.space(space)
        return try reading { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM log JOIN chain ON chain.id = log.chain
                        WHERE chain.space = ? AND chain.replica = ? AND log.sequence = ?
                            AND (log.bytes = ? OR log.signature = ?))
                    """,
                arguments: [
                    held.id, run.replica.data, run.lastSequence.stored, Data(last),
                    Data(run.signature.bytes),
                ]) ?? false
        }
    }

    /// The mark of the change before a run, if it is held; of several branches the first.
    private func mark(before run: SalvagedRun, _ space: SpaceID) throws -> Bytes16? {
        guard run.firstSequence > 1 else { return Change.chainRoot(space: space, replica: run.replica).mark }
        let held = try writer.space(space)
        return try reading { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT log.hash FROM log JOIN chain ON chain.id = log.chain
                    WHERE chain.space = ? AND chain.replica = ? AND log.sequence = ?
                    """, arguments: [held.id, run.replica.data, (run.firstSequence - 1).stored])
            return try row?.digest(0).mark
        }
    }

    /// Takes over what a damaged database knew of addresses, peers and pauses, table by table, as far as SQLite can read
    /// it: for dialling others, and nothing else depends on it.
    public func adoptLocalTables(of path: String) async throws {
        for table in ["peer", "address", "paused"] {
            // What cannot be read is learned again from others, or typed.
            guard let rows = try? Self.rows(of: table, in: path), let first = rows.first else { continue }
            let places = Array(repeating: "?", count: first.count).joined(separator: ", ")
            try await writer.runLocal { db in
                for row in rows where row.count == first.count {
                    try db.execute(
                        sql: "INSERT OR IGNORE INTO \(table) VALUES (\(places))",
                        arguments: StatementArguments(row))
                }
            }
        }
    }

    private static func rows(of table: String, in path: String) throws -> [[DatabaseValue]] {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { Array($0.databaseValues) }
        }
    }
}
