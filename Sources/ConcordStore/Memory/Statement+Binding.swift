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
    /// SQLite copies what it is given before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    mutating func integer(_ value: Int64) {
        index += 1
        sqlite3_bind_int64(statement, index, value)
    }

    mutating func integer(_ value: Int64?) {
        if let value { integer(value) } else { null() }
    }

    mutating func flag(_ value: Bool) { integer(value ? 1 : 0) }

    mutating func null() {
        index += 1
        sqlite3_bind_null(statement, index)
    }

    mutating func blob(_ bytes: [UInt8]) {
        index += 1
        let index = index
        _ = bytes.withUnsafeBytes { buffer in
            // A blob without bytes needs an address all the same, or it would be null.
            sqlite3_bind_blob(
                statement, index, buffer.baseAddress ?? UnsafeRawPointer(statement), Int32(buffer.count),
                Self.transient)
        }
    }

    mutating func blob(_ digest: Digest) {
        index += 1
        let index = index
        _ = digest.withUnsafeBytes {
            sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
        }
    }

    mutating func blob(_ value: Bytes16) {
        index += 1
        let index = index
        _ = withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) {
            sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
        }
    }

    mutating func text(_ text: String) {
        index += 1
        let index = index
        var text = text
        _ = text.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
            }
        }
    }

    /// Text of these UTF-8 bytes.
    mutating func text(_ utf8: [UInt8]) {
        index += 1
        let index = index
        _ = utf8.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
            }
        }
    }
}

extension Statement {
    /// Runs a statement that gives no rows; `bind` gives a value to each parameter.
    func run(_ bind: (inout StatementBinding) -> Void) throws {
        var binding = StatementBinding(sqliteStatement)
        bind(&binding)
        let code = sqlite3_step(sqliteStatement)
        guard code == SQLITE_DONE else {
            let connection = sqlite3_db_handle(sqliteStatement)
            let message = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
            sqlite3_reset(sqliteStatement)
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: sql)
        }
        sqlite3_reset(sqliteStatement)
    }
}
