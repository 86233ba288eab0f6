// Derives everything anew that follows from the log: what each change knew, epochs, roles, valid acts, the effective
// set, and the visible state. Due when the names of chains have changed.

import ConcordCrypto
import ConcordModel
import GRDB

/// Goes through the log of one space from the beginning; inside a transaction.
struct Replay {
    private static let rowsAtOnce = 2000

    let db: Database
    let memory: StoreMemory
    let space: SpaceMemory

    /// Derives everything anew.
    func run() throws {
        let chains = "(SELECT id FROM chain WHERE space = ?)"
        for table in ["knowledge", "endorsement"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE chain IN \(chains)", arguments: [space.id])
        }
        try db.execute(sql: "DELETE FROM epoch WHERE space = ?", arguments: [space.id])
        space.forgetDerived()
        let batch = try Batch(db, memory, space)
        var position: Int64 = 0
        while let last = try judge(after: position, batch) { position = last }
        let (effective, roster, cutOffs) = try batch.leastFixedPoint()
        space.cutOffs = cutOffs
        space.roster = roster
        try StandingTable.write(roster, space: space, db)
        for place in space.order {
            space.update(place) { $0.effective = effective[$0.name] }
            batch.touchedChains.insert(place)
        }
        try batch.flush()
        try Rebuild.rebuild(space, memory, db)
    }

    /// Judges the next changes; gives back the place of the last one, nil if there was none.
    private func judge(after position: Int64, _ batch: Batch) throws -> Int64? {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql:
                    "SELECT position, chain, hash, bytes FROM log WHERE position > ? ORDER BY position LIMIT ?"
            ),
            arguments: [position, Self.rowsAtOnce])
        for row in rows {
            guard let place = space.place(row: row[1]) else { continue }
            let change = try Change(encoded: row.bytes(3))
            let dependencies = try change.dependencies.map { try batch.name(of: $0) }
            let (judged, acts) = try batch.judge(change, dependencies, place: place)
            try db.cachedStatement(sql: "UPDATE log SET role = ?, epoch = ?, acts = ? WHERE position = ?")
                .execute(arguments: [
                    judged.role.map { Int64($0.rawValue) }, judged.epoch, judged.acts.rawValue,
                    row[0] as Int64,
                ])
            if !acts.isEmpty { try batch.store(acts, of: judged.past.dot, chain: space.chains[place]) }
            _ = try batch.advance(place, to: try row.digest(2), judged, acts)
        }
        return rows.last.map { $0[0] }
    }
}

extension Batch {
    /// The name of a change on which another depends.
    func name(of dependency: Dependency) throws -> Dot {
        for segment in space.segments(dependency.dot.replica) where segment.holds(dependency.dot.sequence) {
            let name = Dot(segment.name, dependency.dot.sequence)
            if try hash(of: name).mark == dependency.mark { return name }
        }
        throw damaged("change \(dependency.dot), on which another depends, is missing from the log")
    }
}
