// How the statements that every change passes through are given their values: straight into SQLite, without a box for
// each value and an array around them. For everything else GRDB's arguments are good enough.

import ConcordCrypto
import ConcordModel
import GRDB
import GRDBSQLite

/// Gives values to a statement's parameters, in order.
struct StatementBinding {
    private let statement: OpaquePointer
    private var index: Int32 = 0
    /// The first failure to take a value, such as one that is too large; with it the statement must not run.
    fileprivate private(set) var failure: CInt?
    /// SQLite copies what it is given before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    private mutating func note(_ code: CInt) {
        if code != SQLITE_OK, failure == nil { failure = code }
    }

    mutating func integer(_ value: Int64) {
        index += 1
        note(sqlite3_bind_int64(statement, index, value))
    }

    mutating func integer(_ value: Int64?) {
        if let value { integer(value) } else { null() }
    }

    mutating func flag(_ value: Bool) { integer(value ? 1 : 0) }

    mutating func null() {
        index += 1
        note(sqlite3_bind_null(statement, index))
    }

    mutating func blob(_ bytes: [UInt8]) {
        index += 1
        let index = index
        let code = bytes.withUnsafeBytes { buffer in
            // A blob without bytes needs an address all the same, or it would be null.
            sqlite3_bind_blob(
                statement, index, buffer.baseAddress ?? UnsafeRawPointer(statement), Int32(buffer.count),
                Self.transient)
        }
        note(code)
    }

    mutating func blob(_ digest: Digest) {
        index += 1
        let index = index
        let code = digest.withUnsafeBytes {
            sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
        }
        note(code)
    }

    mutating func blob(_ value: Bytes16) {
        index += 1
        let index = index
        let code = withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) {
            sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
        }
        note(code)
    }

    mutating func text(_ text: String) {
        index += 1
        let index = index
        var text = text
        let code = text.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
            }
        }
        note(code)
    }

    /// Text of these UTF-8 bytes.
    mutating func text(_ utf8: [UInt8]) {
        index += 1
        let index = index
        let code = utf8.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
            }
        }
        note(code)
    }
}

/// The values of the row at which a statement stands.
struct StatementRow {
    private let statement: OpaquePointer

    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func flag(_ column: Int32) -> Bool { integer(column) != 0 }

    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : integer(column)
    }

    /// The bytes of a blob or text; none for null.
    func bytes(_ column: Int32) -> [UInt8] {
        guard let address = sqlite3_column_blob(statement, column) else { return [] }
        return Array(
            UnsafeRawBufferPointer(start: address, count: Int(sqlite3_column_bytes(statement, column))))
    }

    func digest(_ column: Int32) throws -> Digest {
        guard let digest = Digest(bytes: bytes(column)) else { throw damaged("a hash has the wrong length") }
        return digest
    }

    func record(_ column: Int32) throws -> RecordID {
        guard let record = RecordID(bytes: bytes(column)) else { throw damaged("a record id is malformed") }
        return record
    }
}

extension Statement {
    /// The first row of a query, read by `body`; nil if there is none. `bind` gives a value to each parameter.
    func first<Result>(
        _ bind: (inout StatementBinding) -> Void, _ body: (StatementRow) throws -> Result
    ) throws -> Result? {
        var binding = StatementBinding(sqliteStatement)
        bind(&binding)
        defer { sqlite3_reset(sqliteStatement) }
        if let code = binding.failure { throw failure(code) }
        switch sqlite3_step(sqliteStatement) {
        case SQLITE_ROW: return try body(StatementRow(sqliteStatement))
        case SQLITE_DONE: return nil
        case let code: throw failure(code)
        }
    }

    private func failure(_ code: CInt) -> DatabaseError {
        let message = sqlite3_db_handle(sqliteStatement).flatMap { sqlite3_errmsg($0) }.map {
            String(cString: $0)
        }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: sql)
    }

    /// Runs a statement that gives no rows; `bind` gives a value to each parameter.
    func run(_ bind: (inout StatementBinding) -> Void) throws {
        var binding = StatementBinding(sqliteStatement)
        bind(&binding)
        defer { sqlite3_reset(sqliteStatement) }
        if let code = binding.failure { throw failure(code) }
        let code = sqlite3_step(sqliteStatement)
        guard code == SQLITE_DONE else { throw failure(code) }
    }
}
