// What people see when several of them wrote at once.

import ConcordAPI
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite struct MergeTests {
    @Test("concurrent edits of one field are both shown, with who wrote them, until somebody settles it")
    func conflict() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0, node: "madrid"), try await world.site(1, node: "berlin"))
        let meeting = try await a.meeting("Founding")
        try await exchange(a, b)
        try await a.write(.update(meeting, [.set("starts", text("2016-09-20"))]), at: 2_000, by: "ana")
        try await b.write(.update(meeting, [.set("starts", text("2016-09-23"))]), at: 3_000, by: "bert")
        try await exchange(a, b)
        for site in [a, b] {
            let record = try site.record(meeting)
            #expect(record.fields["starts"] == .string("2016-09-23"))
            let values = try #require(record.conflicts.first?.values)
            #expect(values.map(\.value) == [.string("2016-09-23"), .string("2016-09-20")])
            #expect(values.map(\.member) == ["DEU", "ESP"])
            #expect(values.map(\.node) == ["berlin", "madrid"])
            #expect(values.map(\.author) == ["bert", "ana"])
            #expect(try site.store.conflicts().map(\.id) == [meeting.description])
            #expect(try site.store.counts(site.space).conflicts == 1)
        }
        #expect(await a.refusal(.update(meeting, [.set("starts", text("2016-09-21"))])) == .fieldInConflict)
        #expect(await a.refusal(.resolve(meeting, field: "starts", .take(3))) == .noConflict)
        #expect(await a.refusal(.resolve(meeting, field: "title", .take(1))) == .noConflict)
        try await a.write(.resolve(meeting, field: "starts", .take(2)))
        try await exchange(a, b)
        #expect(try b.record(meeting).fields["starts"] == .string("2016-09-20"))
        #expect(try b.record(meeting).conflicts == [])
        #expect(try b.store.conflicts() == [])
        try await expectEqual([a, b])
    }

    @Test("edits of different fields of one record merge without a conflict")
    func differentFields() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Founding")
        try await exchange(a, b)
        try await a.write(
            .update(meeting, [.set("city", text("Alicante")), .add("organizers", text("ESP"))]))
        try await b.write(.update(meeting, [.set("venue", text("Casa")), .add("organizers", text("DEU"))]))
        try await exchange(a, b)
        let record = try a.record(meeting)
        #expect(record.conflicts == [])
        #expect(record.fields["city"] == .string("Alicante"))
        #expect(record.fields["venue"] == .string("Casa"))
        #expect(record.fields["organizers"] == .array([.string("DEU"), .string("ESP")]))
        try await expectEqual([a, b])
    }

    @Test("an element that is added while another removes it stays in the set")
    func addWins() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Founding")
        try await a.write(
            .update(meeting, [.add("organizers", text("ESP")), .add("organizers", text("NAM"))]))
        try await exchange(a, b)
        try await a.write(
            .update(meeting, [.remove("organizers", text("ESP")), .remove("organizers", text("NAM"))]))
        try await b.write(.update(meeting, [.add("organizers", text("ESP"))]))
        try await exchange(a, b)
        #expect(try a.record(meeting).fields["organizers"] == .array([.string("ESP")]))
        try await expectEqual([a, b])
    }

    @Test("a record that is edited while another deletes it stays, flagged, until somebody settles it")
    func editedWhileDeleted() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Founding")
        try await exchange(a, b)
        try await a.write(.delete(meeting))
        #expect(try a.record(meeting).shown == false)
        #expect(try a.store.records(RecordQuery(kind: "meeting")) == [])
        try await b.write(.update(meeting, [.set("city", text("Bonn"))]))
        try await exchange(a, b)
        #expect(try a.record(meeting).shown)
        #expect(try a.record(meeting).editedWhileDeleted)
        #expect(try a.store.conflicts().count == 1)
        try await b.write(.restore(meeting))
        try await exchange(a, b)
        #expect(try a.record(meeting).editedWhileDeleted == false)
        #expect(await a.refusal(.restore(meeting)) == .usage)
        try await expectEqual([a, b])
    }

    @Test("an item added below a meeting that another deletes keeps the meeting alive")
    func childKeepsParentAlive() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let meeting = try await a.meeting("Founding")
        let item = try await a.write(
            .create(kind: "agenda_item", parent: .existing(meeting), fields: [.set("title", text("Opening"))])
        ).created[0]
        try await exchange(a, b)
        try await a.write(.delete(meeting))
        #expect(try a.record(item).shown == false)
        #expect(try a.store.children(of: meeting) == [])
        #expect(await a.refusal(.update(item, [.set("notes", text("x"))])) == .recordNotShown)
        #expect(await a.refusal(.restore(item)) == .recordNotShown)
        let late = try await b.write(
            .create(kind: "agenda_item", parent: .existing(meeting), fields: [.set("title", text("Closing"))])
        ).created[0]
        try await exchange(a, b)
        for site in [a, b] {
            #expect(try site.record(meeting).shown)
            #expect(try site.record(meeting).editedWhileDeleted)
            #expect(try site.record(item).shown)
            #expect(try site.store.children(of: meeting).count == 2)
        }
        try await b.write(.delete(late))
        try await exchange(a, b)
        #expect(try a.record(meeting).shown, "its author saw only the item")
        try await b.write(.delete(meeting))
        try await exchange(a, b)
        #expect(try a.record(meeting).shown == false)
        try await a.write(.restore(meeting))
        try await exchange(a, b)
        #expect(try b.record(item).shown)
        #expect(try b.record(late).shown == false)
        try await expectEqual([a, b])
    }

    @Test("only the creator's member writes owned records, from any of its nodes")
    func owned() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0, node: "hq"), try await world.site(1))
        let mission = try await world.site(0, node: "mission")
        let contact = try await a.contact("Ana")
        try await exchange(a, b, mission)
        #expect(await b.refusal(.update(contact, [.set("phone", text("1"))])) == .notTheOwner)
        #expect(await b.refusal(.delete(contact)) == .notTheOwner)
        try await mission.write(.update(contact, [.set("phone", text("2"))]))
        try await exchange(a, b, mission)
        #expect(try b.record(contact).fields["phone"] == .string("2"))
        #expect(try b.record(contact).owner == "ESP")
        try await expectEqual([a, b, mission])
    }
}
