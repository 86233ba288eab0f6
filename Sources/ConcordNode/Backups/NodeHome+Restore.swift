// A backup becomes the replica of a home that has none.

import ConcordAPI
import ConcordModel
import ConcordStore
import Glibc

extension NodeHome {
    /// Restores a backup.
    ///
    /// What is left of a replica that was here before, its write-ahead log, is moved to ``damaged``: SQLite would mix it with
    /// the restored database, and it may hold what stands nowhere else.
    ///
    /// - Parameter now: Milliseconds since 1970, for the name of that folder.
    /// - Returns: that folder, if there was something.
    /// - Throws: ``ConcordError`` E-6004 if a daemon runs on the home, E-1014 if the home holds a replica, E-5007 if the file
    ///   is no backup, E-5005 if the home cannot be written.
    public func restore(_ backup: String, now: Int64) async throws -> String? {
        let lock = try lock()
        defer { lock.release() }
        guard !FileSystem.exists(database) else {
            throw ConcordError(
                .fileExists, "\(path) holds a replica already, which is not overwritten",
                action: "choose another --home")
        }
        let aside = try setLeftoversAside(now)
        try await ReplicaStore.restore(from: backup, to: database)
        chmod(database, 0o640)
        try FileSystem.give(
            [database, damaged].filter(FileSystem.exists), toOwnerOf: path, failure: .unwritableHome)
        try FileSystem.synchronize(folder: path, failure: .unwritableHome)
        return aside
    }

    private func setLeftoversAside(_ now: Int64) throws -> String? {
        var folder: String?
        for suffix in ["-wal", "-journal", "-shm"] where FileSystem.exists(database + suffix) {
            let target = "\(damaged)/\(Timestamp.text(milliseconds: now).filter { $0 != ":" })"
            try FileSystem.makeFolder(target, mode: 0o700, failure: .unwritableHome)
            guard rename(database + suffix, "\(target)/replica.db\(suffix)") == 0 else {
                throw FileSystem.refusal(.unwritableHome, "\(database)\(suffix) cannot be moved to \(target)")
            }
            folder = target
        }
        return folder
    }
}
