// Histories made by hand, each for one rule of the order or one case of the walk, with the texts that they mean.

import ConcordText
import Testing

/// A history and what it means.
struct GoldenText: Sendable, CustomTestStringConvertible {
    let name: String
    let edits: [TextEdit]
    /// The text of all edits; U+FFFF stands for each erased scalar.
    let text: String
    var inert: [TextEditID] = []
    /// Texts at other versions.
    var versions: [Version] = []

    struct Version: Sendable {
        let edits: [TextEditID]
        let text: String
    }

    var testDescription: String { name }

    static let all = order + deletion + verdicts + forms
}

extension GoldenText {
    static let order = [
        GoldenText(
            name: "two write at one place: the lower agent first, and neither into the other's words",
            edits: [
                TextEdit("b1", [.insert(3, at: 0)], "bbb"), TextEdit("a1", [.insert(3, at: 0)], "aaa"),
            ], text: "aaabbb", versions: [Version(edits: ["b1"], text: "bbb"), Version(edits: [], text: "")]),
        GoldenText(
            name: "nor do they if they write from right to left",
            edits: [
                TextEdit("a1", [.insert(1, at: 0)], "c"),
                TextEdit("a2", after: ["a1"], [.insert(1, at: 0)], "b"),
                TextEdit("b1", [.insert(1, at: 0)], "z"),
                TextEdit("b2", after: ["b1"], [.insert(1, at: 0)], "y"),
                TextEdit("a3", after: ["a2"], [.insert(1, at: 0)], "a"),
                TextEdit("b3", after: ["b2"], [.insert(1, at: 0)], "x"),
            ], text: "abcxyz", versions: [Version(edits: ["a3", "b1"], text: "abcz")]),
        GoldenText(
            name: "nor if they write on both sides of what they wrote",
            edits: [
                TextEdit("c1", [.insert(1, at: 0)], "c"), TextEdit("a1", [.insert(1, at: 0)], "a"),
                TextEdit("b1", [.insert(1, at: 0)], "b"),
                TextEdit("c2", after: ["c1"], [.insert(1, at: 0)], "("),
                TextEdit("a2", after: ["a1"], [.insert(1, at: 1)], ")"),
                TextEdit("b2", after: ["b1"], [.insert(1, at: 0), .insert(1, at: 2)], "()"),
                TextEdit("c3", after: ["c2"], [.insert(1, at: 2)], ")"),
                TextEdit("a3", after: ["a2"], [.insert(1, at: 0)], "("),
            ], text: "(a)(b)(c)"),
        GoldenText(
            name: "who comes before the other's later words comes before all of them",
            edits: [
                TextEdit("b1", [.insert(1, at: 0), .insert(1, at: 0)], "de"),
                TextEdit("a1", [.insert(1, at: 0)], "x"),
            ], text: "xed"),
        GoldenText(
            name: "who comes after the other's later words comes after all of them",
            edits: [
                TextEdit("a1", [.insert(1, at: 0), .insert(1, at: 0)], "ij"),
                TextEdit("b1", [.insert(1, at: 0)], "x"),
            ], text: "jix"),
        GoldenText(
            name: "of what follows one scalar, what reached further right when it was written comes first",
            edits: [
                TextEdit("r1", [.insert(1, at: 0)], "R"),
                TextEdit("a1", after: ["r1"], [.insert(1, at: 0)], "L"),
                TextEdit("b1", after: ["r1"], [.insert(1, at: 0)], "K"),
                TextEdit("a2", after: ["a1", "b1"], [.insert(1, at: 1)], "y"),
                TextEdit("c1", after: ["a1"], [.insert(1, at: 1)], "x"),
            ], text: "LxyKR", versions: [Version(edits: ["a1", "b1"], text: "LKR")]),
        GoldenText(
            name: "what was written between two stays between them, whoever else writes there",
            edits: [
                TextEdit("a1", [.insert(1, at: 0)], "a"), TextEdit("c1", [.insert(1, at: 0)], "c"),
                TextEdit("b1", [.insert(1, at: 0)], "b"),
                TextEdit("d1", after: ["a1", "c1"], [.insert(1, at: 1)], "d"),
            ], text: "adbc"),
        GoldenText(
            name: "one agent that writes at one place of two branches: by sequence, whichever came first",
            edits: [
                TextEdit("a1", [.insert(1, at: 0)], "m"),
                TextEdit("a9", after: ["a1"], [.insert(1, at: 1)], "q"),
                TextEdit("a2", after: ["a1"], [.insert(1, at: 1)], "p"),
                TextEdit("a10", after: ["a1"], [.insert(1, at: 1)], "r"),
            ], text: "mpqr"),
        GoldenText(
            name: "agents compare as bytes without sign, the first byte first",
            edits: [
                TextEdit(TextEditID(TextAgent(high: 1 << 63, low: 0), 1), [.insert(1, at: 0)], "3"),
                TextEdit(TextEditID(TextAgent(high: 1, low: 1), 1), [.insert(1, at: 0)], "1"),
                TextEdit(TextEditID(TextAgent(high: 1, low: .max), 1), [.insert(1, at: 0)], "2"),
                TextEdit(TextEditID(TextAgent(high: 0, low: .max), 1), [.insert(1, at: 0)], "0"),
            ], text: "0123"),
        GoldenText(
            name: "two replace one word: both new words stand, and the old one is gone",
            edits: [
                TextEdit("a1", [.insert(3, at: 0)], "cat"),
                TextEdit("b1", after: ["a1"], [TextRun(position: 0, deleted: 3, inserted: 3)], "cow"),
                TextEdit("a2", after: ["a1"], [TextRun(position: 0, deleted: 3, inserted: 3)], "dog"),
            ], text: "dogcow"),
    ]

