// What a saved text is taken to mean: always exactly the new text, and in hand cases the edit that a reader
// would name.

import Testing

@testable import ConcordText

/// `old` after the runs, by plain means.
private func apply(_ runs: [TextRun], _ inserted: [UInt8], to old: String) -> String {
    var text = Array(old.unicodeScalars)
    let added = Array(String(decoding: inserted, as: UTF8.self).unicodeScalars)
    var next = 0
    for run in runs {
        let from = Int(run.position)
        text.replaceSubrange(
            from..<from + Int(run.deleted), with: added[next..<next + Int(run.inserted)])
        next += Int(run.inserted)
    }
    #expect(next == added.count)
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text)
    return String(view)
}

/// The difference as `kept[deleted|inserted]kept…`, after checking that it gives `new`.
private func show(_ old: String, _ new: String) -> String {
    let (runs, inserted) = TextDifference.runs(from: Array(old.utf8), to: Array(new.utf8))
    let result = apply(runs, inserted, to: old)
    #expect(Array(result.unicodeScalars) == Array(new.unicodeScalars))
    var shown = ""
    var scalars = Array(old.unicodeScalars)[...]
    var added = Array(String(decoding: inserted, as: UTF8.self).unicodeScalars)[...]
    var position = 0
    func take(_ count: Int, _ from: inout ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: from.prefix(count))
        from = from.dropFirst(count)
        return String(view)
    }
    for run in runs {
        shown += take(Int(run.position) - position, &scalars)
        let deleted = take(Int(run.deleted), &scalars)
        shown += "[" + deleted + "|" + take(Int(run.inserted), &added) + "]"
        position = Int(run.position + run.inserted)
    }
    return shown + take(scalars.count, &scalars)
}

private func runs(_ old: String, _ new: String) -> [TextRun] {
    TextDifference.runs(from: Array(old.utf8), to: Array(new.utf8)).runs
}

@Suite("The difference of two texts")
struct TextDifferenceTests {
    @Test("equal texts differ in nothing, and nothing is normalized")
    func equal() {
        for text in ["", "a", "Grüße\n", "\r\n\r\n", "😀"] { #expect(runs(text, text).isEmpty) }
        #expect(show("caf\u{E9}", "cafe\u{301}") == "[caf\u{E9}|cafe\u{301}]")
        #expect(runs("", "ab") == [TextRun(position: 0, deleted: 0, inserted: 2)])
        #expect(runs("ab", "") == [TextRun(position: 0, deleted: 2, inserted: 0)])
    }

    @Test("a run's position is in the text that the runs before it left")
    func sequentialPositions() {
        let (all, inserted) = TextDifference.runs(
            from: Array("one and two and three".utf8), to: Array("first and two and third of all".utf8))
        #expect(
            all == [
                TextRun(position: 0, deleted: 3, inserted: 5),
                TextRun(position: 18, deleted: 5, inserted: 12),
            ])
        #expect(String(decoding: inserted, as: UTF8.self) == "firstthird of all")
    }

    @Test(
        "words are replaced as words",
        arguments: [
            ("the wrold turns", "the world turns", "the [wrold|world] turns"),
            ("the qick fox", "the quick fox", "the [qick|quick] fox"),
            ("the quick fox", "the slow fox", "the [quick|slow] fox"),
            ("größte Öfen", "größere Öfen", "[größte|größere] Öfen"),
            ("naïve", "nai\u{308}ve", "[naïve|nai\u{308}ve]"),
            // What only grew or shrank at one end keeps its letters…
            ("a correct word", "a corrected word", "a correct[|ed] word"),
            ("a correct word", "an incorrect word", "a[|n] [|in]correct word"),
            ("two cats", "two cat", "two cat[s|]"),
            // … unless most of it is new.
            ("a", "apple", "[a|apple]"),
            ("see 1 of 20", "see 12 of 20", "see 1[|2] of 20"),
        ])
    func words(old: String, new: String, expected: String) {
        #expect(show(old, new) == expected)
    }

    @Test(
        "little that is kept between two replacements goes with them",
        arguments: [
            ("the quick brown fox", "the slow black fox", "the [quick brown|slow black] fox"),
            ("salt, pepper", "sugar, cinnamon", "[salt, pepper|sugar, cinnamon]"),
            ("it was not a good day", "it was such a bad day", "it was [not a good|such a bad] day"),
            // A word longer than what changes around it stays.
            ("cat elephant dog", "fox elephant owl", "[cat|fox] elephant [dog|owl]"),
            // Paragraphs stay apart.
            (
                "First words here.\n\nOther words there.\n", "Alpha beta.\n\nGamma delta epsilon.\n",
                "[First words here|Alpha beta].\n\n[Other words there|Gamma delta epsilon].\n"
            ),
            // What is only inserted, or only deleted, swallows nothing.
            ("x B y", "x long sentence B another one y", "x [|long sentence ]B [|another one ]y"),
        ])
    func cleanUp(old: String, new: String, expected: String) {
        #expect(show(old, new) == expected)
    }

