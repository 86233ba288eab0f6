// Texts as they come out of files, and what people see of their versions. What others wrote breaks out of nothing.

import ConcordAPI
import ConcordClient
import ConcordModel
import Testing

@Suite("Texts at the command line")
struct DocumentTextTests {
    private func typed(_ text: String, over base: String = "") throws -> TypedText {
        try TypedText(Array(text.utf8), over: base, name: "f")
    }

    // MARK: Files

    @Test("a byte order mark and line ends of another system are no part of a text, and it is said")
    func normalized() throws {
        let plain = try typed("One\nTwo\n")
        #expect(plain.text == "One\nTwo\n")
        #expect(plain.remarks.isEmpty)
        let text = try typed("\u{FEFF}One\r\nTwo\r\n\rThree", over: "One\n")
        #expect(Array(text.text.utf8) == Array("One\nTwo\n\rThree".utf8))
        #expect(text.lostByteOrderMark)
        #expect(text.convertedLineEnds == 2)
        #expect(
            text.remarks == [
                "A byte order mark at the beginning was left out.",
                "2 line ends CR LF became LF.",
            ])
    }

    @Test("what was read out is written back unchanged, whatever stands in it")
    func roundTrip() throws {
        for text in [
            "", "\u{FEFF}a\nb", "a\r\nb\r\n", "\u{FEFF}\r", "e\u{301}\u{0}\u{2028}👍", "\u{FEFF}\u{FEFF}",
        ] {
            let again = try typed(text, over: text)
            #expect(Array(again.text.utf8) == Array(text.utf8))
            #expect(again.remarks.isEmpty)
        }
    }

    @Test("what is not UTF-8 is refused with the offset of the first byte that is not")
    func notUTF8() {
        let error = #expect(throws: ConcordError.self) {
            try TypedText(Array("né".utf8) + [0xE9, 0x0A], name: "draft.md")
        }
        #expect(error?.code == .unreadableFile)
        #expect(error?.message.hasPrefix("draft.md is not") == true)
        #expect(error?.message.hasSuffix("0xe9 at offset 3") == true, "\(error.debugDescription)")
    }

    @Test("on a terminal a text keeps its lines and tabs, and nothing in it moves the cursor")
    func terminal() {
        #expect(TerminalText.escapedText("a\tb\n\u{1b}[2J\r\u{202e}é") == "a\tb\n\\u{1b}[2J\\r\\u{202e}é")
        #expect(TerminalText.escapedText("a\r\nb") == "a\\r\nb")
    }

    // MARK: Differences

    private func document(_ text: String, version: String, isCurrent: Bool = false) -> TextDocument {
        TextDocument(
            id: "r", space: "s", field: "body", version: version, text: text,
            scalars: Int64(text.unicodeScalars.count), sha256: "", isCurrent: isCurrent)
    }

    @Test("a difference is shown in its line, word by word, with the lines around it")
    func difference() {
        let lines = (1...20).map { "Line \($0) stands here." }
        var changed = lines
        changed[9] = "Line 10 was put here."
        let old = document(lines.joined(separator: "\n") + "\n", version: "aaaaaaaaaaaa")
        let new = document(changed.joined(separator: "\n") + "\n", version: "bbbbbbbbbbbb", isCurrent: true)
        #expect(
            WordDifferenceView.lines(from: old, to: new) == [
                "version aaaaaaaaaaaa → bbbbbbbbbbbb (current)",
                "@@ -7,7 +7,7 @@",
                "Line 7 stands here.", "Line 8 stands here.", "Line 9 stands here.",
                "Line 10 [-stands-]{+was put+} here.",
                "Line 11 stands here.", "Line 12 stands here.", "Line 13 stands here.",
            ])
        #expect(
            WordDifferenceView.lines(from: old, to: old)
                == ["version aaaaaaaaaaaa → aaaaaaaaaaaa", "no difference"])
    }

    @Test("whole lines that come and go are marked line by line, and counted on their side")
    func wholeLines() {
        let added = WordDifferenceView.lines(
            from: document("", version: "0"), to: document("a\nb\n", version: "1"))
        #expect(added == ["version 0 → 1", "@@ -1,0 +1,2 @@", "{+a+}", "{+b+}"])
        let removed = WordDifferenceView.lines(
            from: document("a\nb", version: "1"), to: document("", version: "0"))
        #expect(removed == ["version 1 → 0", "@@ -1,2 +1,0 @@", "[-a-]", "[-b-]"])
    }

    @Test(
        "nothing in a text breaks out of its difference, and both texts can be read from it",
        arguments: 0..<50)
    func hostileDifference(seed: Int) {
        var random = ClientSeed(state: UInt64(seed))
        let pieces = [
            "a", "word", " ", "\n", "\u{1b}[2J", "\r\n", "e\u{301}", "\u{301}", "北", "👍", "[-", "+}",
        ]
        func text() -> String {
            (0..<Int.random(in: 0...30, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
        }
        let (old, new) = (text(), text())
        let comparison = TextComparison(old, new)
        let first = comparison.places.map { $0.common + $0.deleted }.joined() + comparison.rest
        let second = comparison.places.map { $0.common + $0.inserted }.joined() + comparison.rest
        #expect(Array(first.utf8) == Array(old.utf8))
        #expect(Array(second.utf8) == Array(new.utf8))
        let document = TextDifferenceDocument(
            id: "r", from: self.document(old, version: "0"), to: self.document(new, version: "1"))
        var scalars = Array(old.unicodeScalars)
        for run in document.runs {
            let place = Int(run.position)
            let end = place + run.deleted.unicodeScalars.count
            #expect(Array(scalars[place..<end]) == Array(run.deleted.unicodeScalars))
            scalars.replaceSubrange(place..<end, with: run.inserted.unicodeScalars)
        }
        #expect(scalars == Array(new.unicodeScalars))
        for line in WordDifferenceView.lines(comparison) {
            #expect(TerminalText.escaped(line) == line, "seed \(seed)")
        }
    }

    // MARK: History

    private func origin(_ member: String, _ node: String) -> TextHistoryDocument.Origin {
        .init(dot: "\(member):1", member: member, node: node, author: "ana", at: "2026-11-22T06:00:00.000Z")
    }

    @Test("a history shows each passage beside who wrote it, and each edit with what is to be known of it")
    func history() {
        let (spain, germany) = (origin("ESP", "madrid"), origin("DEU", "berlin"))
        let document = TextHistoryDocument(
            id: "r", space: "s", field: "body", version: "aaaaaaaaaaaa+bbbbbbbbbbbb",
            passages: [
                .init(position: 0, scalars: 9, text: "We agree ", by: spain),
                .init(position: 9, scalars: 12, text: "on it.\n\u{1b}[2J\n", by: germany),
            ],
            edits: [
                .init(
                    version: "bbbbbbbbbbbb", by: germany, inserted: 12, deleted: 1,
                    isConcurrent: true, isInert: false, isErased: false),
                .init(
                    version: "aaaaaaaaaaaa", by: spain, inserted: 1200, deleted: 0,
                    isConcurrent: false, isInert: true, isErased: true),
            ])
        #expect(
            TextHistoryView.passages(document) == [
                "version aaaaaaaaaaaa+bbbbbbbbbbbb · 21 characters · 2 edits",
                "ESP madrid (ana) · 2026-11-22 06:00  We agree",
                "DEU berlin (ana) · 2026-11-22 06:00  on it.",
                "                                     \\u{1b}[2J",
            ])
        #expect(
            TextHistoryView.edits(document) == [
                "version aaaaaaaaaaaa+bbbbbbbbbbbb · 21 characters · 2 edits",
                "VERSION       WHEN (UTC)        WHO               INSERTED  DELETED  NOTE",
                "bbbbbbbbbbbb  2026-11-22 06:00  DEU berlin (ana)       +12       −1  concurrent",
                "aaaaaaaaaaaa  2026-11-22 06:00  ESP madrid (ana)    +1 200       −0  no effect; erased",
            ])
    }

    // MARK: Writing

    @Test("a write says the versions, how much changed, and whether it met what others wrote")
    func written() {
        var document = TextWrittenDocument(
            id: "r", space: "s", title: "Letter\u{1b}", field: "body", base: "aaaaaaaaaaaa",
            before: "aaaaaaaaaaaa", version: "bbbbbbbbbbbb", changed: true, merged: false, inserted: 1,
            deleted: 12,
            scalars: 20, sha256: "")
        #expect(
            TextWrittenView.lines(document) == [
                "written: Letter\\u{1b} · r", "version aaaaaaaaaaaa → bbbbbbbbbbbb",
                "inserted 1 character, deleted 12 characters",
            ])
        document.merged = true
        document.version = "bbbbbbbbbbbb+cccccccccccc"
        #expect(
            TextWrittenView.lines(document).suffix(2) == [
                "The text had moved on since version aaaaaaaaaaaa: what you wrote is merged with what others wrote.",
                "→ concord document diff r aaaaaaaaaaaa bbbbbbbbbbbb+cccccccccccc",
            ])
        document.changed = false
        document.version = document.base
        #expect(
            TextWrittenView.lines(document) == ["nothing changed: Letter\\u{1b} · r · version aaaaaaaaaaaa"])
    }

    // MARK: Records

    @Test("a record shows which version its text is, and of a long one only the beginning")
    func record() {
        func lines(_ text: String) -> [String] {
            var record = sampleContact()
            record.kind = "document"
            record.fields = ["title": .string("Letter"), "body": .string(text)]
            let summary = TextSummaryDocument(
                field: "body", version: "aaaaaaaaaaaa", scalars: Int64(text.unicodeScalars.count), sha256: "")
            return RecordView().lines(RecordDetailDocument(record: record, children: [], texts: [summary]))
        }
        #expect(
            lines("We agree.\n\u{1b}On it.").suffix(3) == [
                "  body      17 characters · version aaaaaaaaaaaa",
                "            We agree.", "            \\u{1b}On it.",
            ])
        #expect(
            lines("One.\n\nTwo.\n").suffix(3) == ["            One.", "            ", "            Two."])
        let long = lines(String(repeating: "x", count: 5000))
        #expect(long.contains("  body      5 000 characters · version aaaaaaaaaaaa"))
        #expect(long.contains("            " + String(repeating: "x", count: 400) + " …"))
        #expect(long.last == "            → concord document text 019ab2c3-0000-7000-8000-000000000001")
    }
}
