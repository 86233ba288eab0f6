// Sees what a daemon has made durable, in the file of its replica, as any SQLite program can: without asking the daemon,
// whose work a question would disturb. A reader of a write-ahead log sees exactly what is committed.

import ConcordModel
import Foundation
import GRDB

/// Reads the replica of a daemon that runs.
final class ReplicaWatch {
    private let queue: DatabaseQueue

    init(_ node: BenchNode) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        queue = try DatabaseQueue(path: node.replica, configuration: configuration)
    }

    /// How many changes were ever appended to the log.
    func changes() throws -> Int {
        try queue.read { db in
            let sql = "SELECT COALESCE(MAX(position), 0) FROM log"
            return try Int.fetchOne(db.cachedStatement(sql: sql)) ?? 0
        }
    }

    /// Bytes of the changes behind a place of the log, as they stand there: what must travel of them, at least.
    func changeBytes(after position: Int) throws -> Int {
        try queue.read { db in
            let sql = "SELECT COALESCE(SUM(LENGTH(bytes)), 0) FROM log WHERE position > ?"
            return try Int.fetchOne(db, sql: sql, arguments: [position]) ?? 0
        }
    }

    /// Bytes of the signatures that stand behind a place of the log.
    func signatureBytes(after position: Int) throws -> Int {
        try queue.read { db in
            let sql = "SELECT COALESCE(SUM(LENGTH(signature)), 0) FROM log WHERE position > ?"
            return try Int.fetchOne(db, sql: sql, arguments: [position]) ?? 0
        }
    }

    /// A field of a record as it is shown; nil as long as there is no such record or field.
    func value(of field: String, in record: RecordID) throws -> String? {
        try queue.read { db in
            let sql = "SELECT json ->> ? FROM record WHERE uid = ?"
            return try String.fetchOne(
                db.cachedStatement(sql: sql), arguments: [field, Data(record.bytes)])
        }
    }

    /// Looks again and again until the log has so many changes; returns how long that took, in milliseconds.
    @discardableResult
    func waitForChanges(_ count: Int, seconds: Double = 600, since start: ContinuousClock.Instant = .now)
        throws -> Double
    {
        try wait("\(count) changes", seconds, since: start) { try changes() >= count }
    }

    /// Looks again and again until the answer is yes, each time after `interval` microseconds; returns the milliseconds
    /// since `start`.
    @discardableResult
    func wait(
        _ what: String, _ seconds: Double = 60, since start: ContinuousClock.Instant = .now,
        interval: UInt32 = 100, until condition: () throws -> Bool
    ) throws -> Double {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                throw BenchError("not within \(seconds) s: \(what); the log has \(try changes()) changes")
            }
            usleep(interval)
        }
        return start.milliseconds
    }
}
