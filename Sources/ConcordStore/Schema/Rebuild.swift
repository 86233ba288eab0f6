// Makes the visible state anew from the log. That is due when the program knows a newer vocabulary than the
// one that the state was folded with: operations on kinds that were unknown then take effect now.

import ConcordCrypto
import ConcordModel
import GRDB

enum Rebuild {
    /// Changes that are folded before their records are written.
    private static let changesPerBatch = 2000

    /// Rebuilds the spaces that were folded with another vocabulary.
    static func refresh(_ db: Database) throws {
        let sql = "SELECT uid FROM space WHERE vocabulary <> ?"
        let level = Vocabulary.level.stored
        for row in try Row.fetchAll(db, sql: sql, arguments: [level]) {
            let memory = StoreMemory()
            let space = try memory.space(SpaceID(try row.digest(0)), db)
            try db.inTransaction(.immediate) {
                try rebuild(space, memory, db)
                try db.execute(
                    sql: "UPDATE space SET vocabulary = ? WHERE id = ?", arguments: [level, space.id])
                return .commit
            }
        }
    }

    /// Folds all effective changes of a space again; inside a transaction.
    static func rebuild(_ space: SpaceMemory, _ memory: StoreMemory, _ db: Database) throws {
        let records = "(SELECT id FROM record WHERE space = ?)"
        for table in ["touch", "search_dirty"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE record IN \(records)", arguments: [space.id])
        }
        for table in ["text", "text_chunk", "blob_record"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE record IN \(records)", arguments: [space.id])
        }
        try db.execute(sql: "DELETE FROM search WHERE rowid IN \(records)", arguments: [space.id])
        try db.execute(sql: "DELETE FROM record WHERE space = ?", arguments: [space.id])
        try db.execute(
            sql: "DELETE FROM refused WHERE chain IN (SELECT id FROM chain WHERE space = ?)",
            arguments: [space.id])
        space.terms = DigestSum()
        try db.execute(
            sql: "UPDATE space SET terms = ? WHERE id = ?", arguments: [space.terms.digest.data, space.id])
        var position: Int64 = 0
        while let last = try fold(after: position, space, memory, db) { position = last }
    }

    /// Folds one batch; gives back the place of its last change, nil if there was none.
    private static func fold(
        after position: Int64, _ space: SpaceMemory, _ memory: StoreMemory, _ db: Database
    ) throws -> Int64? {
        let batch = try Batch(db, memory, space)
        var last: Int64?
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(Arrival.columns), chain FROM log WHERE position > ? ORDER BY position LIMIT ?
                """, arguments: [position, changesPerBatch])
        for row in rows {
            last = row[0]
            guard let place = space.place(row: row[6]) else { continue }
            let chain = space.chains[place]
            guard chain.effective >= row.unsigned(1) else { continue }
            try batch.apply(try batch.arrival(row, chain))
        }
        try batch.flush()
        return last
    }
}
