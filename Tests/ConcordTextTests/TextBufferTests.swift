// TextBuffer against the simplest text there is: an array of scalars. In debug builds the nodes are small, so
// that a few hundred scalars already make several groups of leaves.

import Testing

@testable import ConcordText

private func utf8(_ scalars: some Sequence<Unicode.Scalar>) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in scalars { bytes.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped) }
    return bytes
}

extension TextBuffer {
    fileprivate mutating func insert(_ scalars: [Unicode.Scalar], at position: Int) {
        var bytes: [UInt8] = []
        for scalar in scalars { bytes.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped) }
        bytes.withUnsafeBufferPointer { insert($0, scalars: scalars.count, at: position) }
    }
}

private let alphabet: [Unicode.Scalar] = [
    "a", "b", " ", "\n", "é", "ß", "\u{0301}", "中", "。", "\u{FEFF}", TextBuffer.erasedScalar, "😀",
    "\u{10FFFF}",
]

private func randomScalars(_ count: Int, of kinds: Int, _ random: inout Seeded) -> [Unicode.Scalar] {
    (0..<count).map { _ in alphabet[Int.random(in: 0..<kinds, using: &random)] }
}

/// What stands in the text must be what the model says, by every way to read it.
private func expectSame(
    _ text: TextBuffer, _ model: [Unicode.Scalar], _ hint: Comment, _ random: inout Seeded
) {
    text.checkInvariants()
    let bytes = utf8(model)
    #expect(text.scalarCount == model.count, hint)
    #expect(text.byteCount == bytes.count, hint)
    #expect(text.utf8 == bytes, hint)
    #expect(text.display == utf8(model.filter { $0 != TextBuffer.erasedScalar }), hint)
    var pieces: [UInt8] = []
    text.forEachPiece { pieces.append(contentsOf: $0) }
    #expect(pieces == bytes, hint)
    let low = Int.random(in: 0...model.count, using: &random)
    let high = Int.random(in: low...model.count, using: &random)
    #expect(text.utf8(low..<high) == utf8(model[low..<high]), hint)
}

@Suite("The text buffer")
struct TextBufferTests {
    @Test("random edits give what an array of scalars gives", arguments: 0..<96 as Range<UInt64>)
    func randomEdits(seed: UInt64) {
        var random = Seeded(seed)
        let hint: Comment = "seed \(seed)"
        // Some texts are ASCII alone, some grow, some shrink, some are edited in one place.
        let kinds = seed % 3 == 0 ? 3 : alphabet.count
        let longest = [2, 12, 90, 700][Int(seed / 3 % 4)]
        let target = [0, 60, 900, 3_000][Int(seed / 12 % 4)]
        var model = randomScalars(target / 2, of: kinds, &random)
        var text = TextBuffer(utf8: utf8(model))
        var position = 0
        for step in 0..<120 {
            position =
                seed % 2 == 0
                ? Int.random(in: 0...model.count, using: &random)
                : min(max(0, position + Int.random(in: -9...9, using: &random)), model.count)
            let isInserting = Int.random(in: 0..<2 * max(1, target), using: &random) >= model.count
            if isInserting || step % 5 == 0 {
                let new = randomScalars(Int.random(in: 0...longest, using: &random), of: kinds, &random)
                model.insert(contentsOf: new, at: position)
                text.insert(new, at: position)
                if step % 2 == 0 { position += new.count }
            } else {
                let count = Int.random(in: 0...min(longest, model.count - position), using: &random)
                model.removeSubrange(position..<position + count)
                text.remove(count, at: position)
            }
            if step % 3 == 0 { text.checkInvariants() }
            if step % 15 == 0 { expectSame(text, model, hint, &random) }
        }
        expectSame(text, model, hint, &random)
        text.remove(model.count, at: 0)
        expectSame(text, [], hint, &random)
    }

    @Test("typing, typing backwards and deleting letter by letter give the text")
    func letterByLetter() {
        var random = Seeded(7)
        for kinds in [2, alphabet.count] {
            let letters = randomScalars(1_200, of: kinds, &random)
            var text = TextBuffer()
            var model: [Unicode.Scalar] = []
            for letter in letters {
                text.insert([letter], at: text.scalarCount)
                model.append(letter)
            }
            expectSame(text, model, "typed", &random)
            for place in [0, 500, 1_200] {
                for letter in letters {
                    text.insert([letter], at: place)
                    model.insert(letter, at: place)
                }
                expectSame(text, model, "backwards at \(place)", &random)
            }
            while model.count > 40 {
                let place = model.count * 2 / 3
                text.remove(1, at: place)
                model.remove(at: place)
                if model.count % 97 == 0 { expectSame(text, model, "deleting", &random) }
            }
            expectSame(text, model, "deleted", &random)
        }
    }

