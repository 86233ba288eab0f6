// A database of the oldest version that can be read, kept as SQL in version-4.sql, becomes one of the present version:
// with the same changes and the same digest, whatever moment the migration is interrupted at.

import ConcordModel
import Foundation
import GRDB
import GRDBSQLite
import Testing

@testable import ConcordStore
@testable import TestSupport

@Suite("Migration") struct MigrationTests {
    /// What the database of version 4 showed before there was another version.
    private static let digest = "1fb87fbda16197133ea01fa5a1e77ef1cc3ecffdc0b3f097bc2ac1c867c0ca83"

    /// The database of version 4, in a new folder.
    private func oldest() throws -> (folder: Folder, path: String) {
        let folder = try Folder()
        let path = folder.path + "/replica.db"
        let file = URL(filePath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "version-4.sql")
        let sql = try String(contentsOf: file, encoding: .utf8)
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
        return (folder, path)
    }

    private func expectPresent(_ path: String) async throws {
        let store = try ReplicaStore(path: path)
        let space = try #require(try store.spaces().first)
        #expect(space.changes == 16)
        #expect(try await store.digest(space.id).description == Self.digest)
        let report = try await store.verify()
        #expect(report.problems == [])
        #expect(report.spaces.map(\.digest) == [Self.digest])
        #expect(try await store.search("founding").count == 1)
        #expect(try store.peers().map(\.addresses) == [["berlin.example.org:7443"]])
        let version = try await store.pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(version == Schema.version)
        try store.close()
    }

    @Test("the oldest database becomes one of the present version, with the same digest, and verifies")
    func oldestVersion() async throws {
        #expect(Schema.oldestVersion == 4, "another oldest version needs a file of its own")
        let (folder, path) = try oldest()
        try await expectPresent(path)
        try await expectPresent(path)
        withExtendedLifetime(folder) {}
    }

    @Test("a migration that breaks off anywhere is begun again by the next start")
    func interrupted() async throws {
        var breaks = 0
        for count in 0..<200 {
            let (folder, path) = try oldest()
            let disk = FaultyDisk(path: path)
            disk.fail(after: count, with: SQLITE_IOERR)
            var refusal: ErrorCode?
            do {
                try ReplicaStore(path: path).close()
            } catch let error as ConcordError {
                refusal = error.code
            }
            guard disk.hasFailed else { break }
            breaks += 1
            #expect(refusal == nil || refusal == .diskFailure)
            // As a crash at this moment leaves the files.
            let copy = folder.path + "/copy.db"
            for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            disk.heal()
            try await expectPresent(copy)
        }
        #expect(breaks > 5 && breaks < 200)
    }

    @Test("a backup of the oldest version is still verified and restored")
    func oldBackup() async throws {
        let (folder, path) = try oldest()
        let queue = try DatabaseQueue(path: path)
        try await queue.writeWithoutTransaction {
            try $0.execute(sql: "INSERT INTO meta VALUES ('backup_of', 5)")
        }
        try queue.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try await ReplicaStore.verifyBackup(path).problems == [])
        let restored = folder.path + "/restored.db"
        try await ReplicaStore.restore(from: path, to: restored)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        try await expectPresent(restored)
    }
}
