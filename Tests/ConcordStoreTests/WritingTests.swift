// What a person can get wrong is refused in one sentence, and nothing of it has effect.

import ConcordAPI
import ConcordModel
import ConcordStore
import Synchronization
import Testing

@testable import TestSupport

@Suite struct WritingTests {
    @Test("bad input is refused with its code and changes nothing")
    func badInput() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let contact = try await a.contact("Ana")
        let meeting = try await a.meeting("Founding")
        let before = try a.store.held(a.space)
        let missing = RecordID(Bytes16(high: 1, low: 2))
        let cases: [(RecordEdit, ErrorCode)] = [
            (.create(kind: "planet", fields: []), .unknownKind),
            (.create(kind: "contact", fields: []), .missingField),
            (.create(kind: "contact", fields: [.set("name", .empty)]), .missingField),
            (.create(kind: "contact", fields: [.set("nam", text("x"))]), .unknownField),
            (.create(kind: "agenda_item", fields: [.set("title", text("x"))]), .missingField),
            (
                .create(kind: "agenda_item", parent: .existing(contact), fields: [.set("title", text("x"))]),
                .usage
            ),
            (.create(kind: "contact", parent: .existing(meeting), fields: [.set("name", text("x"))]), .usage),
            (.create(kind: "agenda_item", parent: .existing(missing), fields: []), .unknownRecord),
            (.create(kind: "agenda_item", parent: .edit(3), fields: []), .usage),
            (.update(missing, [.set("name", text("x"))]), .unknownRecord),
            (.update(contact, []), .usage),
            (.update(contact, [.set("name", .empty)]), .missingField),
            (.update(contact, [.set("email", text("no address"))]), .malformedValue),
            (.update(contact, [.set("areas", text("x"))]), .malformedValue),
            (.update(contact, [.add("phone", text("x"))]), .malformedValue),
            (.update(contact, [.add("areas", .empty)]), .malformedValue),
            (.update(contact, [.set("notes", text(String(repeating: "x", count: 20_000)))]), .limitExceeded),
            (.update(meeting, [.set("starts", text("2017-02-30"))]), .malformedValue),
            (.update(meeting, [.set("starts", text("24.5.2017"))]), .malformedValue),
            (.update(meeting, [.set("country", text("Spain"))]), .malformedValue),
            (.update(meeting, [.set("speakers", text("many"))]), .malformedValue),
            (.update(contact, [.set("phone", text("1"))], base: "0000000000000000"), .recordMovedOn),
            (.restore(contact), .usage),
        ]
        for (edit, code) in cases { #expect(await a.refusal(edit) == code, "\(edit)") }
        #expect(await a.refusal() == .usage)
        #expect(await a.refusal(.delete(contact), .update(contact, [.set("phone", text("1"))])) == .usage)
        #expect(try a.store.held(a.space) == before)
        #expect(try await a.store.verify().isClean)
    }

