// The writer's memory of the whole replica. It lives on the writer's queue alone; ``WriterConfined`` hands it
// out only there.

import ConcordCrypto
import ConcordModel
import GRDB

/// Everything that the writer remembers between transactions.
final class StoreMemory {
    private var spaces: [SpaceID: SpaceMemory] = [:]
    private var lastPosition: Int64?
    private var lastRecord: Int64?
    private var lastSearched: Int64?
    /// The texts that the transaction made anew, because they were damaged.
    var repairs: [TextRepair] = []
    /// Whether something of erased values may be left in the search index or the write-ahead log.
    var hasRemains = false
    /// Commits since the database was opened.
    var commits = 0
    /// Whether the transaction touched records of attachments.
    var touchedAttachments = false

    /// A space, read from the tables when it is not in memory.
    ///
    /// - Throws: ``ConcordError`` E-4001 if it is not held.
    func space(_ id: SpaceID, _ db: Database) throws -> SpaceMemory {
        if let known = spaces[id] { return known }
        let loaded = try SpaceLoader(db: db).load(id)
        spaces[id] = loaded
        return loaded
    }

    /// The next place in the order of arrival.
    func takePosition(_ db: Database) throws -> Int64 {
        let last = try lastPosition ?? Int64.fetchOne(db, sql: "SELECT MAX(position) FROM log") ?? 0
        lastPosition = last + 1
        return last + 1
    }

    /// The next row in `record`.
    func takeRecord(_ db: Database) throws -> Int64 {
        let last = try lastRecord ?? Int64.fetchOne(db, sql: "SELECT MAX(id) FROM record") ?? 0
        lastRecord = last + 1
        return last + 1
    }

    static let searchedKey = "searched"

    /// The last row in `record` that the search index has ever reached: of those up to there `search_dirty` says which
    /// it must take in again.
    func searched(_ db: Database) throws -> Int64 {
        if let lastSearched { return lastSearched }
        let sql = "SELECT value FROM meta WHERE key = ?"
        let stored = try Int64.fetchOne(db, sql: sql, arguments: [Self.searchedKey]) ?? 0
        lastSearched = stored
        return stored
    }

    /// Has what was remembered of the search index read again.
    func forgetSearched() { lastSearched = nil }

    /// Forgets everything, after a transaction that was rolled back.
    func forget() {
        spaces = [:]
        lastPosition = nil
        lastRecord = nil
        lastSearched = nil
        hasRemains = false
        touchedAttachments = false
        repairs = []
    }
}

/// Keeps a value that only the writer's serial queue may touch.
///
/// GRDB runs all accesses of a pool's writer on one serial queue, and the value is handed out only together
/// with the writer's `Database`; so no two threads ever touch it at once, which the compiler cannot see.
final class WriterConfined<Value>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    /// The value, for whoever holds the writer's database.
    func value(on writer: Database) -> Value { value }
}
