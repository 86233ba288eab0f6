// What rows are compared with: the same ones in one plain table of SQLite with one index, through its C interface, with
// the same durability, page cache and check-point interval as a replica.

import ConcordModel
import Foundation
import GRDBSQLite

/// A database with one table of contacts.
final class PlainDatabase {
    private let connection: OpaquePointer
    private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Rows of one transaction.
    static let rowsPerTransaction = 1000

    private init(opening path: String) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else {
            throw BenchError("SQLite cannot open \(path)")
        }
        connection = opened
    }

    /// A new database at `path`.
    convenience init(path: String) throws {
        try self.init(opening: path)
        let columns = BenchContacts.fields.map { "\($0) TEXT" }.joined(separator: ", ")
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -32768",
            "PRAGMA wal_autocheckpoint = 16000",
            "CREATE TABLE contact (id BLOB PRIMARY KEY, \(columns)) WITHOUT ROWID",
            "CREATE INDEX contact_name ON contact (name)",
        ] { try execute(sql) }
    }

    deinit { sqlite3_close(connection) }

    /// Inserts contacts under ids that are ordered by time.
    func insert(_ ids: ArraySlice<[UInt8]>, _ contacts: [[String]]) throws {
        let places = Array(repeating: "?", count: BenchContacts.fields.count + 1).joined(separator: ", ")
        try run("INSERT INTO contact VALUES (\(places))", contacts.count) { statement, number in
            bind(statement, 1, ids[ids.startIndex + number])
            for (column, value) in contacts[number].enumerated() {
                sqlite3_bind_text(statement, Int32(column + 2), value, -1, transient)
            }
        }
    }

    /// Sets one field of contacts, one after another.
    func update(_ ids: [[UInt8]], _ field: String, to value: (Int) -> String) throws {
        try run("UPDATE contact SET \(field) = ? WHERE id = ?", ids.count) { statement, number in
            sqlite3_bind_text(statement, 1, value(number), -1, transient)
            bind(statement, 2, ids[number])
        }
    }

    /// The bytes of the pages of a database, whether they are in the file yet or in its write-ahead log.
    static func bytes(of path: String) throws -> Int {
        let database = try PlainDatabase(opening: path)
        return try database.number("PRAGMA page_count") * database.number("PRAGMA page_size")
    }

    private func number(_ sql: String) throws -> Int {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(connection, sql, -1, &prepared, nil) == SQLITE_OK else { throw failure() }
        defer { sqlite3_finalize(prepared) }
        guard sqlite3_step(prepared) == SQLITE_ROW else { throw failure() }
        return Int(sqlite3_column_int64(prepared, 0))
    }

    private func run(
        _ sql: String, _ count: Int, _ bindAll: (OpaquePointer, Int) -> Void
    ) throws {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(connection, sql, -1, &prepared, nil) == SQLITE_OK, let prepared else {
            throw failure()
        }
        defer { sqlite3_finalize(prepared) }
        for start in stride(from: 0, to: count, by: Self.rowsPerTransaction) {
            try execute("BEGIN IMMEDIATE")
            for number in start..<min(start + Self.rowsPerTransaction, count) {
                bindAll(prepared, number)
                guard sqlite3_step(prepared) == SQLITE_DONE else { throw failure() }
                sqlite3_reset(prepared)
            }
            try execute("COMMIT")
        }
    }

    private func bind(_ statement: OpaquePointer, _ column: Int32, _ bytes: [UInt8]) {
        sqlite3_bind_blob(statement, column, bytes, Int32(bytes.count), transient)
    }

    private func execute(_ sql: String) throws {
        guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    private func failure() -> BenchError {
        BenchError("SQLite: \(String(cString: sqlite3_errmsg(connection)))")
    }
}
