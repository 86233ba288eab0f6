// The enemy edits texts: in forms that nobody takes, beyond what is there, with more concurrent edits than anybody can
// name, and with other operations on the field of a text.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordText
import Testing

@testable import TestSupport

@Suite("The enemy edits texts")
struct TextTests {
    private func edit(
        _ document: RecordID, _ runs: [(UInt64, UInt64, UInt64)], _ inserted: UTF8Text?, parents: [Dot] = []
    ) -> Entry {
        Entry(
            record: document,
            operations: [
                .edit(
                    field: "body", parents: parents,
                    runs: runs.map { TextRun(position: $0.0, deleted: $0.1, inserted: $0.2) },
                    inserted: inserted)
            ])
    }

    /// A run of changes with one entry each, of which the values are gone.
    private func forgeErased(_ chain: inout HandChain, _ entries: [Entry]) throws -> ChangeRun {
        let (first, previous) = (chain.next, chain.head.hash)
        var changes: [[UInt8]] = []
        for entry in entries {
            let dot = chain.next
            let change = Change(
                timestamp: 5, dependencies: [], seed: Bytes16(high: 9, low: dot.sequence),
                authorLabel: "enemy",
                entries: [entry]
            ).erasing(entries: [0])
            let context = ChangeContext(
                space: chain.space, dot: dot, previous: chain.head.hash, dependencies: [])
            chain.head = (dot, change.hash(in: context))
            changes.append(change.encoded())
        }
        return ChangeRun(
            replica: chain.replica, firstSequence: first.sequence, previous: previous.mark, changes: changes,
            signature: try chain.signer.sign(chain.head.hash))
    }

