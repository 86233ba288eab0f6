// What plain SQLite does with the same rows, as durable as the replica: the same file system, write-ahead log, cache and
// interval of check-points, one table with one index, time-ordered ids.

import Foundation
import GRDB

/// A plain database in the folder of a measurement.
final class PlainSQLite {
    private let queue: DatabaseQueue
    private var next: Int64 = 0

    init(folder: String) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA cache_size = -32768")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 16000")
        }
        queue = try DatabaseQueue(
            path: "\(folder)/plain-\(UUID().uuidString).db", configuration: configuration)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE contact (
                        id BLOB PRIMARY KEY, name TEXT, organization TEXT, position TEXT, role TEXT, email TEXT,
                        phone TEXT, notes TEXT) WITHOUT ROWID;
                    CREATE INDEX contact_name ON contact (name);
                    """)
        }
    }

    private static let fields = ["name", "organization", "position", "role", "email", "phone", "notes"]

    /// Inserts contacts, 1,000 in a transaction; returns the milliseconds until all are durable.
    func insert(_ contacts: [[String: String]]) throws -> Double {
        try Stopwatch.measure {
            for start in stride(from: 0, to: contacts.count, by: 1000) {
                try queue.write { db in
                    for contact in contacts[start..<min(start + 1000, contacts.count)] {
                        try insert(contact, db)
                    }
                }
            }
        }.milliseconds
    }

    /// Inserts one contact, durably.
    func commit(_ contact: [String: String]) throws -> Double {
        try Stopwatch.measure { try queue.write { try insert(contact, $0) } }.milliseconds
    }

    /// Changes one field of each of the first rows, 1,000 in a transaction; returns the milliseconds.
    func update(_ count: Int) throws -> Double {
        try Stopwatch.measure {
            for start in stride(from: 0, to: count, by: 1000) {
                try queue.write { db in
                    let statement = try db.cachedStatement(
                        sql: "UPDATE contact SET position = ? WHERE id = ?")
                    for number in start..<min(start + 1000, count) {
                        try statement.execute(arguments: ["Changed \(number)", Self.id(Int64(number + 1))])
                    }
                }
            }
        }.milliseconds
    }

    private func insert(_ contact: [String: String], _ db: Database) throws {
        next += 1
        let statement = try db.cachedStatement(sql: "INSERT INTO contact VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        let values = [Self.id(next).databaseValue] + Self.fields.map { (contact[$0] ?? "").databaseValue }
        try statement.execute(arguments: StatementArguments(values))
    }

    /// Sixteen bytes that grow with the number, as those of time-ordered ids do.
    private static func id(_ number: Int64) -> Data {
        var id = Data(count: 8)
        withUnsafeBytes(of: number.bigEndian) { id.append(contentsOf: $0) }
        return id
    }
}
