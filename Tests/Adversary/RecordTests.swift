// The enemy writes what is not its own, and what no honest writer would write: it is listed as refused, or has the
// same effect on all, and what honest members wrote stays.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordText
import Testing

@testable import TestSupport

@Suite("The enemy writes records")
struct RecordTests {
    @Test("writes and deletes what it does not own")
    func anothersRecord() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        let head = try scene.a.head()
        var (chain, bind) = try scene.enemyChain(after: [head])
        let seen = VersionVector([head.dot])
        let runs = [
            bind,
            try chain.forge(Draft(setting(contact, "name", "Eve", replacing: [head.dot]))),
            try chain.forge(Draft(Entry(record: contact, operations: [.delete(seen: seen)]))),
            try chain.forge(
                Draft(
                    Entry(
                        record: contact, operations: [.add(field: "areas", element: text("x"), replacing: [])]
                    ))),
        ]
        #expect(try await scene.deliver(runs).isEmpty, "it is kept")
        try await scene.settle()
        #expect(try scene.titles() == ["Ana"])
        let refused = try scene.b.store.refused(limit: 10)
        #expect(refused.map(\.reason) == Array(repeating: "the record belongs to another member", count: 3))
        #expect(refused.map(\.operations) == [["add"], ["delete"], ["set"]])
    }

    @Test("creates a record under an id that is not its own")
    func wrongId() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain()
        let create: [ConcordModel.Operation] = [.create(kind: "contact", parent: nil)]
        let other = chain
        let claimed = try chain.forge(Draft(Entry(record: contact, operations: create)))
        chain = other
        let invented = try chain.forge(
            Draft(Entry(record: RecordID(Bytes16(high: 1, low: 2)), operations: create)))
        chain = other
        // The id of another kind, another place in the change, another time, another replica.
        let kind = chain.creation(of: "document").record
        let place = chain.creation(of: "contact", index: 1).record
        let time = chain.creation(of: "contact", at: 6).record
        var forged = [bind, claimed, invented]
        for record in [kind, place, time] {
            chain = other
            forged.append(try chain.forge(Draft(Entry(record: record, operations: create))))
        }
        #expect(try await scene.deliver(forged) == [.malformedChange])
        chain = other
        #expect(try await scene.deliver([try chain.contact("Eva")]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Ana", "Eva"])
    }

    @Test("creates a record below one that is not in its past, or is nowhere")
    func unknownParent() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain()
        let nowhere = RecordID(Bytes16(high: 1, low: 2))
        let runs = [
            bind, try chain.forge(Draft(chain.creation(of: "agenda_item", "Blind", parent: meeting).entry)),
            try chain.forge(Draft(chain.creation(of: "agenda_item", "Lost", parent: nowhere).entry)),
        ]
        let itself = chain.creation(of: "agenda_item", "Itself")
        let loop = Entry(
            record: itself.record, operations: [.create(kind: "agenda_item", parent: itself.record)])
        var other = chain
        let looped = try other.forge(Draft(loop))
        #expect(try await scene.deliver(runs).isEmpty)
        #expect(try await scene.deliver([looped]) == [.malformedChange])
        let seeing = try chain.forge(
            Draft(
                chain.creation(of: "agenda_item", "Seeing", parent: meeting).entry,
                after: [try scene.a.head()]))
        try await scene.deliver([seeing])
        try await scene.settle()
        #expect(try scene.titles() == ["Seeing", "Theirs"])
    }

    @Test("stands records in a circle, by branches that create one record differently")
    func circle() async throws {
        let scene = try await Scene()
        var (x, bindX) = try scene.enemyChain(node: "x")
        var (y, bindY) = try scene.enemyChain(node: "y")
        let (forkX, forkY) = (x.head, y.head)
        let (recordX, plainX) = x.creation(of: "meeting", "X")
        let (recordY, plainY) = y.creation(of: "meeting", "Y")
        let firstX = try x.forge(Draft(plainX))
        let firstY = try y.forge(Draft(plainY))
        let (openX, openY) = (x.head, y.head)
        (x.head, y.head) = (forkX, forkY)
        let belowY = x.creation(of: "meeting", "X below Y", parent: recordY)
        let belowX = y.creation(of: "meeting", "Y below X", parent: recordX)
        #expect(belowY.record == recordX && belowX.record == recordY)
        let secondX = try x.forge(Draft(belowY.entry, after: [openY]))
        let secondY = try y.forge(Draft(belowX.entry, after: [openX]))
        try await scene.deliver([bindX, bindY, firstX, firstY, secondX, secondY])
        try await scene.settle()
        // A third chain of the enemy brings all of it into effect.
        var (third, bind) = try scene.enemyChain(node: "third", after: [openX, openY, x.head, y.head])
        var runs = [bind]
        for record in [recordX, recordY] {
            runs.append(try third.forge(Draft(setting(record, "city", "Nowhere"))))
            let all = VersionVector([openX, openY, third.head].map(\.dot))
            runs.append(try third.forge(Draft(Entry(record: record, operations: [.delete(seen: all)]))))
            let deleted = [third.head.dot]
            runs.append(
                try third.forge(Draft(Entry(record: record, operations: [.restore(deletes: deleted)]))))
        }
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        for record in [recordX, recordY] {
            let code = await scene.a.refusal(.update(record, [.set("city", text("Madrid"))]))
            #expect(code == nil || code == .recordNotShown)
            _ = await scene.b.refusal(.delete(record))
            _ = await scene.c.refusal(.restore(record))
        }
        _ = try await scene.a.contact("Ana")
        try await scene.settle()
    }

    @Test("names values that it has not seen, values of others' fields, and its own future")
    func namesAnything() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.a.write(
            .update(meeting, [.set("city", text("Madrid")), .add("organizers", text("ESP"))]))
        try await scene.settle()
        let heads = [try scene.a.head()]
        try await scene.b.write(
            .update(meeting, [.set("title", text("B's")), .add("organizers", text("DEU"))]))
        let unseen = [try scene.b.head().dot]
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: heads)
        let all = (heads.map(\.dot) + unseen).sorted()
        let grasp = Entry(
            record: meeting,
            operations: [
                .set(field: "notes", value: text("x"), replacing: all),
                .remove(field: "organizers", element: text("DEU"), replacing: all),
                .add(field: "organizers", element: text("FRA"), replacing: all),
                .restore(deletes: all),
            ])
        let delete = Entry(record: meeting, operations: [.delete(seen: VersionVector(unseen))])
        #expect(
            try await scene.deliver([bind, try chain.forge(Draft(grasp)), try chain.forge(Draft(delete))])
                .isEmpty)
        let future = chain.next
        let own = try chain.forge(Draft(setting(meeting, "title", "x", replacing: [future])))
        #expect(try await scene.deliver([own]) == [.malformedChange])
        try await scene.settle()
        let record = try scene.c.record(meeting)
        #expect(record.title == "B's" && record.fields["city"] == .string("Madrid") && record.shown)
        #expect(record.fields["organizers"] == .array([.string("DEU"), .string("ESP"), .string("FRA")]))
    }

    @Test(
        "writes fields and kinds that do not exist, registers as sets and sets as registers, and bytes for text"
    )
    func nonsense() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let nonsense = Entry(
            record: meeting,
            operations: [
                .add(field: "title", element: text("x\u{0}\u{1b}[2J"), replacing: []),
                .add(field: "title", element: .bytes([0xff, 0xfe]), replacing: []),
                .set(field: "organizers", value: .integer(.min), replacing: []),
                .set(field: "starts", value: .bytes([1, 2]), replacing: []),
                .set(field: "", value: text("\"}'; DROP TABLE record;--"), replacing: []),
                .set(field: "shown", value: text("no"), replacing: []),
                .edit(
                    field: "notes", parents: [],
                    runs: [TextRun(position: 4_194_304, deleted: 4_194_304, inserted: 1)], inserted: "x"),
                .unknown(header: [0x81, 0x18, 0x63], value: [0x01]),
            ])
        let kind = chain.creation(of: "nonsense").entry
        let runs = [
            bind, try chain.forge(Draft(nonsense)),
            try chain.forge(Draft(chain.creation(of: "nonsense").entry)),
        ]
        #expect(kind.record != nil)
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        let record = try scene.b.record(meeting)
        #expect(record.title == "Theirs")
        #expect(try scene.b.store.log(LogQuery()).count == 5)
        try await scene.b.write(
            .update(meeting, [.set("title", text("Still theirs")), .set("starts", text("2017-05"))]))
        try await scene.settle()
        #expect(try scene.c.record(meeting).title == "Still theirs")
        #expect(try await scene.c.store.search("theirs").count == 1)
    }

    @Test("writes more values of one field than an operation may name")
    func conflictFlood() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        var runs = [bind]
        let count = Limits.namedDots + 40
        for start in stride(from: 0, to: count, by: 512) {
            let drafts = (start..<min(count, start + 512)).map { Draft(setting(meeting, "city", "\($0)")) }
            runs.append(try chain.forge(drafts))
        }
        #expect(try await scene.a.store.receive(runs, in: scene.space).refusal == nil)
        // Whoever settles it may have to do so several times.
        var rounds = 0
        while try scene.a.record(meeting).conflicts.count > 0, rounds < 3 {
            try await scene.a.write(.resolve(meeting, field: "city", .value(text("Madrid"))))
            rounds += 1
        }
        #expect(try scene.a.record(meeting).fields["city"] == .string("Madrid"))
        #expect(try scene.a.record(meeting).conflicts.isEmpty)
    }
}
