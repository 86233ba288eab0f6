// Texts that merge, as people write and read them: what is written against which version, what is refused, and where the
// text shows.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import GRDB
import Testing

@testable import TestSupport

@Suite("Texts: writing and reading")
struct TextWritingTests {
    @Test("a document has its body from the beginning, and shows it wherever documents are shown")
    func begins() async throws {
        let a = try await World("ESP").site(0)
        let document = try await a.document("Ánimo, señor 🇪🇸.\nSecond line.")
        let body = "Ánimo, señor 🇪🇸.\nSecond line."
        let text = try a.store.text(document, space: a.space)
        #expect(text.text == body && text.scalars == body.unicodeScalars.count && text.field == "body")
        #expect(text.hash == SHA256.hash(Array(body.utf8)) && text.version.utf8.count == 12)
        #expect(try a.record(document).fields["body"] == .string(body))
        #expect(try a.record(document).title == "A document")
        #expect(try a.store.records(RecordQuery(kind: "document"))[0].fields["body"] == .string(body))
        #expect(try await a.store.search("senor").map(\.record.id) == [document.description])
        let wanted = FieldCondition(field: "body", value: body)
        #expect(try a.store.records(RecordQuery(whereEquals: [wanted])).count == 1)
        #expect(try a.number("SELECT COUNT(*) FROM document WHERE body LIKE 'Ánimo%line.'") == 1)
        #expect(try a.number("SELECT COUNT(*) FROM record WHERE json LIKE '%nimo%'") == 0)
        try await expectEqual([a])
    }

    @Test("a document without a body has the empty text, whose version is 0")
    func empty() async throws {
        let a = try await World("ESP").site(0)
        let document = try await a.document("")
        let text = try a.store.text(document, space: a.space)
        #expect(text.text == "" && text.version == "0" && text.scalars == 0)
        #expect(try a.store.textHistory(document, space: a.space).edits == [])
        #expect(try a.record(document).fields["body"] == nil)
        #expect(try a.number("SELECT COUNT(*) FROM document WHERE body IS NULL") == 1)
        try await a.put("Now", in: document, base: "0")
        #expect(try a.body(of: document) == "Now")
        #expect(try a.body(of: document, at: "0") == "")
        try await a.put("", in: document)
        #expect(try a.number("SELECT COUNT(*) FROM document WHERE body IS NULL") == 1)
        #expect(try a.record(document).fields["body"] == nil)
        try await expectEqual([a])
    }