    static let deletion = [
        GoldenText(
            name: "what two delete is gone once",
            edits: [
                TextEdit("a1", [.insert(3, at: 0)], "xyz"),
                TextEdit("a2", after: ["a1"], [.delete(1, at: 1)]),
                TextEdit("b1", after: ["a1"], [.delete(1, at: 1)]),
            ], text: "xz"),
        GoldenText(
            name: "deletions that overlap",
            edits: [
                TextEdit("a1", [.insert(6, at: 0)], "abcdef"),
                TextEdit("a2", after: ["a1"], [.delete(3, at: 1)]),
                TextEdit("b1", after: ["a1"], [.delete(1, at: 4), .delete(1, at: 3), .delete(1, at: 2)]),
            ], text: "af",
            versions: [Version(edits: ["b1"], text: "abf"), Version(edits: ["a2"], text: "aef")]),
        GoldenText(
            name: "what was written inside of what another deleted stays",
            edits: [
                TextEdit("a1", [.insert(4, at: 0)], "abcd"),
                TextEdit("a2", after: ["a1"], [.delete(2, at: 1)]),
                TextEdit("b1", after: ["a1"], [.insert(1, at: 2)], "X"),
            ], text: "aXd"),
        GoldenText(
            name: "a deletion does not reach what its author had not seen",
            edits: [
                TextEdit("a1", [.insert(4, at: 0)], "abcd"),
                TextEdit("b1", after: ["a1"], [.insert(2, at: 2)], "XY"),
                TextEdit("c1", after: ["a1"], [.delete(4, at: 0)]),
                TextEdit("d1", after: ["b1", "c1"], [.insert(1, at: 1)], "-"),
            ], text: "X-Y"),
        GoldenText(
            name: "writing beside what is deleted",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "ab"),
                TextEdit("a2", after: ["a1"], [.delete(1, at: 1), .insert(1, at: 1)], "P"),
                TextEdit("b1", after: ["a1"], [.insert(1, at: 1)], "Q"),
                TextEdit("b2", after: ["a1"], [.insert(1, at: 2)], "R"),
            ], text: "aPQR"),
        GoldenText(
            name: "a scalar that two deleted stays deleted where only one of them is known",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "xy"), TextEdit("a2", after: ["a1"], [.delete(1, at: 0)]),
                TextEdit("b1", after: ["a1"], [.delete(1, at: 0)]),
                TextEdit("c1", after: ["a2", "b1"], [.insert(1, at: 0)], "c"),
                TextEdit("d1", after: ["a2"], [.insert(1, at: 1)], "z"),
                TextEdit("e1", after: ["b1"], [.insert(1, at: 1)], "w"),
            ], text: "cyzw",
            versions: [Version(edits: ["d1"], text: "yz"), Version(edits: ["e1", "c1"], text: "cyw")]),
        GoldenText(
            name: "deleting all, and writing anew",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "ab"), TextEdit("a2", after: ["a1"], [.delete(2, at: 0)]),
                TextEdit("a3", after: ["a2"], [.insert(1, at: 0)], "c"),
                TextEdit("b1", after: ["a2"], [.insert(1, at: 0)], "d"),
            ], text: "cd", versions: [Version(edits: ["a2"], text: "")]),
    ]

    static let verdicts = [
        GoldenText(
            name: "what is written beyond the end has no effect, but others can follow it",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "ab"),
                TextEdit("b1", after: ["a1"], [.insert(1, at: 3)], "X"),
                TextEdit("b2", after: ["b1"], [.insert(1, at: 2)], "Y"),
            ], text: "abY", inert: ["b1"], versions: [Version(edits: ["b1"], text: "ab")]),
        GoldenText(
            name: "one impossible run makes the whole edit inert",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "ab"),
                TextEdit("b1", after: ["a1"], [.insert(1, at: 0), .delete(4, at: 0)], "X"),
                TextEdit("c1", after: ["a1"], [.delete(3, at: 0)]),
                TextEdit("d1", after: ["a1"], [.delete(1, at: 2)]),
                TextEdit("e1", after: ["a1"], [.delete(1, at: 0), .insert(1, at: 2)], "X"),
            ], text: "ab", inert: ["b1", "c1", "d1", "e1"]),
        GoldenText(
            name: "an edit is judged by what it follows, not by what came here before it",
            edits: [
                TextEdit("a1", [.insert(4, at: 0)], "abcd"),
                TextEdit("b1", after: ["a1"], [.delete(3, at: 0)]),
                TextEdit("c1", after: ["a1"], [.insert(1, at: 4), .delete(1, at: 3)], "!"),
                TextEdit("d1", after: ["b1"], [.insert(1, at: 4)], "X"),
                TextEdit("e1", after: ["b1", "c1"], [.delete(1, at: 0), .insert(1, at: 0)], "E"),
                TextEdit("f1", after: ["b1", "c1"], [.insert(1, at: 2)], "F"),
            ], text: "E", inert: ["d1", "f1"]),
        GoldenText(
            name: "positions may be the end, and a run may come back to what an earlier one wrote",
            edits: [
                TextEdit(
                    "a1", [.insert(2, at: 0), .insert(2, at: 2), .delete(2, at: 1), .insert(1, at: 2)],
                    "abcd!")
            ], text: "ad!"),
    ]

    static let forms = [
        GoldenText(
            name: "erased text counts with its length",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "ab"),
                TextEdit("b1", after: ["a1"], [.insert(2, at: 1)], nil),
                TextEdit("c1", after: ["b1"], [.insert(1, at: 2)], "x"),
                TextEdit("d1", after: ["b1"], [.delete(1, at: 1)]),
            ], text: "ax\u{ffff}b", versions: [Version(edits: ["c1"], text: "a\u{ffff}x\u{ffff}b")]),
        GoldenText(
            name: "an edit without runs joins what it follows",
            edits: [
                TextEdit("a1", [.insert(1, at: 0)], "a"), TextEdit("b1", [.insert(1, at: 0)], "b"),
                TextEdit("c1", after: ["b1", "a1"], []),
                TextEdit("c2", after: ["c1"], [.insert(1, at: 2)], "c"),
                TextEdit("d1", []), TextEdit("d2", after: ["d1"], [.insert(1, at: 0)], "d"),
            ], text: "abcd", versions: [Version(edits: ["c1"], text: "ab"), Version(edits: ["d1"], text: "")]),
        GoldenText(
            name: "a parent that another implies changes nothing",
            edits: [
                TextEdit("a1", [.insert(1, at: 0)], "a"),
                TextEdit("a2", after: ["a1"], [.insert(1, at: 1)], "b"),
                TextEdit("b1", after: ["a2", "a1"], [.insert(1, at: 2)], "c"),
                TextEdit("c1", after: ["a1", "b1", "a2"], [.insert(1, at: 3)], "d"),
            ], text: "abcd", versions: [Version(edits: ["a1", "b1"], text: "abc")]),
        GoldenText(
            name: "positions count Unicode scalars",
            edits: [
                TextEdit("a1", [.insert(4, at: 0)], "e\u{301}\u{1f600}\u{df}"),
                TextEdit("b1", after: ["a1"], [.insert(1, at: 1)], "\u{10ffff}"),
                TextEdit("c1", after: ["a1"], [.delete(1, at: 2)]),
                TextEdit("d1", after: ["b1", "c1"], [.insert(1, at: 3)], "\u{6c34}"),
            ], text: "e\u{10ffff}\u{301}\u{6c34}\u{df}"),
        GoldenText(
            name: "writing, merging and writing on",
            edits: [
                TextEdit("a1", [.insert(2, at: 0)], "hi"),
                TextEdit("a2", after: ["a1"], [.insert(1, at: 0)], "H"),
                TextEdit("a3", after: ["a2"], [.delete(1, at: 1)]),
                TextEdit("b1", after: ["a1"], [.delete(1, at: 1), .insert(2, at: 1)], "ey"),
                TextEdit("a4", after: ["a3", "b1"], [.insert(1, at: 3)], "!"),
            ], text: "Hey!",
            versions: [Version(edits: ["b1"], text: "hey"), Version(edits: ["a3"], text: "Hi")]),
    ]
}
