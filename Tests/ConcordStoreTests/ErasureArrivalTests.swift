// Erased forms that arrive before the order to erase, or without one: nobody on the way may take values out unnoticed.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import TestSupport

@Suite("Erasure: forms without an order")
struct ErasureArrivalTests {
    /// The runs with the values of all entries on a record taken out.
    private func stripped(_ runs: [ChangeRun], _ record: RecordID) throws -> [ChangeRun] {
        try runs.map { run in
            let changes = try run.changes.map { bytes in
                let change = try Change(encoded: bytes)
                return change.erasing(entries: change.erasableEntries(on: [record])).encoded()
            }
            return ChangeRun(
                replica: run.replica, chain: run.chain, firstSequence: run.firstSequence,
                previous: run.previous,
                changes: changes, signature: run.signature)
        }
    }

    @Test("values that a relay takes out come back from whoever has them; meanwhile no digest is given")
    func strippedOnTheWay() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await Secrets.contact(at: a)
        let outcome = try await b.store.receive(try stripped(a.allRuns(), contact), in: b.space)
        #expect(outcome.refusal == nil && outcome.heldBack == 0)
        #expect(try b.store.held(b.space).hash == a.store.held(a.space).hash)
        #expect(try b.record(contact).fields["name"] == nil)
        let told = try await b.store.heldForPeer(b.space)
        let whole = try a.store.held(a.space).hash
        #expect(told.digest == nil && told.summary.hash != whole)
        #expect(try await b.store.verify().problems.map(\.code) == ["E-3019"])
        let known = try await a.store.compare(told.summary.heads, in: a.space).known
        let again = try a.allRuns(excluding: known)
        #expect(!again.isEmpty)
        #expect(try await b.store.receive(try stripped(again, contact), in: b.space).refusal == nil)
        #expect(try await b.store.heldForPeer(b.space).digest == nil, "the same again helps nobody")
        #expect(try await b.store.receive(again, in: b.space).refusal == nil)
        #expect(try await b.store.heldForPeer(b.space).digest != nil)
        try await expectEqual([a, b])
        #expect(try await b.store.search("vombaskerville").count == 1)
    }

    @Test(
        "an erased form that arrives before its order is in order as soon as that has come, also after a restart"
    )
    func orderFollows() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await Secrets.contact(at: a)
        let before = try a.store.held(a.space).vector
        let earlier = try stripped(a.allRuns(), contact)
        _ = try await Secrets.erase(contact, at: a)
        let order = try a.allRuns(excluding: before)
        #expect(try await b.store.receive(earlier, in: b.space).refusal == nil)
        #expect(try await b.store.heldForPeer(b.space).digest == nil)
        try b.store.close()
        let again = Site(b, store: try ReplicaStore(path: b.path), folder: try Folder())
        #expect(try await again.store.heldForPeer(again.space).digest == nil)
        #expect(try await again.store.receive(order, in: again.space).refusal == nil)
        #expect(try await again.store.heldForPeer(again.space).digest != nil)
        try await expectEqual([a, again])
    }

    @Test("of a form with less and one with other values missing nothing is mixed, and the fuller one wins")
    func partialForms() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        try await a.write(
            .create(kind: "contact", fields: [.set("name", text("One"))]),
            .create(kind: "contact", fields: [.set("name", text("Two"))]))
        let contacts = try a.store.records(RecordQuery(kind: "contact"))
        let ids = try contacts.map { try #require(RecordID(text: $0.id)) }
        let runs = try a.allRuns()
        func names() throws -> [String] {
            try b.store.records(RecordQuery(kind: "contact")).map(\.title).sorted()
        }
        func receive(_ runs: [ChangeRun]) async throws {
            #expect(try await b.store.receive(runs, in: b.space).refusal == nil)
        }
        try await receive(try stripped(stripped(runs, ids[0]), ids[1]))
        #expect(try names() == ["", ""])
        try await receive(try stripped(runs, ids[0]))
        #expect(try names() == ["", contacts[1].title])
        try await receive(try stripped(runs, ids[1]))
        #expect(try names() == ["", contacts[1].title], "it lacks what is held")
        try await receive(runs)
        try await expectEqual([a, b])
    }

    @Test("a change that grows beyond its limit because something of it is erased passes on all the same")
    func growth() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let title = String(repeating: "t", count: 500)
        let draft = (0..<480).map { number -> RecordEdit in
            .create(kind: "meeting", fields: [.set("title", text("\(number) \(title)"))])
        }
        let written = try await a.store.write(draft, in: a.space, by: a.signer, author: "", now: 1)
        _ = try await Secrets.erase(written.created[7], at: a)
        let runs = try a.allRuns()
        #expect(runs.contains { $0.byteCount > Limits.runBytes })
        try await a.send(to: b)
        try await expectEqual([a, b])
        #expect(try b.record(written.created[7]).title == "")
        #expect(try b.record(written.created[8]).title.hasSuffix(title))
    }

    @Test("what an author never gave away is settled by an act of erasure")
    func withheld() async throws {
        let world = try World("ESP", "DEU", "FRA", suspension: 2)
        let a = try await world.site(0)
        var chain = try HandChain(try world.parties[1].node("hand"), a.space)
        let runs = [try chain.bind(), try chain.contact("Never shown")]
        let record = RecordID(space: a.space, kind: "contact", dot: chain.head.dot, index: 0, timestamp: 5)
        #expect(try await a.store.receive(try stripped(runs, record), in: a.space).applied == 2)
        let act = Erasure(
            space: a.space, subject: world.parties[1].id, record: record, changes: [chain.head.dot],
            reason: "withheld", timestamp: 1)
        for party in [0, 2] {
            #expect(try await a.store.heldForPeer(a.space).digest == nil)
            try await a.write(.act(try SignedAct(act: act.encoded, key: world.parties[party].key)))
        }
        let told = try await a.store.heldForPeer(a.space)
        let whole = try a.store.held(a.space).hash
        #expect(told.digest != nil && told.summary.hash == whole)
        #expect(try await a.store.verify().problems == [])
    }
}