    @Test(
        "insertions and deletions stand at the start of words, lines and paragraphs",
        arguments: [
            ("the cat sat", "the big cat sat", "the [|big ]cat sat"),
            ("the big cat", "the cat", "the [big |]cat"),
            ("- a\n- b\n", "- a\n- ab\n- b\n", "- a\n[|- ab\n]- b\n"),
            ("# S\na\n", "# S\nb\n# S\na\n", "[|# S\nb\n]# S\na\n"),
            ("A\n\nB\n", "A\n\nC\n\nB\n", "A\n\n[|C\n\n]B\n"),
            ("A\n\nB\n", "A\n\nB\n\nC\n", "A\n\nB\n[|\nC\n]"),
            ("A\r\nB\r\n", "A\r\nX\r\nB\r\n", "A\r\n[|X\r\n]B\r\n"),
            (
                "f() {\n}\n\ng() {\n}\n", "f() {\n}\n\nh() {\n}\n\ng() {\n}\n",
                "f() {\n}\n\n[|h() {\n}\n\n]g() {\n}\n"
            ),
        ])
    func boundaries(old: String, new: String, expected: String) {
        #expect(show(old, new) == expected)
    }

    @Test(
        "what belongs to one character is not torn, and scripts without spaces are compared letter by letter")
    func scripts() {
        #expect(show("👍 ok", "👍🏽 ok") == "👍[|🏽] ok")
        #expect(show("x 👨‍👩‍👧 y", "x 👨‍👩‍👦 y") == "x [👨‍👩‍👧|👨‍👩‍👦] y")
        #expect(show("🇩🇪🇫🇷", "🇩🇪🇪🇸") == "🇩🇪[🇫🇷|🇪🇸]")
        #expect(show("天地玄黃宇宙洪荒", "天地玄白宇宙洪荒") == "天地玄[黃|白]宇宙洪荒")
        #expect(show("私は猫が好きです。", "私は犬が好きです。") == "私は[猫|犬]が好きです。")
        #expect(show("помідор", "помидор") == "[помідор|помидор]")
    }

    @Test("a moved paragraph moves; what is larger stays")
    func moved() {
        let long = "A long paragraph with many words that should stay where it is.\n"
        let short = "A short one.\n"
        #expect(show(long + short, short + long) == "[|\(short)]\(long)[\(short)|]")
        #expect(show(short + long, long + short) == "[\(short)|]\(long)[|\(short)]")
    }

    @Test("erased scalars are kept unless text on both sides of them is deleted")
    func erased() {
        let mark = "\u{FFFF}"
        func result(_ old: String, _ new: String) -> String {
            let (runs, inserted) = TextDifference.runs(from: Array(old.utf8), to: Array(new.utf8))
            return apply(runs, inserted, to: old)
        }
        #expect(runs("a\(mark)b\(mark)", "ab").isEmpty)
        #expect(result("\(mark)one \(mark)two\(mark)", "one three") == "\(mark)one \(mark)three\(mark)")
        #expect(result("\(mark)\(mark)", "new") == "new\(mark)\(mark)")
        #expect(result("a\(mark)b c", "x c") == "x c")
        #expect(result("\(mark)ab\(mark) c", " c") == "\(mark)\(mark) c")
        #expect(result("a \(mark)", "a b") == "a b\(mark)")
    }

