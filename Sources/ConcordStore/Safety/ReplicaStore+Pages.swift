// Whether the pages of the database are sound, as far as SQLite can tell.

import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// Whether the process that had the database open before this one ended without closing it: then the write-ahead log
    /// was still there. An SQLite program that reads along at that moment has the same effect.
    public var wasLeftOpen: Bool { leftOpen }

    /// Has SQLite check its pages, on a reader, while everything else goes on. What is found stops all writing.
    ///
    /// - Parameter withIndexes: whether indexes are compared with their tables, too, which takes about twice as long.
    /// - Throws: ``ConcordError`` E-5003 with the first finding, E-5010 if the disk cannot read one of them.
    public func checkPages(withIndexes: Bool = false) async throws {
        let pragma = withIndexes ? "integrity_check(1)" : "quick_check(1)"
        let result: Result<String?, any Error> = await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                continuation.resume(
                    returning: Result { try String.fetchOne(try access.get(), sql: "PRAGMA \(pragma)") })
            }
        }
        do {
            let found = try result.get() ?? "nothing"
            guard found == "ok" else { throw Self.finding(found) }
        } catch {
            let error = ConcordError(store: error)
            if error.code == .corruptDatabase { writer.gate.note(error) }
            throw error
        }
    }

    /// Has all pages checked of a database that was found damaged; should they be sound, writes are taken again.
    public func recheckPages() async throws {
        try await checkPages(withIndexes: true)
        writer.gate.foundSound()
    }

    /// What a line of an integrity check means: where the disk does not read a page, SQLite names its own code for that.
    private static func finding(_ line: String) -> ConcordError {
        let code = line.range(of: "error code=").flatMap {
            Int32(line[$0.upperBound...].prefix(while: \.isNumber))
        }
        if let code, code & 0xff == ResultCode.SQLITE_IOERR.rawValue {
            return ConcordError(.diskFailure, "the disk reports an error: \(line)")
        }
        return damaged("SQLite says: \(line)")
    }

    /// Stops all writing because the database is known to be damaged.
    public func markDamaged(_ error: ConcordError) {
        precondition(error.code == .corruptDatabase, "Only damage is marked as such.")
        writer.gate.note(error)
    }

    static func isLeftOpen(_ path: String) -> Bool { logBytes(path) > 0 }

    /// Bytes of the write-ahead log.
    static func logBytes(_ path: String) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }
}
