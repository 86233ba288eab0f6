// What comes back from a database with damaged pages: every change whose row is readable and verifies, and of the rest a
// figure.

import ConcordModel
import Foundation
import GRDB
import Testing

@testable import ConcordStore
@testable import TestSupport

@Suite("Salvage") struct SalvageTests {
    /// A site that wrote much, the peer that holds all but its latest changes, and the site's files as a crash leaves
    /// them: a part of it in the write-ahead log.
    private struct Wreck {
        let site: Site
        let peer: Site
        let folder: Folder
        /// The replica under which the damaged database wrote.
        let replica: ReplicaID

        var path: String { folder.path + "/replica.db" }

        init(own: Int = 40) async throws {
            let world = try World("ESP", "DEU")
            folder = try Folder()
            (site, peer) = (try await world.site(0), try await world.site(1))
            let meeting = try await site.meeting("Founding")
            for number in 0..<own { _ = try await site.contact("Shared \(number)") }
            for number in 0..<own { _ = try await peer.contact("Theirs \(number)") }
            try await exchange(site, peer)
            try await site.store.pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            for number in 0..<own {
                _ = try await site.contact("Alone \(number) \(String(repeating: "x", count: number * 200))")
            }
            try await site.write(
                .update(meeting, [.set("notes", text(String(repeating: "Long. ", count: 2_000)))]))
            try site.store.copyForTests(from: site.path, to: folder.path + "/replica.db")
            replica = try #require(try site.store.ownHead(site.space)).replica
        }

        /// A new replica from what is readable, and what became of it.
        func salvage(into folder: Folder, base: Site? = nil) async throws -> (
            Site, SalvageOutcome, DamagedReplica.Figures
        ) {
            let damaged = try DamagedReplica(path: path)
            let store = try ReplicaStore(path: folder.path + "/replica.db")
            for space in damaged.spaces {
                try await store.addSpace(space.charter, inviterAuthority: space.inviter)
            }
            let (runs, figures) = damaged.changes()
            let outcome = try await store.takeIn(salvaged: runs)
            return (Site(site, store: store, folder: folder), outcome, figures)
        }

        /// Has the peer and a salvaged replica bring each other what they lack; what still waits there may stay.
        func meet(_ salvaged: Site) async throws {
            for _ in 0..<3 {
                for (from, to) in [(peer, salvaged), (salvaged, peer)] {
                    let known = try await from.store.compare(try to.store.held(to.space).heads, in: to.space)
                        .known
                    let outcome = try await to.store.receive(try from.allRuns(excluding: known), in: to.space)
                    #expect(outcome.refusal == nil)
                }
            }
        }
    }

    @Test("from files that are whole everything comes back, and nothing waits")
    func whole() async throws {
        let wreck = try await Wreck()
        let (salvaged, outcome, figures) = try await wreck.salvage(into: try Folder())
        let held = try wreck.site.store.space(wreck.site.space).changes
        #expect(outcome.taken == held && outcome.waiting.isEmpty && outcome.refused == 0)
        #expect(figures.named == held && figures.read == held)
        #expect(figures.ownNamed == figures.ownRead && figures.ownNamed > 80)
        #expect(figures.unreadablePages == 0 && figures.brokenFrames == 0)
        try await expectEqual([wreck.site, salvaged])
        #expect(try salvaged.store.ownHead(salvaged.space) == nil)
        _ = try await salvaged.contact("After")
        #expect(try salvaged.store.ownHead(salvaged.space)?.replica != wreck.replica)
    }

