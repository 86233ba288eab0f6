// A replica on a disk that fails: what was refused leaves nothing behind, in the file or in memory, and what comes after
// it is as if nothing had happened.

import ConcordModel
import Foundation
import GRDB
import GRDBSQLite
import Synchronization
import Testing

@testable import ConcordStore
@testable import TestSupport

@Suite("Faults of the disk") struct StorageFaultTests {
    // A full disk, and what SQLite calls SQLITE_IOERR_WRITE and SQLITE_IOERR_FSYNC.
    @Test(
        "whichever write or flush fails, the next success finds memory and file in one",
        arguments: [SQLITE_FULL, SQLITE_IOERR | 3 << 8, SQLITE_IOERR | 4 << 8])
    func everyOperation(code: Int32) async throws {
        let world = try World("ESP", "DEU")
        let path = try Folder()
        let disk = FaultyDisk(path: path.path + "/replica.db")
        let (a, b) = (try await onFaultyDisk(world, path), try await world.site(1))
        let meeting = try await a.meeting("Founding")
        var failures = 0
        for count in 0..<14 {
            _ = try await b.contact("From Berlin \(count)")
            disk.fail(after: count, with: code)
            let wrote = (try? await a.contact("Number \(count)")) != nil
            let runs = try b.runs(for: a)
            let received = (try? await a.store.receive(runs, in: a.space)) != nil
            let edit = RecordEdit.update(meeting, [.set("city", text("City \(count)"))])
            let edited = await a.refusal(edit) == nil
            if disk.hasFailed {
                failures += 1
                #expect(!(wrote && received && edited), "something failed and nobody was told")
                let kind = try #require(a.store.storageTrouble).kind
                #expect(kind == (code == SQLITE_FULL ? .full : .failing))
                #expect(await a.refusal(edit) == (code == SQLITE_FULL ? .diskFull : .diskFailure))
                #expect(try a.store.records(RecordQuery(kind: "meeting")).count == 1, "reads go on")
            }
            disk.heal()
            #expect(await a.store.tryWriting())
            #expect(a.store.storageTrouble == nil)
            _ = try await a.contact("After \(count)")
            try await b.send(to: a)
            #expect(try await a.store.verify().problems == [])
        }
        #expect(failures >= 4)
        try await exchange(a, b)
        try await expectEqual([a, b])
        let digest = try await a.store.digest(a.space)
        try a.store.close()
        let again = Site(a, store: try ReplicaStore(path: path.path + "/replica.db"), folder: path)
        #expect(try await again.store.digest(again.space) == digest)
    }

    private func onFaultyDisk(_ world: World, _ folder: Folder) async throws -> Site {
        let site = try await world.site(0)
        let store = try ReplicaStore(path: folder.path + "/replica.db")
        try await store.addSpace(world.charter)
        return Site(site, store: store, folder: folder)
    }

    @Test("a write-ahead log that cannot be written back is trouble, and the trial needs that it can")
    func logIsNotWrittenBack() async throws {
        let world = try World("ESP")
        let path = try Folder()
        let disk = FaultyDisk(path: path.path + "/replica.db")
        let a = try await onFaultyDisk(world, path)
        _ = try await a.contact("Before")
        func look() async throws {
            try await a.store.writer.run { [gate = a.store.writer.gate] db, _ in
                gate.lookAtLog(db, longerThan: 1)
            }
        }
        try await look()
        #expect(a.store.storageTrouble == nil)
        _ = try await a.contact("In the log")
        disk.fail(after: 0, with: SQLITE_IOERR | 3 << 8)
        try await look()
        #expect(a.store.storageTrouble?.kind == .failing)
        #expect(await !a.store.tryWriting())
        disk.heal()
        #expect(await a.store.tryWriting())
        _ = try await a.contact("After")
        #expect(try await a.store.verify().problems == [])
    }

    @Test("a database that may not grow takes writes again as soon as it may")
    func maximumSize() async throws {
        let a = try await World("ESP").site(0)
        _ = try await a.contact("Before")
        let pages = try a.store.pragmaForTests("page_count")
        _ = try a.store.pragmaForTests("max_page_count = \(pages)")
        var refused: ErrorCode?
        for number in 0..<200 where refused == nil {
            refused = await a.refusal(
                .create(
                    kind: "contact",
                    fields: [
                        .set("name", text("x")),
                        .set("notes", text(String(repeating: "x", count: 4_000 + number))),
                    ]))
        }
        #expect(refused == .diskFull)
        #expect(await !a.store.tryWriting() || a.store.storageTrouble == nil)
        _ = try a.store.pragmaForTests("max_page_count = 1000000")
        #expect(await a.store.tryWriting())
        _ = try await a.contact("After")
        #expect(try await a.store.verify().problems == [])
    }

