// What cannot be taken is refused, and leaves everything as it was; what is impossible is held without effect.

import ConcordText
import Testing

@Suite struct RefusalTests {
    private func start() throws -> MergedText {
        var text = MergedText()
        try text.apply([
            TextEdit("a1", [.insert(3, at: 0)], "abc"),
            TextEdit("b1", after: ["a1"], [.insert(1, at: 3)], "d"),
        ])
        return text
    }

    /// Expects that these edits, after some that can be taken, are refused and change nothing.
    private func expectRefusal(_ error: TextError, _ edits: [TextEdit]) throws {
        var text = try start()
        let before = text.history.chunk(0..<text.history.eventCount)
        let good = TextEdit("c1", after: ["a1"], [.insert(2, at: 1)], "xy")
        #expect(throws: error) { try text.apply([good] + edits) }
        #expect(text.text.utf8 == Array("abcd".utf8))
        #expect(text.version == ["b1"])
        #expect(!text.history.contains("c1"))
        #expect(text.history.chunk(0..<text.history.eventCount) == before)
        // What was refused with others can be taken without them.
        try text.apply([good])
        #expect(text.text.utf8 == Array("axybcd".utf8))
    }

    @Test("an edit that names an unknown parent is refused with all that came with it")
    func unknownParent() throws {
        try expectRefusal(
            .unknownParent("b2"), [TextEdit("a2", after: ["a1", "b2"], [.insert(1, at: 0)], "x")])
        try expectRefusal(.unknownParent("z1"), [TextEdit("a2", after: ["z1"], [])])
        try expectRefusal(.unknownParent("a2"), [TextEdit("a2", after: ["a2"], [.insert(1, at: 0)], "x")])
        try expectRefusal(
            .unknownParent("a3"),
            [TextEdit("a2", after: ["a3"], [.insert(1, at: 0)], "x"), TextEdit("a3", after: ["a1"], [])])
    }

    @Test("an edit whose name is taken is refused with all that came with it")
    func duplicate() throws {
        try expectRefusal(.duplicate("b1"), [TextEdit("b1", after: ["a1"], [.insert(1, at: 3)], "d")])
        try expectRefusal(.duplicate("c1"), [TextEdit("c1", after: ["a1"], [.insert(2, at: 1)], "xy")])
        try expectRefusal(
            .duplicate("a2"),
            [TextEdit("a2", after: ["a1"], [.delete(1, at: 0)]), TextEdit("a2", after: ["b1"], [])])
    }

    @Test("an edit that inserts other than its runs say is refused with all that came with it")
    func malformed() throws {
        try expectRefusal(.malformed("a2"), [TextEdit("a2", after: ["a1"], [.insert(2, at: 0)], "x")])
        try expectRefusal(.malformed("a2"), [TextEdit("a2", after: ["a1"], [.insert(1, at: 0)], "xy")])
        try expectRefusal(.malformed("a2"), [TextEdit("a2", after: ["a1"], [.delete(1, at: 0)], "x")])
        let nothing = TextRun(position: 0, deleted: 0, inserted: 0)
        try expectRefusal(
            .malformed("a2"), [TextEdit("a2", after: ["a1"], [nothing, .insert(1, at: 0)], "x")])
    }

    @Test("a version that names an unknown edit is refused")
    func unknownVersion() throws {
        let text = try start()
        #expect(throws: TextError.unknownVersion("c1")) { try text.text(at: ["a1", "c1"]) }
        #expect(throws: TextError.unknownVersion("b2")) { try text.passages(at: ["b2"]) }
    }

    @Test("no number is so large that it does more than make an edit inert")
    func hugeNumbers() throws {
        let huge: [UInt64] = [4_194_304, 1 << 30, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max - 1, .max]
        for number in huge {
            for run in [
                TextRun(position: number, deleted: 1, inserted: 0),
                TextRun(position: 1, deleted: number, inserted: 0),
                TextRun(position: number, deleted: number, inserted: 0),
            ] {
                for erased in [nil, ""] {
                    var text = try start()
                    #expect(
                        try text.apply([TextEdit("c1", after: ["b1"], [run], erased)]) == ["c1"], "\(run)")
                    try text.apply([TextEdit("c2", after: ["c1"], [.insert(1, at: 0)], "x")])
                    #expect(text.text.utf8 == Array("xabcd".utf8), "\(run)")
                }
            }
            guard number > TextLimits.scalars else { continue }
            var text = try start()
            let run = TextRun(position: 0, deleted: 0, inserted: number)
            #expect(try text.apply([TextEdit("c1", after: ["b1"], [run, run], nil)]) == ["c1"], "\(run)")
            #expect(text.version == ["c1"])
            #expect(text.text.utf8 == Array("abcd".utf8))
        }
    }

    @Test("an edit is inert if it makes the text longer than the limit, at its own version")
    func limit() throws {
        let most = TextLimits.scalars
        func letters(_ id: TextEditID, _ count: Int) -> TextEdit {
            TextEdit(
                id: id, parents: [], runs: [.insert(UInt64(count), at: 0)],
                inserted: Array(repeating: 0x61, count: count))
        }
        var text = MergedText()
        #expect(try text.apply([letters("a1", most + 1)]) == ["a1"])
        #expect(text.text.scalarCount == 0)
        text = MergedText()
        #expect(try text.apply([letters("a2", most)]) == [])
        #expect(try text.apply([TextEdit("a3", after: ["a2"], [.insert(1, at: 5)], "x")]) == ["a3"])
        // A run that would pass the limit makes the edit inert even if a later one comes back below it.
        let passing = TextEdit("a4", after: ["a3"], [.insert(1, at: 0), .delete(2, at: 0)], "x")
        #expect(try text.apply([passing]) == ["a4"])
        let staying = TextEdit("a5", after: ["a4"], [.delete(1, at: 0), .insert(1, at: 0)], "x")
        #expect(try text.apply([staying]) == [])
        #expect(text.text.scalarCount == most)
        #expect(throws: TextError.tooLong) { try text.edit("a6", at: 0, deleting: 0, inserting: [0x61]) }
        #expect(text.version == ["a5"])
        // What was written apart may become longer than the limit together.
        #expect(try text.apply([TextEdit("b1", [.insert(2, at: 0)], "yz")]) == [])
        #expect(text.text.scalarCount == most + 2)
        #expect(try text.apply([TextEdit("b2", after: ["a5", "b1"], [.insert(1, at: 0)], "x")]) == ["b2"])
        #expect(try text.apply([TextEdit("b3", after: ["b2"], [.delete(1, at: 0)])]) == [])
        #expect(text.text.scalarCount == most + 1)
    }
}
