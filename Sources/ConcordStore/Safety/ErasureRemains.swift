// What is erased in a transaction is gone for queries at once, and its pages are overwritten (`secure_delete`). It still
// stands in two other places: in segments of the search index, until they are merged, and in the write-ahead log, until
// that is written back and truncated, which takes a moment without readers. So a mark stays in the database until both
// were done, and whoever opens it goes on with it.

import ConcordModel
import GRDB

enum ErasureRemains {
    /// The mark in `meta`.
    static let key = "erasure_remains"
    /// Milliseconds that readers are waited for: the writer stands still meanwhile.
    private static let patience = 50

    /// Whether something may be left of erased values.
    static func exist(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?)", arguments: [key])
            ?? false
    }

    /// Does away with what is left, on the writer's queue and outside a transaction.
    ///
    /// - Returns: false if readers were in the way: it is to be tried again when they are gone.
    static func sweep(_ db: Database) throws -> Bool {
        guard try exist(db) else { return true }
        try db.execute(sql: "INSERT INTO search (search) VALUES ('optimize')")
        guard try truncateLog(db) else { return false }
        try db.execute(sql: "DELETE FROM meta WHERE key = ?", arguments: [key])
        return true
    }

    /// Writes the write-ahead log back and makes it empty; false if somebody still reads from it.
    static func truncateLog(_ db: Database) throws -> Bool {
        let before = try Int.fetchOne(db, sql: "PRAGMA busy_timeout") ?? 0
        try db.execute(sql: "PRAGMA busy_timeout = \(patience)")
        defer { try? db.execute(sql: "PRAGMA busy_timeout = \(before)") }
        let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        return row?[0] == 0
    }
}

extension ReplicaStore {
    /// Does away with what erased values left in the search index and in the write-ahead log.
    ///
    /// It is tried by itself right after each erasure. Where readers are in the way it must be called again.
    ///
    /// - Returns: whether nothing is left.
    @discardableResult
    public func sweepErased() async throws -> Bool {
        guard !writer.isReadOnly else { return false }
        return try await writer.run { [gate = writer.gate] db, _ in
            try gate.write(.reserve) { try ErasureRemains.sweep(db) }
        }
    }
}
