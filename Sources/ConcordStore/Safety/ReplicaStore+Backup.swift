// Backups: a consistent copy of the database, made while everything runs. A copy must never go on writing
// under the replica ids of the original, or two histories would bear the same names; so in a backup no chain
// is its own, and the first write after a restore begins a new one. A backup holds no keys.

import ConcordModel
import Foundation
import GRDB
import Glibc

extension ReplicaStore {
    /// The mark of a backup in `meta`, with the time at which it was made.
    private static let backupKey = "backup_of"

    /// Copies the database to a new file.
    ///
    /// - Parameter now: milliseconds since 1970, written into the copy.
    /// - Returns: the bytes of the copy.
    /// - Throws: ``ConcordError`` E-1014 if the file exists.
    public func backup(to path: String, now: Int64) async throws -> Int64 {
        try Self.requireNew(path)
        let pool = pool
        return try await Self.inBackground {
            let part = try Self.createFile(beside: path)
            do {
                let copy = try DatabaseQueue(path: part)
                try pool.backup(to: copy)
                try copy.writeWithoutTransaction { db in
                    try db.execute(sql: "PRAGMA journal_mode = DELETE")
                    try db.execute(sql: "PRAGMA synchronous = FULL")
                    try db.inTransaction {
                        try db.execute(sql: "UPDATE chain SET own = 0")
                        try db.execute(
                            sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                            arguments: [Self.backupKey, now])
                        return .commit
                    }
                }
                try copy.close()
                try FileManager.default.moveItem(atPath: part, toPath: path)
                return try Self.size(path)
            } catch {
                Self.remove(part)
                throw error
            }
        }
    }

    /// Checks that a file is a backup whose pages, log and visible state are sound.
    ///
    /// - Throws: ``ConcordError`` E-5007 if it is no backup, E-5002 if it is one of a newer version.
    public static func verifyBackup(_ path: String) async throws -> VerifyReport {
        if try await inBackground({ try checkIntegrity(path) }) == Schema.version {
            // Read where it is: a copy of it might not find room.
            let store = try ReplicaStore(path: path, options: Options(readOnly: true))
            defer { try? store.close() }
            return try await store.verify()
        }
        // One of an earlier version is brought up to date, in a copy.
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let copy = folder + "/replica.db"
        try await restore(from: path, to: copy)
        let store = try ReplicaStore(path: copy)
        defer { try? store.close() }
        return try await store.verify()
    }

    /// Makes a database from a backup. It holds everything that the backup holds, and takes a new replica id
    /// at its next write.
    ///
    /// - Throws: ``ConcordError`` E-1014 if the new file exists, E-5007 if the other is no backup.
    public static func restore(from backup: String, to path: String) async throws {
        try requireNew(path)
        try await inBackground {
            try checkIntegrity(backup)
            let part = try createFile(beside: path)
            do {
                let source = try open(backup)
                let copy = try DatabaseQueue(path: part)
                try source.backup(to: copy)
                try copy.writeWithoutTransaction { db in
                    try db.execute(sql: "PRAGMA synchronous = FULL")
                    try db.inTransaction {
                        try db.execute(sql: "DELETE FROM meta WHERE key = ?", arguments: [backupKey])
                        try db.execute(sql: "UPDATE chain SET own = 0")
                        return .commit
                    }
                }
                try copy.close()
                try source.close()
                try FileManager.default.moveItem(atPath: part, toPath: path)
            } catch {
                remove(part)
                throw error
            }
        }
    }

    /// Throws unless the file is a backup with sound pages; gives back the version of its schema.
    @discardableResult
    private static func checkIntegrity(_ path: String) throws -> Int {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw ConcordError(.unreadableFile, "\(path) cannot be read")
        }
        do {
            // Before SQLite touches it: a file of a newer version must stay as it is.
            try DatabaseFile(path: path).checkHeader()
            let queue = try open(path)
            defer { try? queue.close() }
            return try queue.read { db in
                let version = try Schema.checkReadable(db)
                let found = try Int64.fetchOne(
                    db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [backupKey])
                guard found != nil else {
                    throw ConcordError(
                        .notABackup, "\(path) is a replica, but not one that `backup create` made")
                }
                let result = try String.fetchOne(db, sql: "PRAGMA integrity_check")
                guard result == "ok" else { throw damaged("integrity_check says: \(result ?? "nothing")") }
                return version
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw ConcordError(.notABackup, "\(path) is no SQLite database")
        } catch let error as ConcordError where error.code == .corruptDatabase && !isReplica(path) {
            throw ConcordError(.notABackup, "\(path) is no backup: \(error.message)")
        }
    }

    /// Whether the header says that the file is a replica.
    private static func isReplica(_ path: String) -> Bool {
        (try? DatabaseFile(path: path).checkHeader()) != nil
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func requireNew(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ConcordError(.fileExists, "\(path) exists already")
        }
    }

    /// A new file under a name that nothing else has. A backup holds everything: it is for its owner alone.
    private static func createFile(beside path: String) throws -> String {
        let part = path + ".part-" + hexadecimal(try Options().randomBytes(8))
        let descriptor = Glibc.open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ConcordError(.unreadableFile, "\(path) cannot be written") }
        Glibc.close(descriptor)
        return part
    }

    /// Removes what was made, and what SQLite made beside it.
    private static func remove(_ part: String) {
        for suffix in ["", "-journal", "-wal", "-shm"] { Glibc.unlink(part + suffix) }
    }

    private static func size(_ path: String) throws -> Int64 {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64
        return size ?? 0
    }

    private static func temporaryFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "concord-verify-" + hexadecimal(try Options().randomBytes(8)))
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: attributes)
        return folder.path
    }

    /// Runs blocking work on a thread of its own.
    private static func inBackground<Answer: Sendable>(
        _ body: @escaping @Sendable () throws -> Answer
    ) async throws -> Answer {
        let result: Result<Answer, any Error> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Result(catching: body)) }
        }
        return try mappingErrors { try result.get() }
    }
}