    @Test("a copy stays as it is when the original is edited, and the other way round")
    func values() {
        var random = Seeded(3)
        let model = randomScalars(800, of: alphabet.count, &random)
        let original = TextBuffer(utf8: utf8(model))
        var inserted = original
        var removed = original
        #expect(inserted == original)
        inserted.insert(["x"], at: 400)
        removed.remove(300, at: 200)
        expectSame(original, model, "the original", &random)
        expectSame(inserted, model[..<400] + ["x"] + model[400...], "one copy", &random)
        expectSame(removed, Array(model[..<200] + model[500...]), "the other copy", &random)
        #expect(inserted != original && removed != original && inserted != removed)
        inserted.remove(1, at: 400)
        #expect(inserted == original)
    }

    @Test("texts are equal by their scalars, not by what looks the same")
    func equality() {
        #expect(TextBuffer(utf8: Array("é".utf8)) != TextBuffer(utf8: Array("e\u{301}".utf8)))
        #expect(TextBuffer(utf8: Array("ab".utf8)) != TextBuffer(utf8: Array("ac".utf8)))
        #expect(TextBuffer() == TextBuffer(utf8: []))
        var typed = TextBuffer()
        for position in 0..<500 { typed.insert(["ß"], at: position) }
        #expect(typed == TextBuffer(utf8: utf8(Array(repeating: "ß", count: 500)), scalars: 500))
    }

    @Test("large insertions and removals anywhere keep every scalar")
    func largeEdits() {
        var random = Seeded(11)
        let half = randomScalars(30_000, of: alphabet.count, &random)
        for place in [0, 1, 15_000, 29_999, 30_000] {
            var model = half
            var text = TextBuffer(utf8: utf8(half))
            text.insert(half, at: place)
            model.insert(contentsOf: half, at: place)
            expectSame(text, model, "inserted at \(place)", &random)
            for count in [29_000, 30_000] {
                let from = min(place, model.count - count)
                text.remove(count, at: from)
                model.removeSubrange(from..<from + count)
                expectSame(text, model, "removed \(count) at \(from)", &random)
            }
        }
    }

    @Test("a text of the largest size can be made, edited and emptied")
    func largestText() {
        let bytes = utf8(Array(repeating: "😀" as Unicode.Scalar, count: 64 * 1_024))
        var text = TextBuffer()
        for _ in 0..<64 {
            bytes.withUnsafeBufferPointer { text.insert($0, scalars: 64 * 1_024, at: text.scalarCount) }
        }
        #expect(text.scalarCount == TextLimits.scalars && text.byteCount == 4 * TextLimits.scalars)
        text.insert(["x"], at: TextLimits.scalars / 2)
        #expect(text.utf8(TextLimits.scalars / 2 - 1..<TextLimits.scalars / 2 + 2) == Array("😀x😀".utf8))
        text.remove(text.scalarCount - 1, at: 1)
        text.checkInvariants()
        #expect(text.utf8 == Array("😀".utf8))
        #expect(text.capacity <= 8 * TextBufferSize.leaf)
    }

    @Test(
        "what is deleted gives its memory back, and neither typing nor deleting wastes much", arguments: 0..<8
    )
    func memory(seed: UInt64) {
        var random = Seeded(seed)
        var text = TextBuffer(utf8: utf8(Array(repeating: "x" as Unicode.Scalar, count: 200_000)))
        for _ in 0..<4_000 where seed % 2 == 0 {
            text.insert(["y"], at: Int.random(in: 0...text.scalarCount, using: &random))
        }
        #expect(text.capacity <= 3 * text.byteCount, "seed \(seed)")
        while text.byteCount > 6_000 {
            let count = Int.random(in: 1...60, using: &random)
            text.remove(count, at: Int.random(in: 0...text.scalarCount - count, using: &random))
        }
        text.checkInvariants()
        #expect(text.capacity <= 3 * text.byteCount + 2 * TextBufferSize.leaf, "seed \(seed)")
    }

    @Test("erased scalars count in the text and are left out of what people see")
    func display() {
        let text = TextBuffer(utf8: Array("\u{FFFF}a\u{FFFF}\u{FFFF}，b\u{FFFE}\u{FFFF}".utf8))
        #expect(text.scalarCount == 8)
        #expect(text.display == Array("a，b\u{FFFE}".utf8))
        #expect(TextBuffer(utf8: Array("\u{FFFF}\u{FFFF}".utf8)).display.isEmpty)
        #expect(TextBuffer().display.isEmpty)
        for length in 0..<80 {
            let letters = Array(repeating: UInt8(ascii: "z"), count: length)
            #expect(TextBuffer(utf8: letters + Array("\u{FFFF}".utf8) + letters).display == letters + letters)
        }
    }
}
