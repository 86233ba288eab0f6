// The rules for texts where somebody does not keep to them, or comes to be outside them: parents that do not count,
// edits beyond the text, members that are suspended, replicas that fork.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import GRDB
import Testing

@testable import TestSupport

@Suite("Texts: rules")
struct TextRuleTests {
    private func body(of document: RecordID, after runs: [ChangeRun], at site: Site) async throws -> String {
        let outcome = try await site.store.receive(runs, in: site.space)
        #expect(outcome.refusal == nil && outcome.heldBack == 0)
        #expect(try await site.store.verify().problems == [])
        return try site.body(of: document)
    }

    @Test("a parent outside the past, of another record, or refused does not count")
    func parents() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let first = try await a.write(
            .create(kind: "document", fields: [.set("title", text("1")), .set("body", text("abc"))]))
        let document = first.created[0]
        let other = try await a.write(
            .create(kind: "document", fields: [.set("title", text("2")), .set("body", text("zzz"))]))
        let later = try await a.put("abcdef", in: document)
        let contact = try await a.contact("Theirs")
        var chain = try HandChain(try world.parties[1].node("hand"), a.space)
        var runs = [try chain.bind(after: [try a.place(other.dot)])]
        // The later write is not in the past, the other document's is: position 3 is right behind "abc".
        runs.append(
            try chain.edit(document, parents: [first.dot, other.dot, later.dot], [(3, 0, 1)], "1"))
        // An edit of a contact is refused, and so nobody's parent.
        let refused = try chain.run(
            Entry(record: contact, operations: [.edit(field: "notes", parents: [], runs: [], inserted: "")]),
            after: [try a.place(try await a.put("abcdef!", in: document).dot)])
        runs.append(refused)
        let refusedDot = chain.head.dot
        runs.append(try chain.edit(document, parents: [refusedDot], [(0, 0, 1)], "2"))
        // Without parents it is written against the empty text: nothing is there to be deleted.
        runs.append(try chain.edit(document, parents: [refusedDot], [(0, 1, 0)], ""))
        let merged = try await body(of: document, after: runs, at: a)
        #expect(
            merged.contains("abc") && merged.contains("1") && merged.contains("2") && merged.contains("def!"))
        #expect(merged.utf8.count == 9)
        let history = try a.store.textHistory(document, space: a.space)
        #expect(history.edits.filter(\.isInert).count == 1)
        #expect(try a.store.refused(limit: 10).count == 2)
    }

    @Test("an edit beyond the text has no effect, is listed, touches the record and can be built upon")
    func inert() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let created = try await a.write(
            .create(kind: "document", fields: [.set("title", text("1")), .set("body", text("abc"))]))
        let document = created.created[0]
        var chain = try HandChain(try world.parties[1].node("hand"), a.space)
        var runs = [try chain.bind(after: [try a.place(created.dot)])]
        runs.append(try chain.edit(document, parents: [created.dot], [(0, 0, 1), (5, 0, 1)], "xy"))
        let inert = chain.head.dot
        runs.append(try chain.edit(document, parents: [inert], [(3, 0, 1)], "d"))
        runs.append(try chain.edit(document, parents: [chain.head.dot], [(0, 9, 0)], ""))
        #expect(try await body(of: document, after: runs, at: a) == "abcd")
        let refused = try a.store.refused(limit: 10)
        #expect(refused.count == 2 && refused.allSatisfy { $0.reason.contains("beyond the text") })
        #expect(refused.allSatisfy { $0.record == document.description && $0.operations == ["edit"] })
        let log = try a.store.log(LogQuery(record: document))
        #expect(log.first { $0.dot == inert.description }?.operations.map(\.allowed) == [false])
        #expect(log.first { $0.dot == created.dot.description }?.operations.allSatisfy(\.allowed) == true)
        #expect(
            try a.store.textHistory(document, space: a.space).edits.map(\.isInert) == [
                false, true, false, true,
            ])
        try await a.put("abcde", in: document)
        try await a.write(.update(document, [.set("status", text("x"))]))
        try await a.send(to: b)
        try await expectEqual([a, b])
    }

    @Test("an edit that a delete had not seen keeps the record, also one without effect")
    func touches() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let created = try await a.write(
            .create(kind: "document", fields: [.set("title", text("1")), .set("body", text("abc"))]))
        let document = created.created[0]
        var chain = try HandChain(try world.parties[1].node("hand"), a.space)
        let runs = [
            try chain.bind(after: [try a.place(created.dot)]),
            try chain.edit(document, parents: [created.dot], [(99, 1, 0)], ""),
        ]
        try await a.write(.delete(document))
        #expect(try await body(of: document, after: runs, at: a) == "abc")
        #expect(try a.record(document).shown && a.record(document).editedWhileDeleted)
        try await a.send(to: b)
        try await expectEqual([a, b])
    }

    @Test("what a suspension hides of a text was never in it, and comes back with the reinstatement")
    func suspension() async throws {
        let world = try World("ESP", "DEU", "FRA", admission: 2)
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let document = try await a.document("The text of all.")
        try await exchange(a, b, c)
        let held = VersionVector(
            try a.store.nodes(a.space).filter { $0.member == c.party.id }.map { Dot($0.replica, $0.sequence) }
        )
        let act = Suspension(
            space: a.space, subject: c.party.id, keeps: held, reason: "why", timestamp: 7)
        func sign(_ act: any FormalAct, by party: Party) throws -> RecordEdit {
            .act(try SignedAct(act: act.encoded, key: party.key))
        }
        // C and B write; C's text is then hidden, with what C builds on it.
        try await c.put("The bad text of all.", in: document)
        try await c.put("The bad text of nobody.", in: document)
        try await b.put("The text of all of us.", in: document)
        try await a.write(try sign(act, by: a.party))
        try await a.send(to: b)
        try await b.write(try sign(act, by: b.party))
        // A store that hears of C's edits before the suspension counts, and one that hears of it first.
        let (early, late) = (try await world.site(0, node: "early"), try await world.site(0, node: "late"))
        try await c.send(to: early)
        #expect(try early.body(of: document) == "The bad text of nobody.")
        try await b.send(to: early)
        try await b.send(to: late)
        #expect(try late.body(of: document) == "The text of all of us.")
        let digest = try late.store.text(document, space: late.space).hash
        try await c.send(to: late)
        for site in [early, late] {
            #expect(try site.body(of: document) == "The text of all of us.")
            #expect(try site.store.text(document, space: site.space).hash == digest)
            #expect(try site.store.textHistory(document, space: site.space).edits.count == 2)
        }
        try await early.put("Then: The text of all of us.", in: document)
        try await exchange(early, late)
        try await expectEqual([early, late])
        let back = Reinstatement(space: a.space, subject: c.party.id, suspensions: [act.hash], timestamp: 9)
        try await a.send(to: b)
        try await a.write(try sign(back, by: a.party))
        try await a.send(to: b)
        try await b.write(try sign(back, by: b.party))
        try await exchange(a, b, c, early, late)
        #expect(try a.body(of: document) == "Then: The bad text of nobody of us.")
        try await expectEqual([a, b, c, early, late])
    }

    @Test("both branches of a forked replica merge, where both count, and each replica gets the same text")
    func fork() async throws {
        let world = try World("ESP", "DEU", "FRA")
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let document = try await a.document("Middle")
        let folder = try Folder()
        try a.store.copyForTests(from: a.path, to: folder.path + "/copy.db")
        let twin = Site(a, store: try ReplicaStore(path: folder.path + "/copy.db"), folder: folder)
        try await a.put("Left Middle", in: document)
        try await twin.put("Middle Right", in: document)
        try await a.send(to: b)
        try await b.put("Left Middle, B", in: document)
        try await twin.send(to: c)
        try await c.put("C: Middle Right", in: document)
        try await exchange(b, c)
        for site in [b, c] {
            let body = try site.body(of: document)
            #expect(body.contains("Left ") && body.contains(" Right") && body.contains("C: "), "\(body)")
        }
        // Somebody who writes now names both branches by one dot.
        try await b.put("Settled", in: document)
        try await exchange(b, c)
        #expect(try c.body(of: document) == "Settled")
        try await expectEqual([b, c])
        try await b.send(to: a)
        try await c.send(to: twin)
        try await expectEqual([a, b, c, twin])
    }

    @Test("what nobody built upon of a fork is not in the text")
    func hiddenFork() async throws {
        let world = try World("ESP", "DEU", "FRA")
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let document = try await a.document("Middle")
        let folder = try Folder()
        try a.store.copyForTests(from: a.path, to: folder.path + "/copy.db")
        let twin = Site(a, store: try ReplicaStore(path: folder.path + "/copy.db"), folder: folder)
        try await a.send(to: b)
        try await a.put("Left Middle", in: document)
        try await a.send(to: c)
        #expect(try c.body(of: document) == "Left Middle")
        try await twin.put("Middle Right", in: document)
        try await twin.send(to: b)
        try await exchange(b, c)
        for site in [b, c] { #expect(try site.body(of: document) == "Middle") }
        try await expectEqual([b, c])
    }
}