    @Test(
        "with passages that were erased before anybody saw them, and claim to have been long: nobody is held up"
    )
    func claims() async throws {
        let scene = try await Scene()
        let document = try await document(scene, "Text")
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let claim = UInt64(Limits.changeBytes)
        let few = try forgeErased(
            &chain, (0..<16).map { _ in edit(document, [(0, 0, claim)], "x", parents: []) })
        let count = Limits.textClaimed / Limits.changeBytes
        let many = try forgeErased(
            &chain, (0..<count).map { _ in edit(document, [(0, 0, claim)], "x", parents: []) })
        try await scene.settle()
        #expect(try await scene.b.store.receive([bind, few], in: scene.space).refusal == nil)
        #expect(try body(scene.b, document) == "Text")
        // What nobody sees fills the text; whoever writes takes it out.
        try await scene.b.write(.write(document, field: "body", text: "Text!", base: nil))
        #expect(try body(scene.b, document) == "Text!")
        // However it comes, in the end it is too much.
        for (site, deliveries) in [
            (scene.a, [[bind, few, many]]), (scene.b, [[many]]), (scene.c, [[bind], [few, many]]),
        ] {
            for runs in deliveries {
                #expect(try await site.store.receive(runs, in: scene.space).refusal == nil)
            }
        }
        for site in scene.honest {
            #expect(throws: ConcordError.self) { try body(site, document) }
            await #expect(throws: ConcordError.self) {
                try await site.write(.write(document, field: "body", text: "More", base: nil))
            }
            #expect(try await site.sum("SELECT LENGTH(utf8) FROM text") == 0)
            #expect(try await site.sum("SELECT COUNT(*) FROM text_chunk") == 0)
            try await site.write(.update(document, [.set("title", text("Still ours"))]))
        }
    }

    private func document(_ scene: Scene, _ body: String) async throws -> RecordID {
        let fields: [FieldEdit] = [.set("title", text("Theirs")), .set("body", text(body))]
        let document = try await scene.a.write(.create(kind: "document", fields: fields)).created[0]
        try await scene.settle()
        return document
    }

    private func body(_ site: Site, _ document: RecordID) throws -> String {
        try site.store.text(document, space: site.space).text
    }

    @Test("in forms that nobody takes: too many runs, too great numbers, other lengths than were said")
    func malformed() async throws {
        let scene = try await Scene()
        let document = try await document(scene, "Text")
        let (begun, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let many = [(UInt64, UInt64, UInt64)](repeating: (0, 1, 0), count: Limits.textRuns + 1)
        let beyond = UInt64(Limits.textScalars) + 1
        let cases: [(ErrorCode, Entry)] = [
            (.limitExceeded, edit(document, many, "")),
            (.limitExceeded, edit(document, [(UInt64(Limits.textClaimed) + 1, 0, 1)], "x")),
            (.limitExceeded, edit(document, [(0, beyond, 0)], "")),
            (.limitExceeded, edit(document, [(.max, .max, .max)], "x")),
            (.limitExceeded, edit(document, [(0, 0, UInt64(Limits.changeBytes) + 1)], "x")),
            (.malformedChange, edit(document, [(0, 0, 0)], "")), (.malformedChange, edit(document, [], "x")),
            (.malformedChange, edit(document, [(0, 0, 2)], "x")),
            (.malformedChange, edit(document, [(0, 0, 1)], "xy")),
        ]
        for (code, entry) in cases {
            var chain = begun
            #expect(try await scene.deliver([bind, try chain.forge(Draft(entry))]) == [code], "\(entry)")
        }
        // In the erased form nothing says how long the text was; it cannot have been longer than a change.
        var chain = begun
        let run = try forgeErased(&chain, [edit(document, [(0, 0, UInt64(Limits.changeBytes) + 1)], "x")])
        #expect(try await scene.deliver([bind, run]) == [.limitExceeded])
        #expect(try body(scene.a, document) == "Text")
    }

    @Test("beyond what is there, and on the field of a text with other operations: the text stays what it is")
    func nonsense() async throws {
        let scene = try await Scene()
        let document = try await document(scene, "Text")
        let head = try scene.a.head()
        var (chain, bind) = try scene.enemyChain(after: [head])
        let end = UInt64(Limits.textScalars)
        let others = Entry(
            record: document,
            operations: [
                .set(field: "body", value: text("set"), replacing: []),
                .add(field: "body", element: text("added"), replacing: []),
                .edit(
                    field: "title", parents: [], runs: [TextRun(position: 0, deleted: 0, inserted: 1)],
                    inserted: "t"),
            ])
        let runs = [
            bind, try chain.forge(Draft(others)),
            try chain.forge(Draft(edit(document, [(end, end, 1)], "x", parents: [head.dot]))),
            try chain.forge(Draft(edit(document, [(0, 0, 1), (2, 4, 0)], "x", parents: [head.dot]))),
            try chain.forge(Draft(edit(document, [(0, 1, 0)], "", parents: [chain.head.dot]))),
            try chain.forge(Draft(edit(document, [], "", parents: [head.dot, chain.head.dot].sorted()))),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        for site in [scene.a, scene.b, scene.c] {
            #expect(try body(site, document) == "ext")
            let record = try site.record(document)
            #expect(record.fields["body"] == .string("ext") && record.title == "Theirs")
            #expect(try site.store.refused(limit: 10).count == 2)
        }
        #expect(try await scene.b.store.search("set").count == 1, "all that stands on a record is indexed")
        try await scene.b.write(.write(document, field: "body", text: "Next", base: nil))
        try await scene.settle()
        #expect(try body(scene.c, document) == "Next")
    }

    @Test(
        "with more concurrent edits than an operation may name: whoever writes brings them together, in two steps"
    )
    func manyHeads() async throws {
        let scene = try await Scene()
        let count = Limits.namedDots + 40
        let document = try await document(scene, String(repeating: "Text ", count: count / 5 + 1))
        let before = try body(scene.a, document).utf8.count
        let head = try scene.a.head()
        var (chain, bind) = try scene.enemyChain(after: [head])
        var runs = [bind]
        for start in stride(from: 0, to: count, by: 512) {
            let drafts = (start..<min(count, start + 512)).map { number in
                Draft(edit(document, [(UInt64(number), 0, 1)], "x", parents: [head.dot]))
            }
            runs.append(try chain.forge(drafts))
        }
        #expect(try await scene.a.store.receive(runs, in: scene.space).refusal == nil)
        #expect(try body(scene.a, document).utf8.count == count + before)
        for round in 0..<2 {
            try await scene.a.write(
                .write(document, field: "body", text: UTF8Text("Settled \(round)"), base: nil))
        }
        let text = try scene.a.store.text(document, space: scene.space)
        #expect(text.text == "Settled 1" && text.version.utf8.count == 12)
        try await scene.settle()
        #expect(try body(scene.c, document) == "Settled 1")
    }
}