    @Test("the runs give the new text, whatever the texts are", arguments: 0..<400 as Range<UInt64>)
    func randomTexts(seed: UInt64) {
        var random = Seeded(seed)
        let pieces = [
            "a", "b", "ab", "the", " ", " ", "  ", "\n", "\n\n", "\r\n", ", ", ".", "é", "e\u{301}", "中", "好",
            "👍", "🏽", "\u{200D}", "🇩🇪", "🇩", "\u{10FFFF}", "longer words ", "A line that is unique.\n",
        ]
        let kinds = seed % 4 == 0 ? 4 : pieces.count
        func words(_ count: Int) -> [String] {
            (0..<count).map { _ in pieces[Int.random(in: 0..<kinds, using: &random)] }
        }
        let before = words(Int.random(in: 0...60, using: &random))
        var after = before
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let from = Int.random(in: 0...after.count, using: &random)
            let to = min(after.count, from + Int.random(in: 0...6, using: &random))
            if seed % 5 == 1 {
                after = Array(after[to...] + after[..<to])
            } else {
                after.replaceSubrange(from..<to, with: words(Int.random(in: 0...5, using: &random)))
            }
        }
        let isWithErased = seed % 3 == 0
        let old = before.map { isWithErased && Bool.random(using: &random) ? "\u{FFFF}" + $0 : $0 }.joined()
        let new = after.joined()
        for budget in [DifferenceBudget(), DifferenceBudget(differences: 2), DifferenceBudget(steps: 40)] {
            let (oldBytes, newBytes) = (Array(before.joined().utf8), Array(new.utf8))
            let hunks = TextDifference.hunks(from: oldBytes, to: newBytes, budget).hunks
            var (rebuilt, last) = ([UInt8](), 0)
            for hunk in hunks {
                rebuilt += oldBytes[last..<hunk.old.lowerBound] + newBytes[hunk.new]
                last = hunk.old.upperBound
                #expect(!hunk.old.isEmpty || !hunk.new.isEmpty, "seed \(seed)")
            }
            #expect(rebuilt + oldBytes[last...] == newBytes, "seed \(seed)")
        }
        let (runs, inserted) = TextDifference.runs(from: Array(old.utf8), to: Array(new.utf8))
        let result = apply(runs, inserted, to: old)
        let seen = result.unicodeScalars.filter { $0 != TextBuffer.erasedScalar }
        #expect(Array(seen) == Array(new.unicodeScalars), "seed \(seed)")
        var (state, added) = (
            Array(old.unicodeScalars), Array(String(decoding: inserted, as: UTF8.self).unicodeScalars)[...]
        )
        for run in runs {
            let deleted = Int(run.position)..<Int(run.position + run.deleted)
            let isAtEdge = [state[deleted].first, state[deleted].last].contains(TextBuffer.erasedScalar)
            #expect(!isAtEdge, "seed \(seed)")
            state.replaceSubrange(deleted, with: added.prefix(Int(run.inserted)))
            added = added.dropFirst(Int(run.inserted))
        }
        #expect(String(validating: inserted, as: UTF8.self) != nil, "seed \(seed)")
        #expect(runs.allSatisfy { $0.deleted + $0.inserted > 0 }, "seed \(seed)")
    }

    @Test("the cost is bounded, however different large texts are")
    func bounded() {
        var random = Seeded(5)
        func text(_ words: Int) -> [UInt8] {
            (0..<words).flatMap { _ in Array("\(UInt16.random(in: 0...200, using: &random)) ".utf8) }
        }
        let (old, new) = (text(8_000), text(8_000))
        let budget = DifferenceBudget(differences: 100, steps: 200_000)
        let (hunks, steps) = TextDifference.hunks(from: old, to: new, budget)
        // One search may go on for as long as its own bound lets it.
        #expect(steps < 400_000)
        #expect(!hunks.isEmpty)
    }

    @Test("a long line changed in more places than one search covers is still kept between them")
    func manyChanges() {
        // No word is unique, and each change is to a word that both sides have.
        let words = (0..<3_000).map { "word\($0 * $0 % 50)" }
        var changed = words
        for index in stride(from: 5, to: words.count, by: 20) { changed[index] = "word\(index % 7 * 7 + 1)" }
        let (old, new) = (
            Array(words.joined(separator: " ").utf8), Array(changed.joined(separator: " ").utf8)
        )
        let (hunks, _) = TextDifference.hunks(from: old, to: new, DifferenceBudget(differences: 40))
        #expect(hunks.count > 100)
        #expect(hunks.map(\.old.count).reduce(0, +) < old.count / 5)
    }

    @Test("a large text with a few changes is searched in proportion to its lines")
    func fewChanges() {
        let lines = (0..<2_000).map { "Line \($0 % 50) of the text, number \($0) to be exact.\n" }
        var changed = lines
        changed.swapAt(300, 1_700)
        changed[1_000] = "Something else.\n"
        changed.remove(at: 1_200)
        let (old, new) = (Array(lines.joined().utf8), Array(changed.joined().utf8))
        let (hunks, steps) = TextDifference.hunks(from: old, to: new, DifferenceBudget())
        #expect(hunks.count < 16)
        #expect(steps < 1_000)
    }

    @Test("with everything erased taken out, what is left is the new text alone")
    func withoutErased() {
        for (old, new) in [
            ("\u{FFFF}\u{FFFF}abc\u{FFFF}", "abc"), ("a\u{FFFF}b c\u{FFFF}", "a b d"), ("\u{FFFF}", "x"),
            ("ab", "ab"),
        ] {
            let (runs, inserted) = TextDifference.runsWithoutErased(
                from: Array(old.utf8), to: Array(new.utf8))
            #expect(Array(apply(runs, inserted, to: old).utf8) == Array(new.utf8), "\(old.unicodeScalars)")
        }
    }
}