    @Test("where SQLite gives the table up because its root is gone, its rows are read all the same")
    func roots() async throws {
        let wreck = try await Wreck()
        let roots = try await wreck.site.store.pool.read { db in
            try Int.fetchAll(db, sql: "SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")
        }
        // The chain, space and party rows of a small database are in the roots themselves: those are left.
        let kept = try await wreck.site.store.pool.read { db in
            try Int.fetchAll(
                db, sql: "SELECT rootpage FROM sqlite_schema WHERE name IN ('chain', 'space')")
        }
        var file = try WreckedFile(wreck.path)
        for page in roots where !kept.contains(page) { file.overwrite(page: page) }
        try file.save()
        #expect(throws: (any Error).self) {
            let store = try ReplicaStore(path: wreck.path, options: .init(readOnly: true))
            _ = try store.records(RecordQuery())
        }
        let (salvaged, outcome, figures) = try await wreck.salvage(into: try Folder())
        #expect(figures.read == figures.named && outcome.waiting.isEmpty, "\(figures)")
        try await expectEqual([wreck.site, salvaged])
    }

    @Test(
        "whatever pages are damaged, what is readable comes back and the rest from peers", arguments: 0..<24)
    func randomDamage(seed: Int) async throws {
        let wreck = try await Wreck(own: 20)
        var random = SeededGenerator(seed: UInt64(seed))
        var file = try WreckedFile(wreck.path)
        for _ in 0..<Int.random(in: 1...12, using: &random) { file.damage(using: &random) }
        try file.save()
        let (salvaged, outcome, figures) = try await wreck.salvage(into: try Folder())
        if try salvaged.store.spaces().isEmpty {
            // The one page with the charter was hit: the space is joined anew, then the changes come in.
            try await salvaged.store.addSpace(try wreck.site.store.space(wreck.site.space).charter)
        }
        #expect(try await salvaged.store.verify().problems == [])
        _ = try await salvaged.contact("Written before anybody was met")
        try await wreck.meet(salvaged)
        let later = try await salvaged.store.takeIn(salvaged: outcome.waiting)
        try await wreck.meet(salvaged)
        try await expectEqual([salvaged, wreck.peer])
        // Nothing is missing but what was not readable.
        let lost = figures.named - figures.read + later.waiting.reduce(0) { $0 + Int64($1.changes.count) }
        let names = Set(try salvaged.store.records(RecordQuery(kind: "contact")).map(\.title))
        let missing = (0..<20).filter { number in !names.contains { $0.hasPrefix("Alone \(number) ") } }
        #expect(
            Int64(missing.count) <= lost + later.refused,
            "seed \(seed): \(missing.count) lost, \(figures), waiting \(later.waiting.count)")
        for number in 0..<20 {
            #expect(names.contains("Shared \(number)") && names.contains("Theirs \(number)"))
        }
    }

    @Test("changes that follow a lost one wait until a peer brings it, also in a file")
    func gap() async throws {
        let wreck = try await Wreck(own: 6)
        let damaged = try DamagedReplica(path: wreck.path)
        var (runs, _) = damaged.changes()
        let lost = try #require(runs.firstIndex { $0.replica == wreck.replica && $0.firstSequence == 4 })
        runs.remove(at: lost)
        let after = try #require(runs.firstIndex { $0.replica == wreck.replica && $0.firstSequence == 5 })
        runs[after].previous = nil
        let folder = try Folder()
        let store = try ReplicaStore(path: folder.path + "/replica.db")
        try await store.addSpace(damaged.spaces[0].charter)
        let outcome = try await store.takeIn(salvaged: runs)
        #expect(!outcome.waiting.isEmpty && outcome.waiting.allSatisfy(\.isOwn) && outcome.refused == 0)
        let kept = try SalvagedRun.decoded(SalvagedRun.encoded(outcome.waiting))
        #expect(kept == outcome.waiting)
        let salvaged = Site(wreck.site, store: store, folder: folder)
        try await wreck.meet(salvaged)
        #expect(try await store.takeIn(salvaged: kept).waiting.isEmpty)
        try await wreck.meet(salvaged)
        try await expectEqual([wreck.site, wreck.peer, salvaged])
    }

    @Test("values that were erased since the damage do not come back with it, and nothing waits for ever")
    func erasedSince() async throws {
        let wreck = try await Wreck(own: 4)
        let contact = try #require(
            try wreck.site.store.records(RecordQuery(kind: "contact")).first {
                $0.title.hasPrefix("Alone 1 ")
            })
        let id = try #require(RecordID(text: contact.id))
        try await wreck.site.write(.erase(id, reason: "asked for by the person"))
        let (runs, _) = try DamagedReplica(path: wreck.path).changes()
        let outcome = try await wreck.site.store.takeIn(salvaged: runs)
        #expect(outcome.waiting.isEmpty && outcome.refused == 0)
        let titles = try wreck.site.store.records(RecordQuery(kind: "contact", includeDeleted: true)).map(
            \.title)
        #expect(!titles.contains { $0.hasPrefix("Alone 1 ") })
        #expect(try await wreck.site.store.verify().problems == [])
    }

    @Test("what was altered in the damaged file is refused, and what is sound beside it is taken")
    func forged() async throws {
        let wreck = try await Wreck(own: 4)
        let damaged = try DamagedReplica(path: wreck.path)
        var (runs, _) = damaged.changes()
        let last = runs.count - 1
        runs[last].changes[0][runs[last].changes[0].count - 1] ^= 1
        let folder = try Folder()
        let store = try ReplicaStore(path: folder.path + "/replica.db")
        try await store.addSpace(damaged.spaces[0].charter)
        let outcome = try await store.takeIn(salvaged: runs)
        #expect(outcome.refused + Int64(outcome.waiting.count) == 1)
        #expect(outcome.taken == Int64(runs.reduce(0) { $0 + $1.changes.count } - 1))
    }

    @Test(
        "a write-ahead log that is cut off, or of which a byte is wrong, costs nothing that was durable before"
    )
    func tornLog() async throws {
        let wreck = try await Wreck(own: 8)
        let whole = try Data(contentsOf: URL(fileURLWithPath: wreck.path + "-wal"))
        let frame = 4096 + 24
        let frames = (whole.count - 32) / frame
        let commits = (0..<frames).filter { index in
            whole[32 + index * frame + 4..<32 + index * frame + 8].contains { $0 != 0 }
        }
        #expect(commits.count >= 9)
        for (number, commit) in commits.enumerated() {
            for damage in 0..<2 {
                var log = whole
                // Everything up to this commit was durable; the frame after it is cut in two, or its checksum is wrong.
                let end = 32 + (commit + 1) * frame
                if damage == 0 {
                    log = log.prefix(min(whole.count, end + 100))
                } else if end + 16 < whole.count {
                    log[end + 16] ^= 0x40
                }
                let folder = try Folder()
                let path = folder.path + "/replica.db"
                try FileManager.default.copyItem(atPath: wreck.path, toPath: path)
                try log.write(to: URL(fileURLWithPath: path + "-wal"))
                // What SQLite does not read any more is still there for a salvage.
                let beyond = try DamagedReplica.changesBeyondLog(of: path)
                let site = Site(wreck.site, store: try ReplicaStore(path: path), folder: folder)
                #expect(site.store.wasLeftOpen)
                #expect(try await site.store.verify().problems == [])
                let alone = try site.store.records(RecordQuery(kind: "contact")).filter {
                    $0.title.hasPrefix("Alone")
                }
                #expect(alone.count >= min(8, number + 1))
                if damage == 1 {
                    let later = try await site.store.takeIn(salvaged: beyond)
                    #expect(later.waiting.isEmpty && later.refused == 0)
                    #expect(
                        try site.store.space(site.space).changes == wreck.site.store.space(site.space).changes
                    )
                }
                try await wreck.meet(site)
                try await expectEqual([site, wreck.peer])
            }
        }
    }

    @Test(
        "a write-ahead log whose head is damaged, which SQLite passes over, is read all the same",
        arguments: [0..<32, 16..<24, 24..<32, 0..<512])
    func headOfLog(damage: Range<Int>) async throws {
        let wreck = try await Wreck(own: 8)
        var log = try Data(contentsOf: URL(fileURLWithPath: wreck.path + "-wal"))
        for place in damage { log[place] = 0 }
        try log.write(to: URL(fileURLWithPath: wreck.path + "-wal"))
        let refusal = #expect(throws: ConcordError.self) {
            _ = try DamagedReplica.changesBeyondLog(of: wreck.path)
        }
        #expect(refusal?.code == .corruptDatabase)
        let (salvaged, outcome, figures) = try await wreck.salvage(into: try Folder())
        #expect(outcome.waiting.isEmpty && outcome.refused == 0 && figures.brokenFrames > 8)
        let names = try salvaged.store.records(RecordQuery(kind: "contact")).map(\.title)
        // The first frame may be gone with its head: a page of which there are later forms.
        for number in 0..<8 { #expect(names.contains { $0.hasPrefix("Alone \(number) ") }) }
        #expect(try await salvaged.store.verify().problems == [])
    }
}