    @Test("what two write at the same time is in the text of both, whatever the base was called")
    func merges() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let document = try await a.document("One. Two. Three.")
        try await exchange(a, b)
        let base = try a.version(of: document)
        try await a.put("One. Two and a half. Three.", in: document)
        try await b.put("One, Two. Three!", in: document, base: String(base.prefix(4)))
        try await exchange(a, b)
        #expect(try a.body(of: document) == "One, Two and a half. Three!")
        let version = try a.version(of: document)
        let parts = version.split(separator: "+").map(String.init)
        #expect(parts.count == 2 && parts == parts.sorted() && parts.allSatisfy { $0.utf8.count == 12 })
        #expect(try b.version(of: document) == version)
        #expect(try a.body(of: document, at: base) == "One. Two. Three.")
        let sides = try parts.map { try b.body(of: document, at: $0) }
        #expect(Set(sides) == ["One. Two and a half. Three.", "One, Two. Three!"])
        // A later write against the old base meets the same text.
        try await a.put("One. Two. Four.", in: document, base: base)
        try await exchange(a, b)
        #expect(try a.body(of: document).contains("Two and a half"))
        try await expectEqual([a, b])
    }

    @Test("what cannot be written is refused with its own code, and nothing is")
    func refusals() async throws {
        let a = try await World("ESP").site(0)
        let document = try await a.document("Some text")
        let meeting = try await a.meeting("No text")
        let before = try await a.store.heldWithDigest(a.space)
        func write(_ body: String, _ base: String? = nil) -> RecordEdit {
            .write(document, field: "body", text: UTF8Text(body), base: base)
        }
        let first = try a.version(of: document)
        let cases: [(RecordEdit, ErrorCode)] = [
            (write("Some text"), .textUnchanged), (write("Some text", first), .textUnchanged),
            (write("", "0"), .textUnchanged), (write("x", "abcd"), .unknownTextVersion),
            (write("x", "zz"), .unknownTextVersion), (write("x", ""), .unknownTextVersion),
            (write("x", first + "+"), .unknownTextVersion),
            (write("x", String(first.prefix(3))), .unknownTextVersion),
            (write("a\u{ffff}b"), .malformedValue),
            (.write(document, field: "title", text: "x", base: nil), .malformedValue),
            (.write(meeting, field: "title", text: "x", base: nil), .malformedValue),
            (.write(meeting, field: "body", text: "x", base: nil), .unknownField),
            (.update(document, [.set("body", text("x"))]), .malformedValue),
            (.update(document, [.add("body", text("x"))]), .malformedValue),
            (.update(document, [.remove("body", text("x"))]), .malformedValue),
            (
                .create(
                    kind: "document", fields: [.set("title", text("x")), .set("body", text("\u{ffff}"))]),
                .malformedValue
            ),
            (.write(RecordID(Bytes16(high: 1, low: 2)), field: "body", text: "x", base: nil), .unknownRecord),
        ]
        for (edit, expected) in cases { #expect(await a.refusal(edit) == expected, "\(edit)") }
        #expect(await a.refusal(write("x"), write("y")) == .usage)
        #expect(await a.refusal(write("x"), .delete(document)) == .usage)
        #expect(try await a.store.heldWithDigest(a.space).digest == before.digest)
        #expect(code { _ = try a.store.text(meeting, space: a.space) } == .unknownField)
        #expect(code { _ = try a.store.text(document, field: "title", space: a.space) } == .unknownField)
        #expect(code { _ = try a.store.text(document, space: a.space, at: "1234") } == .unknownTextVersion)
        #expect(
            code { _ = try a.store.textHistory(document, space: a.space, at: "x") } == .unknownTextVersion)
        try await a.write(.delete(document))
        #expect(await a.refusal(write("x")) == .recordNotShown)
        #expect(try a.body(of: document) == "Some text", "a deleted document can be read")
    }

    @Test("a write may stand with other edits of the same record, and keeps a deleted one alive")
    func withOthers() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let document = try await a.document("Text")
        try await exchange(a, b)
        try await b.write(
            .update(document, [.set("status", text("draft"))]),
            .write(document, field: "body", text: "Better text", base: nil))
        try await a.write(.delete(document))
        try await exchange(a, b)
        let record = try a.record(document)
        #expect(record.shown && record.editedWhileDeleted && record.fields["status"] == .string("draft"))
        #expect(try a.body(of: document) == "Better text")
        let version = record.version
        try await a.write(.update(document, [.set("status", text("final"))], base: version))
        try await a.put("Best text", in: document)
        #expect(
            await a.refusal(.update(document, [.set("status", text("x"))], base: version)) == .recordMovedOn)
        try await exchange(a, b)
        try await expectEqual([a, b])
    }

    @Test("many drafts of one call build on each other")
    func oneCall() async throws {
        let a = try await World("ESP").site(0)
        let document = try await a.document("0")
        let drafts: [Draft] = (1...30).map { number in
            let text = (0...number).map(String.init).joined(separator: " ")
            return [.write(document, field: "body", text: UTF8Text(text), base: nil)]
        }
        let results = try await a.store.write(drafts, in: a.space, by: a.signer, author: "ana", now: 1)
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(try a.body(of: document) == (0...30).map(String.init).joined(separator: " "))
        let history = try a.store.textHistory(document, space: a.space)
        #expect(history.edits.count == 31 && history.version.utf8.count == 12)
        try await expectEqual([a])
    }

    @Test("a text that is too large for one change becomes several, and is one text everywhere")
    func large() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let line = "Nº 0123456789 ábc 🇪🇸 defghijklmnopqrstuvwxyz\n"
        let body = String(repeating: line, count: 9_000)
        let document = try await a.document(body)
        #expect(try a.body(of: document) == body)
        let changes = try a.store.log(LogQuery(record: document)).count
        #expect(changes >= 4 && changes <= 6)
        // Many small runs: every line is another, and each needs a run.
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
        let other = lines.prefix(1_500).enumerated().map { "\($0) \($1)" }.joined(separator: "\n")
        let written = try await a.put(other, in: document)
        #expect(try a.body(of: document) == other)
        let last = try a.store.textHistory(document, space: a.space)
        #expect(last.version.utf8.count == 12 && last.edits.last?.dot == written.dot)
        #expect(last.edits.count > changes + 1)
        try await exchange(a, b)
        #expect(try b.body(of: document) == other)
        try await expectEqual([a, b])
    }

    @Test("a text may have as many characters as the limit says, and not one more")
    func limit() async throws {
        let a = try await World("ESP").site(0)
        let most = String(repeating: "x", count: Limits.textScalars)
        let edit = RecordEdit.create(
            kind: "document", fields: [.set("title", text("x")), .set("body", text(most + "y"))])
        #expect(await a.refusal(edit) == .limitExceeded)
        let document = try await a.document(most)
        let text = try a.store.text(document, space: a.space)
        #expect(text.scalars == Limits.textScalars)
        #expect(
            await a.refusal(.write(document, field: "body", text: UTF8Text(most + "y"), base: nil))
                == .limitExceeded)
        // Against the empty text it would double what is there.
        #expect(
            await a.refusal(.write(document, field: "body", text: "y", base: "0")) == .limitExceeded)
        // What comes in front goes beyond the limit before the end goes, unless the end goes first.
        let turned = String(repeating: "y\n", count: 40_000) + most.prefix(Limits.textScalars - 80_000)
        try await a.put(turned, in: document)
        #expect(try a.store.text(document, space: a.space).hash == SHA256.hash(Array(turned.utf8)))
        #expect(try a.number("SELECT COUNT(*) FROM refused") == 0)
    }

    @Test("the history says who wrote which passage, when, and which edits there were")
    func history() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1, node: "berlin"))
        let document = try await a.document("Hello world", at: 5_000)
        try await exchange(a, b)
        try await b.write(
            .write(document, field: "body", text: "Hello brave world", base: nil), at: 6_000, by: "bert")
        try await exchange(a, b)
        let first = try a.store.textHistory(document, space: a.space)
        #expect(first.passages.map(\.text) == ["Hello ", "brave ", "world"])
        #expect(first.passages.map(\.author.member) == ["ESP", "DEU", "ESP"])
        #expect(first.passages[1].author.node == "berlin" && first.passages[1].author.label == "bert")
        #expect(first.passages[1].author.at == 6_000 && first.passages.map(\.scalars) == [6, 6, 5])
        #expect(first.edits.map(\.inserted) == [11, 6] && first.edits.map(\.deleted) == [0, 0])
        #expect(first.edits.allSatisfy { !$0.isInert && !$0.isErased })
        #expect(
            first.passages[1].version == first.edits[1].version && first.version == first.edits[1].version)
        let old = try a.store.textHistory(document, space: a.space, at: first.edits[0].version)
        #expect(old.edits == [first.edits[0]] && old.passages.map(\.text) == ["Hello world"])
        #expect(old.version == first.edits[0].version)
        let none = try a.store.textHistory(document, space: a.space, at: "0")
        #expect(none.edits == [] && none.passages == [] && none.version == "0")
        let both = try a.store.text(document, space: a.space, at: "\(old.version)+\(first.version)")
        #expect(both.version == first.version && both.text == "Hello brave world")
    }
}