    @Test("a conflict in a field of a later version says that only an upgrade can settle it")
    func laterField() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let contact = try await a.contact("Ana")
        for value in ["one", "another"] {
            try await a.store.append(in: a.space, by: a.signer, author: "", now: 1) { _, _ in
                [
                    Entry(
                        record: contact,
                        operations: [
                            .set(field: "later", value: .text(UTF8Text(value)), replacing: [])
                        ])
                ]
            }
        }
        #expect(try a.record(contact).conflicts.map(\.field) == ["later"])
        await #expect {
            try await a.write(.resolve(contact, field: "later", .take(1)))
        } throws: { error in
            let error = error as? ConcordError
            return error?.code == .unknownField && error?.action?.contains("upgrade") == true
        }
    }

    @Test("dates, codes, numbers and addresses are taken in the forms that the vocabulary names")
    func forms() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let meeting = try await a.meeting("Founding")
        for date in ["2017", "2017-05", "2017-05-24", "2017-05-24T13:15:00-04:00", "2016-02-29T09:00Z", ""] {
            try await a.write(.update(meeting, [.set("starts", text(date))]))
            let shown = try a.record(meeting).fields["starts"]
            #expect(shown == (date.isEmpty ? nil : .string(date)))
        }
        try await a.write(.update(meeting, [.set("speakers", text("12")), .set("notes", .integer(7))]))
        #expect(try a.record(meeting).fields["speakers"] == .integer(12))
        #expect(try a.record(meeting).fields["notes"] == .string("7"))
        let contact = try await a.contact("Ana")
        let member = try await a.write(
            .create(
                kind: "member",
                fields: [
                    .set("code", text("ESP")), .set("name", text("Spain")),
                    .add("addresses", text("[::1]:7443")),
                    .add("addresses", text("example.org:1")),
                ])
        ).created[0]
        #expect(
            try a.record(member).fields["addresses"]
                == .array([.string("[::1]:7443"), .string("example.org:1")]))
        let upper = contact.description.uppercased()
        try await a.write(
            .create(kind: "participation", parent: .existing(meeting), fields: [.set("contact", text(upper))])
        )
        #expect(try a.store.children(of: meeting)[0].fields["contact"] == .string(contact.description))
    }

    @Test("one draft makes a meeting with its agenda, and a refused draft does not hinder its neighbours")
    func drafts() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let good: Draft = [
            .create(kind: "meeting", fields: [.set("title", text("Founding"))]),
            .create(kind: "agenda_item", parent: .edit(0), fields: [.set("title", text("Opening"))]),
            .create(kind: "agenda_item", parent: .edit(0), fields: [.set("title", text("Closing"))]),
        ]
        let bad: Draft = [.create(kind: "contact", fields: [])]
        let results = try await a.store.write(
            [bad, good, bad, good], in: a.space, by: a.signer, author: "ana", now: 5)
        #expect(results.map { (try? $0.get())?.dot.sequence } == [nil, 2, nil, 3])
        let created = try results[1].get().created
        #expect(created.count == 3)
        #expect(try a.store.children(of: created[0]).map(\.title) == ["Opening", "Closing"])
        #expect(try a.store.space(a.space).changes == 3)
    }

    @Test("a first draft that is refused begins no chain")
    func refusedFirst() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        #expect(await a.refusal(.create(kind: "contact", fields: [])) == .missingField)
        #expect(try a.store.ownHead(a.space) == nil)
        #expect(try a.store.held(a.space).vector.isEmpty)
    }

    @Test("writes of many callers at once share transactions, and all of them are there")
    func groupCommit() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let advances = Counter()
        a.store.observeAdvance { _, _ in advances.increment() }
        let dots = try await withThrowingTaskGroup(of: Dot.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await a.write(.create(kind: "contact", fields: [.set("name", text("c\(number)"))]))
                        .dot
                }
            }
            return try await group.reduce(into: Set<Dot>()) { $0.insert($1) }
        }
        #expect(dots.count == 200)
        #expect(advances.value < 200, "some of them must have shared a commit")
        #expect(try a.store.counts(a.space).records == 200)
        #expect(try await a.store.verify().isClean)
    }

    @Test("a long call is split into transactions, in order, each signed at its end")
    func bulk() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let advances = Counter()
        a.store.observeAdvance { _, _ in advances.increment() }
        let drafts: [Draft] = (0..<2_200).map { number in
            [.create(kind: "contact", fields: [.set("name", text("c\(number)"))])]
        }
        let results = try await a.store.write(drafts, in: a.space, by: a.signer, author: "import", now: 9)
        #expect(try results.map { try $0.get().dot.sequence } == Array(2...2_201))
        #expect(advances.value == 3)
        try await a.send(to: b)
        try await expectEqual([a, b])
    }

    @Test("a write with the version that was shown succeeds, and the next one with it is refused")
    func base() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let contact = try await a.contact("Ana")
        let version = try a.record(contact).version
        try await a.write(.update(contact, [.set("phone", text("1"))], base: version))
        #expect(
            await a.refusal(.update(contact, [.set("phone", text("2"))], base: version)) == .recordMovedOn)
    }
}

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Mutex(0)

    func increment() { count.withLock { $0 += 1 } }

    var value: Int { count.withLock { $0 } }
}
