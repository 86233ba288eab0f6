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
    /// - Throws: ``ConcordError`` E-5003 with the first finding.
    public func checkPages(withIndexes: Bool = false) async throws {
        let pragma = withIndexes ? "integrity_check(1)" : "quick_check(1)"
        let result: Result<String?, any Error> = await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                continuation.resume(
                    returning: Result { try String.fetchOne(try access.get(), sql: "PRAGMA \(pragma)") })
            }
        }
        do {
            let found = try result.get()
            guard found == "ok" else { throw damaged("SQLite says: \(found ?? "nothing")") }
        } catch {
            let error = ConcordError(store: error)
            if error.code == .corruptDatabase { writer.gate.note(error) }
            throw error
        }
    }

    /// Stops all writing because the database is known to be damaged.
    public func markDamaged(_ error: ConcordError) {
        precondition(error.code == .corruptDatabase, "Only damage is marked as such.")
        writer.gate.note(error)
    }

    static func isLeftOpen(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
        return ((attributes?[.size] as? NSNumber)?.int64Value ?? 0) > 0
    }
}
