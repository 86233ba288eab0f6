// The file on disk: reopened, left behind by a crash, of a newer version, damaged, read by other tools,
// backed up.

import ConcordAPI
import ConcordModel
import ConcordStore
import Foundation
import GRDB
import Testing

@testable import TestSupport

@Suite struct FileTests {
    private func filled() async throws -> (Site, Site) {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Founding \"meeting\"")
        _ = try await a.contact("Ana Núñez")
        try await a.write(
            .create(kind: "agenda_item", parent: .existing(meeting), fields: [.set("title", text("Opening"))])
        )
        try await a.write(.update(meeting, [.add("organizers", text("ESP")), .set("speakers", .integer(3))]))
        _ = try await b.contact("Bert")
        try await exchange(a, b)
        return (a, b)
    }

    @Test("a reopened replica goes on where it was")
    func reopening() async throws {
        let (a, b) = try await filled()
        let before = try await a.store.heldWithDigest(a.space)
        let head = try a.store.ownHead(a.space)
        try a.store.close()
        let again = Site(a, store: try ReplicaStore(path: a.path), folder: try Folder())
        let after = try await again.store.heldWithDigest(again.space)
        #expect(after.summary == before.summary)
        #expect(after.digest == before.digest)
        #expect(try again.store.ownHead(again.space) == head)
        _ = try await again.contact("Eva")
        #expect(try again.store.ownHead(again.space)?.replica == head?.replica)
        try await again.send(to: b)
        try await expectEqual([again, b])
    }

    @Test("whatever moment a crash leaves behind, the replica opens, verifies and converges")
    func crash() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let folder = try Folder()
        let writing = Task {
            for number in 0..<150 {
                try await a.write(.create(kind: "contact", fields: [.set("name", text("c\(number)"))]))
            }
        }
        // Copies of the database and of its log, taken while the writer is at work: the log never lacks
        // anything that the database has, as on a disk that keeps the order of synchronized writes.
        for copy in 0..<5 {
            let deadline = ContinuousClock.now + .seconds(60)
            while try a.store.held(a.space).position < Int64(copy * 25) {
                try #require(ContinuousClock.now < deadline, "the writer does not get on")
                await Task.yield()
            }
            try a.store.copyForTests(from: a.path, to: folder.path + "/\(copy).db")
        }
        try await writing.value
        try await a.send(to: b)
        for copy in 0..<5 {
            let store = try ReplicaStore(path: folder.path + "/\(copy).db")
            #expect(try await store.verify().problems == [])
            let old = Site(a, store: store, folder: folder)
            try await b.send(to: old)
            try await expectEqual([b, old])
        }
    }

    @Test("a database of a newer version is refused and left as it is")
    func newer() async throws {
        let (a, _) = try await filled()
        try a.store.close()
        try sqlite(a.path, "PRAGMA user_version = 4711; PRAGMA wal_checkpoint(TRUNCATE)")
        let before = try Data(contentsOf: URL(fileURLWithPath: a.path))
        #expect(await refusal { _ = try ReplicaStore(path: a.path) } == .newerDatabase)
        #expect(try Data(contentsOf: URL(fileURLWithPath: a.path)) == before)
    }

    @Test("what is no replica, or a damaged one, is refused")
    func damaged() async throws {
        let folder = try Folder()
        let junk = folder.path + "/junk.db"
        try Data(repeating: 7, count: 5_000).write(to: URL(fileURLWithPath: junk))
        #expect(await refusal { _ = try ReplicaStore(path: junk) } == .corruptDatabase)
        try Data("short".utf8).write(to: URL(fileURLWithPath: junk))
        #expect(await refusal { _ = try ReplicaStore(path: junk) } == .corruptDatabase)
        let other = folder.path + "/other.db"
        try sqlite(other, "CREATE TABLE t (a)")
        #expect(await refusal { _ = try ReplicaStore(path: other) } == .corruptDatabase)
        #expect(
            await refusal { _ = try ReplicaStore(path: folder.path + "/none/replica.db") } == .unwritableHome)
        let (a, _) = try await filled()
        try a.store.close()
        try sqlite(a.path, "PRAGMA wal_checkpoint(TRUNCATE)")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: a.path))
        for page in 1..<(bytes.count / 4096) {
            bytes.replaceSubrange(page * 4096..<page * 4096 + 2048, with: Data(repeating: 0xee, count: 2048))
        }
        try bytes.write(to: URL(fileURLWithPath: a.path))
        #expect(await refusal { _ = try ReplicaStore(path: a.path) } == .corruptDatabase)
    }

    @Test("any SQLite tool reads the views while the replica is open")
    func views() async throws {
        let (a, _) = try await filled()
        func rows(_ sql: String) throws -> [String] {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: a.path, configuration: configuration)
            return try queue.read { db in
                try Row.fetchAll(db, sql: sql).map { row in
                    row.databaseValues.map {
                        $0.isNull ? "" : "\(String.fromDatabaseValue($0) ?? $0.description)"
                    }
                    .joined(separator: "|")
                }
            }
        }
        #expect(try rows("SELECT name, owner FROM contact ORDER BY name") == ["Ana Núñez|ESP", "Bert|DEU"])
        #expect(
            try rows("SELECT title, organizers, speakers, conflicts, updated_at FROM meeting") == [
                "Founding \"meeting\"|[\"ESP\"]|3|0|1970-01-01T00:00:01.000Z"
            ])
        let meeting = try a.store.records(RecordQuery(kind: "meeting"))[0]
        #expect(try rows("SELECT id, space FROM meeting") == ["\(meeting.id)|\(a.space)"])
        #expect(try rows("SELECT title, meeting_id FROM agenda_item") == ["Opening|\(meeting.id)"])
        #expect(try rows("SELECT code, role FROM roster ORDER BY code") == ["DEU|member", "ESP|member"])
        for view in ["member", "participation", "document"] {
            #expect(try rows("SELECT * FROM \(view)") == [])
        }
        if FileManager.default.isExecutableFile(atPath: "/usr/bin/sqlite3") {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
            process.arguments = ["-readonly", a.path, "SELECT count(*) FROM contact"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(String(decoding: output, as: UTF8.self) == "2\n")
        }
    }

    @Test("a restored backup holds everything, takes a new replica id and converges")
    func backup() async throws {
        let (a, b) = try await filled()
        let folder = try Folder()
        let file = folder.path + "/backup.db"
        #expect(try await a.store.backup(to: file, now: 77) > 0)
        #expect(await refusal { _ = try await a.store.backup(to: file, now: 78) } == .fileExists)
        #expect(try await ReplicaStore.verifyBackup(file).problems == [])
        _ = try await a.contact("After the backup")
        try await a.send(to: b)
        let path = folder.path + "/restored.db"
        try await ReplicaStore.restore(from: file, to: path)
        #expect(await refusal { _ = try await ReplicaStore.restore(from: file, to: path) } == .fileExists)
        let restored = Site(a, store: try ReplicaStore(path: path), folder: folder)
        #expect(try restored.store.ownHead(a.space) == nil)
        _ = try await restored.contact("After the restore")
        #expect(try restored.store.ownHead(a.space)?.replica != a.store.ownHead(a.space)?.replica)
        try await exchange(b, restored)
        #expect(try restored.store.records(RecordQuery(kind: "contact")).count == 4)
        try await expectEqual([b, restored])
        #expect(await refusal { _ = try await ReplicaStore.verifyBackup(a.path) } == .notABackup)
        try Data("junk".utf8).write(to: URL(fileURLWithPath: folder.path + "/junk"))
        #expect(
            await refusal { _ = try await ReplicaStore.verifyBackup(folder.path + "/junk") } == .notABackup)
    }

    @Test("a state that was folded with another vocabulary is folded again from the log")
    func rebuild() async throws {
        let (a, b) = try await filled()
        try a.store.close()
        try sqlite(a.path, "UPDATE space SET vocabulary = 0; DELETE FROM record; DELETE FROM touch")
        let again = Site(a, store: try ReplicaStore(path: a.path), folder: try Folder())
        try await expectEqual([again, b])
        #expect(try await again.store.search("nunez").count == 1)
    }

    @Test("a replica that is opened for reading can be read and not written")
    func readOnly() async throws {
        let (a, _) = try await filled()
        let digest = try await a.store.digest(a.space)
        try await a.write(
            .update(RecordID(text: try a.store.records(RecordQuery())[0].id)!, [.set("city", text("Bonn"))]))
        try a.store.close()
        let store = try ReplicaStore(path: a.path, options: ReplicaStore.Options(readOnly: true))
        let now = try await store.digest(a.space)
        #expect(now != digest)
        #expect(try await store.digest(a.space) == now)
        #expect(try await store.search("nunez").count <= 1)
        #expect(try await store.verify().spaces.map(\.digest) == [now.description])
        #expect(try store.records(RecordQuery()).count == 4)
        let reader = Site(a, store: store, folder: try Folder())
        #expect(
            await reader.refusal(.create(kind: "contact", fields: [.set("name", text("x"))]))
                == .unwritableHome)
    }

    @Test("verification finds what was altered behind the program's back, and says where")
    func tampering() async throws {
        let statements = [
            "UPDATE record SET title = 'x' WHERE kind = 'meeting'",
            "UPDATE record SET json = '{}' WHERE kind = 'contact'",
            "UPDATE record SET shown = 0 WHERE kind = 'agenda_item'",
            "UPDATE record SET term = zeroblob(32) WHERE kind = 'meeting'",
            "UPDATE log SET bytes = substr(bytes, 1, length(bytes) - 1) || x'00' WHERE position = 3",
            "UPDATE log SET signature = (SELECT signature FROM log WHERE position = 2) WHERE position = 3",
            "UPDATE log SET role = NULL WHERE position = 3",
            "DELETE FROM log WHERE position = 4",
            "UPDATE chain SET effective = effective - 1",
            "DELETE FROM record WHERE kind = 'agenda_item'",
        ]
        for statement in statements {
            let (a, _) = try await filled()
            try sqlite(a.path, statement)
            let report = try await a.store.verify()
            #expect(!report.isClean, "\(statement)")
        }
    }

    @Test("verification compares the times by which the displayed value is chosen")
    func times() async throws {
        let a = try await World("ESP").site(0)
        let written = try await a.write(
            .create(kind: "contact", fields: [.set("name", text("Ana"))]), at: 1_000)
        let past = CausalPast(of: written.dot, others: VersionVector())
        for timestamp: Int64 in [1_000, 900] {
            var state = RecordState(
                id: written.created[0], kind: "contact", parent: nil, dot: written.dot, timestamp: 1_000)
            state.apply(
                .set(field: "name", value: text("Ana"), replacing: []), past: past, timestamp: timestamp)
            let kind = try #require(Vocabulary.kind("contact"))
            let stored = state.stored(beside: RecordDisplay(state, kind: kind))
            try sqlite(a.path, "UPDATE record SET state = x'\(hexadecimal(stored))'")
            #expect(try await a.store.verify().isClean == (timestamp == 1_000))
        }
    }
}

/// Runs SQL with a connection of its own.
private func sqlite(_ path: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
}

/// The code of the error that `body` throws; nil if it throws none.
private func refusal(_ body: () async throws -> Void) async -> ErrorCode? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ConcordError)?.code
    }
}