    @Test("a database that became read-only is told apart and comes back")
    func readOnly() async throws {
        let a = try await World("ESP").site(0)
        _ = try a.store.pragmaForTests("query_only = 1")
        #expect(
            await a.refusal(.create(kind: "contact", fields: [.set("name", text("x"))])) == .unwritableHome)
        #expect(a.store.storageTrouble?.kind == .readOnly)
        #expect(await !a.store.tryWriting())
        _ = try a.store.pragmaForTests("query_only = 0")
        #expect(await a.store.tryWriting())
        _ = try await a.contact("After")
    }

    @Test("a database that another program holds is no trouble of the disk")
    func busy() async throws {
        let a = try await World("ESP").site(0)
        _ = try a.store.pragmaForTests("busy_timeout = 1")
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: a.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(await a.refusal(.create(kind: "contact", fields: [.set("name", text("x"))])) == .storeFailure)
        #expect(a.store.storageTrouble == nil)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        _ = try await a.contact("After")
        #expect(try await a.store.verify().problems == [])
    }

    @Test("the last part of a disk is kept for deleting and erasing")
    func reserve() async throws {
        let a = try await World("ESP").site(0)
        let contact = try await a.contact("Ana")
        try a.store.close()
        let free = Mutex<Int64>(1_000)
        var options = ReplicaStore.Options()
        options.reserveBytes = 100
        options.freeBytes = { free.withLock { $0 } }
        let site = Site(a, store: try ReplicaStore(path: a.path, options: options), folder: try Folder())
        let transitions = Mutex<[StorageHealth.Transition]>([])
        site.store.observeStorage { transition in transitions.withLock { $0.append(transition) } }
        free.withLock { $0 = 99 }
        let create = RecordEdit.create(kind: "contact", fields: [.set("name", text("Eva"))])
        #expect(await site.refusal(create) == .reserveReached)
        #expect(await site.refusal(create) == .reserveReached)
        #expect(await site.refusal(.delete(contact)) == nil)
        #expect(await site.refusal(.erase(contact, reason: "asked for")) == nil)
        free.withLock { $0 = 120 }
        #expect(await site.refusal(create) == .reserveReached)
        free.withLock { $0 = 150 }
        #expect(await site.refusal(create) == nil)
        #expect(transitions.withLock { $0.count } == 2, "stopping and going on are told once each")
        #expect(try await site.store.verify().problems == [])
    }

    @Test(
        "whoever waits until writing goes on is let through by the trial that works, and by being cancelled")
    func waiting() async throws {
        let a = try await World("ESP").site(0)
        await a.store.waitUntilWritable()
        _ = try a.store.pragmaForTests("query_only = 1")
        _ = await a.refusal(.create(kind: "contact", fields: [.set("name", text("x"))]))
        let (cancelled, patient) = (
            Task { await a.store.waitUntilWritable() }, Task { await a.store.waitUntilWritable() }
        )
        cancelled.cancel()
        await cancelled.value
        _ = try a.store.pragmaForTests("query_only = 0")
        #expect(await a.store.tryWriting())
        await patient.value
    }

    @Test("a page that SQLite finds damaged stops all writing, and reading goes on where it can")
    func damage() async throws {
        let a = try await World("ESP").site(0)
        for number in 0..<200 { _ = try await a.contact("Contact \(number)") }
        try a.store.close()
        try overwriteRoot(of: "record_kind", in: a.path)
        let site = Site(a, store: try ReplicaStore(path: a.path), folder: try Folder())
        #expect(site.store.storageTrouble == nil)
        await #expect(throws: ConcordError.self) { try await site.store.checkPages() }
        #expect(site.store.storageTrouble?.kind == .damaged)
        #expect(
            await site.refusal(.create(kind: "contact", fields: [.set("name", text("x"))]))
                == .corruptDatabase)
        #expect(await !site.store.tryWriting())
        #expect(try site.store.held(site.space).position > 200)
        await #expect(throws: ConcordError.self) { try await site.store.recheckPages() }
        #expect(site.store.storageTrouble?.kind == .damaged)
    }

    @Test("what looked damaged for a moment and is found sound is written again")
    func momentOfDamage() async throws {
        let a = try await World("ESP").site(0)
        _ = try await a.contact("Before")
        a.store.markDamaged(ConcordError(.corruptDatabase, "the disk could not read a page"))
        #expect(
            await a.refusal(.create(kind: "contact", fields: [.set("name", text("x"))])) == .corruptDatabase)
        try await a.store.recheckPages()
        #expect(a.store.storageTrouble == nil)
        _ = try await a.contact("After")
        #expect(try await a.store.verify().problems == [])
    }

    private func overwriteRoot(of index: String, in path: String) throws {
        let queue = try DatabaseQueue(path: path)
        let page = try queue.writeWithoutTransaction { db in
            _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            return try Int.fetchOne(
                db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [index])
        }
        try queue.close()
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(try #require(page) - 1) * 4096)
        try file.write(contentsOf: Data(repeating: 0xa5, count: 4096))
        try file.close()
    }
}

extension ReplicaStore {
    /// Runs a pragma on the writer and gives back its first value.
    fileprivate func pragmaForTests(_ pragma: String) throws -> Int {
        try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA \(pragma)") ?? 0 }
    }
}