/// The bytes of a database and its log, to be damaged.
private struct WreckedFile {
    private let path: String
    private var database: Data
    private var log: Data

    init(_ path: String) throws {
        self.path = path
        database = try Data(contentsOf: URL(fileURLWithPath: path))
        log = (try? Data(contentsOf: URL(fileURLWithPath: path + "-wal"))) ?? Data()
    }

    /// Overwrites every form of a page.
    mutating func overwrite(page: Int) {
        let junk = Data(repeating: 0xee, count: 4096)
        if page * 4096 <= database.count {
            database.replaceSubrange((page - 1) * 4096..<page * 4096, with: junk)
        }
        for start in stride(from: 32, to: log.count, by: 4120) {
            let number = log[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            if number == page { log.replaceSubrange(start + 24..<start + 4120, with: junk) }
        }
    }

    /// Damages a page, or a part of one, somewhere.
    mutating func damage(using random: inout SeededGenerator) {
        let inLog = log.count > 8_000 && Bool.random(using: &random)
        let size = inLog ? log.count : database.count
        let start = Int.random(in: 0..<size, using: &random)
        let length = [1, 200, 4096].randomElement(using: &random)!
        for place in start..<min(size, start + length) {
            let byte = length == 1 ? UInt8.random(in: 1...255, using: &random) : 0
            if inLog {
                log[place] = length == 1 ? log[place] ^ byte : byte
            } else {
                database[place] = length == 1 ? database[place] ^ byte : byte
            }
        }
    }

    func save() throws {
        try database.write(to: URL(fileURLWithPath: path))
        try log.write(to: URL(fileURLWithPath: path + "-wal"))
    }
}
