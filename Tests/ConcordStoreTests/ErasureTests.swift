// Erasure: who may order it, what goes and what stays, also on nodes that were away, and that not one byte of the
// values is left in the files.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import GRDB
import Testing

@testable import TestSupport

@Suite("Erasure")
struct ErasureTests {
    // MARK: What goes and what stays

    @Test(
        "erased values are in no answer, no index and no byte of the files; what was erased, by whom and why stays"
    )
    func everywhere() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await Secrets.contact(at: a)
        let other = try await a.contact("Somebody else")
        try await exchange(a, b)
        _ = try await b.store.search("quixtrandle")
        for site in [a, b] { #expect(try Secrets.traces(in: site.path).count >= 3) }
        let written = try await Secrets.erase(contact, at: a)
        try await a.send(to: b)
        try await Secrets.sweep(b)
        try await expectEqual([a, b])
        for site in [a, b] {
            #expect(try Secrets.traces(in: site.path) == [])
            let record = try site.record(contact)
            #expect(record.title == "" && record.fields["name"] == nil && record.fields["areas"] == nil)
            #expect(try await site.store.search("quixtrandle").isEmpty)
            #expect(try await site.store.search("somebody").map(\.record.id) == [other.description])
            #expect(try site.store.held(site.space).hash == a.store.held(a.space).hash)
            let log = try site.store.log(LogQuery(record: contact))
            #expect(log.contains { $0.dot == written.dot.description })
            let operations = log.flatMap(\.operations)
            #expect(
                operations.contains {
                    $0.operation == "erase" && $0.value == .string("asked for by the person")
                })
            #expect(operations.filter { $0.operation == "set" }.allSatisfy { $0.value == .null })
        }
    }

    @Test(
        "a node that was away applies the erasure on its return, and one that joins later never gets the values"
    )
    func absence() async throws {
        let world = try World("ESP", "DEU", "FRA", "ITA")
        let (a, b, away) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let contact = try await Secrets.contact(at: a)
        try await exchange(a, b, away)
        _ = try await away.contact("Written while away")
        _ = try await Secrets.erase(contact, at: a)
        try await a.send(to: b)
        #expect(try Secrets.traces(in: away.path).count >= 2)
        try await exchange(b, away)
        try await Secrets.sweep(away)
        try await Secrets.sweep(b)
        let late = try await world.site(3)
        try await away.send(to: late)
        try await exchange(a, b, away, late)
        for site in [a, b, away, late] { #expect(try Secrets.traces(in: site.path) == []) }
        try await expectEqual([a, b, away, late])
        #expect(try await late.store.heldForPeer(late.space).digest != nil)
    }

    @Test("overwritten values and elements that were taken out do not come back")
    func noReturn() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("First title")
        try await a.write(
            .update(meeting, [.add("organizers", text("ESP")), .add("organizers", text("DEU"))]))
        try await exchange(a, b)
        try await b.write(
            .update(meeting, [.set("title", text("Second title")), .set("city", text("Bonn"))]))
        try await b.write(.update(meeting, [.remove("organizers", text("DEU"))]))
        try await exchange(a, b)
        _ = try await Secrets.erase(meeting, at: b)
        try await exchange(a, b)
        try await expectEqual([a, b])
        let record = try a.record(meeting)
        #expect(record.fields["title"] == nil && record.fields["city"] == nil)
        let organizers = record.fields["organizers"]
        #expect(
            organizers == nil, "which of the two elements of one change was taken out is not known any more")
        try await a.write(.update(meeting, [.set("title", text("Third title"))]))
        #expect(try a.record(meeting).fields["title"] == .string("Third title"))
    }

    @Test("a deleted record is erased too, once, and only what this member wrote")
    func whatCanBeErased() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await Secrets.contact(at: a)
        try await a.write(.delete(contact))
        _ = try await Secrets.erase(contact, at: a)
        #expect(try Secrets.traces(in: a.path) == [])
        #expect(await a.refusal(.erase(contact, reason: "again")) == .notTheOwner)
        let meeting = try await a.meeting("Shared")
        try await exchange(a, b)
        #expect(await b.refusal(.erase(meeting, reason: "not ours")) == .notTheOwner)
        #expect(await a.refusal(.erase(RecordID(Bytes16(high: 1, low: 1)), reason: "")) == .unknownRecord)
        let long = UTF8Text(String(repeating: "r", count: Limits.reasonBytes + 1))
        #expect(await a.refusal(.erase(meeting, reason: long)) == .limitExceeded)
        #expect(
            await a.refusal(.erase(meeting, reason: ""), .update(meeting, [.set("city", text("Bonn"))]))
                != nil)
        try await expectEqual([a, b])
    }

    @Test("an erased value in a conflict stays one of its sides, and whoever takes it clears the field")
    func conflict() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Shared")
        try await exchange(a, b)
        try await a.write(.update(meeting, [.set("city", text("Bonn"))]), at: 2_000)
        try await b.write(.update(meeting, [.set("city", text("Quixtrandle"))]), at: 3_000)
        try await exchange(a, b)
        _ = try await Secrets.erase(meeting, at: b)
        try await exchange(a, b)
        try await expectEqual([a, b])
        let sides = try #require(try a.record(meeting).conflicts.first).values.map(\.value)
        #expect(sides == [.null, .string("Bonn")])
        #expect(try a.record(meeting).title == "Shared")
        try await a.write(.resolve(meeting, field: "city", .take(1)))
        let settled = try a.record(meeting)
        #expect(settled.fields["city"] == nil && settled.conflicts.isEmpty)
        try await exchange(a, b)
        try await expectEqual([a, b])
    }

    // MARK: Who orders

    @Test("nobody erases with an operation what another member wrote, and what is outside its past")
    func foreignOrders() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let contact = try await a.contact("Ana")
        let head = try #require(try a.store.held(a.space).heads.first)
        var chain = try HandChain(try world.parties[1].node("hand"), a.space)
        let hash = try await hash(of: head, at: a)
        let order = Entry(record: contact, operations: [.erase(changes: [head.dot], reason: "malice")])
        let runs = [try chain.bind(after: [(head.dot, hash)]), try chain.run(order)]
        #expect(try await a.store.receive(runs, in: a.space).applied == 2)
        #expect(try a.record(contact).fields["name"] == .string("Ana"))
        // Its own change, named by a chain that has not seen it.
        let mine = try chain.contact("Mine")
        let record = RecordID(
            space: a.space, kind: "contact", dot: Dot(chain.replica, chain.head.dot.sequence), index: 0,
            timestamp: 5)
        let named = [chain.head.dot]
        var blind = try HandChain(try world.parties[1].node("other"), a.space)
        let blindRuns = [
            try blind.bind(),
            try blind.run(Entry(record: record, operations: [.erase(changes: named, reason: "")])),
        ]
        #expect(try await a.store.receive([mine] + blindRuns, in: a.space).applied == 3)
        #expect(try a.record(record).fields["name"] == .string("Mine"))
        let seen = try blind.run(
            Entry(record: record, operations: [.erase(changes: named, reason: "now seen")]),
            after: [(chain.head.dot, chain.head.hash)])
        #expect(try await a.store.receive([seen], in: a.space).applied == 1)
        #expect(try a.record(record).fields["name"] == nil)
        #expect(try await a.store.verify().problems == [])
    }

    @Test(
        "an act erases when its subject signed it, or as many as it takes to suspend; also what arrives after it"
    )
    func acts() async throws {
        let world = try World("ESP", "DEU", "FRA", suspension: 2)
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let (first, second) = (try await a.contact("Quixtrandle one"), try await a.contact("Quixtrandle two"))
        let dots = try a.store.log(LogQuery()).flatMap { change in change.operations.map { (change.dot, $0) }
        }
        func act(_ record: RecordID) throws -> Erasure {
            let created = try #require(
                dots.first { $0.1.operation == "create" && $0.1.record == record.description })
            return Erasure(
                space: a.space, subject: world.parties[0].id, record: record,
                changes: [try #require(Dot(text: created.0))], reason: "by decision", timestamp: 1)
        }
        func sign(_ act: Erasure, _ party: Int) throws -> SignedAct {
            try SignedAct(act: act.encoded, key: world.parties[party].key)
        }
        try await exchange(a, b)
        try await b.write(.act(try sign(act(first), 1)))
        #expect(try b.record(first).fields["name"] != nil, "one of two signatures")
        try await b.write(.act(try sign(act(first), 2)))
        #expect(try b.record(first).fields["name"] == nil)
        #expect(try b.record(second).fields["name"] != nil)
        try await b.write(.act(try sign(act(second), 0)))
        #expect(try b.record(second).fields["name"] == nil)
        // The third hears of the orders first: whoever sends it the full forms, they are not kept.
        let full = try a.allRuns()
        try await exchange(a, b)
        try await a.send(to: c)
        #expect(try await c.store.receive(full, in: c.space).refusal == nil)
        for site in [a, b, c] {
            try await Secrets.sweep(site)
            #expect(try Secrets.traces(in: site.path) == [])
        }
        try await expectEqual([a, b, c])
    }

    @Test("an erasure counts also when the change that carries it is hidden")
    func hiddenCarrier() async throws {
        let world = try World("ESP", "DEU", "FRA", suspension: 2)
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await Secrets.contact(at: a)
        try await exchange(a, b)
        let suspension = Suspension(
            space: a.space, subject: world.parties[0].id,
            keeps: VersionVector(try a.store.held(a.space).vector.dots),
            reason: "", timestamp: 1)
        for party in [1, 2] {
            try await b.write(.act(try SignedAct(act: suspension.encoded, key: world.parties[party].key)))
        }
        _ = try await Secrets.erase(contact, at: a)
        try await exchange(a, b)
        try await Secrets.sweep(b)
        try await expectEqual([a, b])
        #expect(try Secrets.traces(in: b.path) == [])
        #expect(try b.store.nodes(b.space).contains { $0.cutOff != nil })
    }

    // MARK: The files

    @Test(
        "a reader in the way holds back the last of it, which goes when the reader is gone, also after a restart"
    )
    func readers() async throws {
        let a = try await World("ESP").site(0)
        let contact = try await Secrets.contact(at: a)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: a.path, configuration: configuration)
        try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Row.fetchAll(db, sql: "SELECT * FROM record")
        }
        try await a.write(.erase(contact, reason: ""))
        #expect(try await !a.store.sweepErased())
        #expect(try Secrets.traces(in: a.path) != [])
        try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try reader.close()
        try a.store.close()
        let again = try ReplicaStore(path: a.path)
        #expect(try await again.sweepErased())
        #expect(try Secrets.traces(in: a.path) == [])
        #expect(try await again.verify().problems == [])
    }

    @Test("a branch of a forked replica keeps what was erased of it", .timeLimit(.minutes(1)))
    func fork() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let contact = try await Secrets.contact(at: a)
        let copy = try Folder()
        try await a.store.backupForTests(to: copy.path + "/replica.db")
        _ = try await Secrets.erase(contact, at: a)
        let b = try await world.site(1)
        try await a.send(to: b)
        try sqlite(copy.path + "/replica.db", "UPDATE chain SET own = 1; DELETE FROM meta")
        let twin = Site(a, store: try ReplicaStore(path: copy.path + "/replica.db"), folder: copy)
        _ = try await twin.contact("Of the twin")
        try await exchange(a, b, twin)
        for site in [a, b, twin] { try await Secrets.sweep(site) }
        try await expectEqual([a, b, twin])
        for site in [b, twin] { #expect(try Secrets.traces(in: site.path) == []) }
    }

    private func hash(of head: ChainHead, at site: Site) async throws -> Digest {
        let queue = try DatabaseQueue(path: site.path)
        return try await queue.read { db in
            let data = try Data.fetchOne(
                db, sql: "SELECT hash FROM log WHERE sequence = ?", arguments: [Int64(head.dot.sequence)])
            return try #require(Digest(bytes: [UInt8](data ?? Data())))
        }
    }
}

extension ReplicaStore {
    /// A copy that does not know that it is one.
    fileprivate func backupForTests(to path: String) async throws { _ = try await backup(to: path, now: 1) }
}

/// Runs SQL with a connection of its own.
private func sqlite(_ path: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
}
