// Which files the records name, and which files no record names any more. The record is what is replicated; whether its
// file is here is this node's own affair.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

/// A file that a record names.
public struct BlobReference: Hashable, Sendable {
    /// The record's space.
    public let space: SpaceID
    /// The record.
    public let record: RecordID
    /// The file.
    public let blob: BlobID
    /// Its bytes, as the record says.
    public let size: Int64
    /// Whether the record is shown; else it is deleted.
    public let isShown: Bool

    /// A reference of these parts.
    public init(space: SpaceID, record: RecordID, blob: BlobID, size: Int64, isShown: Bool) {
        self.space = space
        self.record = record
        self.blob = blob
        self.size = size
        self.isShown = isShown
    }
}

/// Why a file that is held is of no use.
public enum BlobDisuse: Hashable, Sendable {
    /// No record that is shown names it, since then, in milliseconds since 1970.
    case unused(since: Int64)
    /// Every record that named it was erased.
    case erased
}

extension ReplicaStore {
    /// Sets who is told when records of attachments may have changed, after the commit that changed them.
    ///
    /// It is called on the writer's queue and must not block.
    public func observeAttachments(_ observer: @escaping @Sendable () -> Void) {
        writer.observeAttachments(observer)
    }

    /// The files that records name, deleted records included. O(attachments).
    public func blobReferences() throws -> [BlobReference] {
        try read { reader in
            let sql = """
                SELECT space.uid, record.uid, blob_record.blob, blob_record.size, record.shown
                FROM blob_record JOIN record ON record.id = blob_record.record
                JOIN space ON space.id = record.space ORDER BY record.id
                """
            return try Row.fetchAll(reader.db, sql: sql).map { row in
                BlobReference(
                    space: SpaceID(try row.digest(0)), record: try row.record(1),
                    blob: BlobID(try row.digest(2)), size: row[3], isShown: row[4])
            }
        }
    }

    /// Whether a record of this space names the file, so that whoever may read the space may have it.
    public func isReferenced(_ blob: BlobID, in space: SpaceID) throws -> Bool {
        let held = try writer.space(space)
        return try read { reader in
            try Bool.fetchOne(
                reader.db,
                sql: "SELECT EXISTS (SELECT 1 FROM blob_record WHERE blob = ? AND space = ?)",
                arguments: [blob.digest.data, held.id]) ?? false
        }
    }

    /// Remembers which records name which files, for the time when they do so no more.
    public func remember(_ references: [BlobReference]) async throws {
        guard !references.isEmpty else { return }
        try await writer.runLocal { db in
            let insert = try db.cachedStatement(sql: "INSERT OR IGNORE INTO blob_reference VALUES (?, ?, ?)")
            for reference in references {
                try insert.execute(arguments: [
                    reference.blob.digest.data, reference.space.digest.data, reference.record.data,
                ])
            }
        }
    }

    /// Which of these files are of no use, and notes when that was first seen; the note is forgotten of all others.
    ///
    /// - Parameter now: milliseconds since 1970.
    public func disused(_ blobs: [BlobID], now: Int64) async throws -> [BlobID: BlobDisuse] {
        let noted = try read { reader in
            try Row.fetchAll(reader.db, sql: "SELECT blob FROM blob_unused").map { BlobID(try $0.digest(0)) }
        }
        let used = Set(noted).subtracting(blobs)
        guard !blobs.isEmpty || !used.isEmpty else { return [:] }
        return try await writer.runLocal { db in
            for blob in used {
                try db.execute(
                    sql: "DELETE FROM blob_unused WHERE blob = ?", arguments: [blob.digest.data])
            }
            var result: [BlobID: BlobDisuse] = [:]
            for blob in blobs {
                let key = blob.digest.data
                guard try !Self.isShown(blob, db) else {
                    try db.execute(sql: "DELETE FROM blob_unused WHERE blob = ?", arguments: [key])
                    continue
                }
                guard try !Self.isErased(blob, db) else {
                    result[blob] = .erased
                    continue
                }
                try db.execute(sql: "INSERT OR IGNORE INTO blob_unused VALUES (?, ?)", arguments: [key, now])
                let since = try Int64.fetchOne(
                    db, sql: "SELECT since FROM blob_unused WHERE blob = ?", arguments: [key])
                result[blob] = .unused(since: since ?? now)
            }
            return result
        }
    }

    /// Forgets what was remembered of a file that was removed.
    public func forget(_ blob: BlobID) async throws {
        try await writer.runLocal { db in
            for table in ["blob_reference", "blob_unused"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE blob = ?", arguments: [blob.digest.data])
            }
        }
    }

    private static func isShown(_ blob: BlobID, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM blob_record JOIN record ON record.id = blob_record.record
                    WHERE blob_record.blob = ? AND record.shown)
                """, arguments: [blob.digest.data]) ?? false
    }

    /// Whether every record that ever named the file is here with the name erased. One that is not here may be hidden
    /// and come back.
    private static func isErased(_ blob: BlobID, _ db: Database) throws -> Bool {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT record.state, record.json, record.uid FROM blob_reference
                LEFT JOIN space ON space.uid = blob_reference.space
                LEFT JOIN record ON record.uid = blob_reference.record AND record.space = space.id
                WHERE blob_reference.blob = ?
                """, arguments: [blob.digest.data])
        return try !rows.isEmpty
            && rows.allSatisfy { row in
                guard row.optionalBytes(0) != nil else { return false }
                let state = try row.recordState(0, json: 1, id: try row.record(2))
                let values = state.register("blob")?.values ?? []
                return !values.isEmpty && values.allSatisfy { $0.value == .erased }
            }
    }
}
