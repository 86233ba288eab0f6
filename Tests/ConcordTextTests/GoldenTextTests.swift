// The histories made by hand: whether the references agree with the hand, and the program with both.

import ConcordText
import Testing

@Suite struct GoldenTextTests {
    @Test("the file holds histories of different names, with erased passages among them")
    func file() throws {
        let all = try GoldenText.load()
        #expect(all.count >= 28)
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(all.contains { $0.text.seen != $0.text.written })
    }

    @Test(
        "both references give the text that was written down by hand", arguments: try GoldenText.load())
    func references(golden: GoldenText) {
        let oracle = TreeOracle(golden.edits)
        let all = golden.edits.map(\.id)
        #expect(oracle.inert.sorted() == golden.inert)
        expect(oracle.written(at: all), golden.text)
        let walker = NaiveWalker(golden.edits)
        #expect(walker.inert.sorted() == golden.inert)
        expect(walker.written, golden.text)
        for version in golden.versions {
            expect(oracle.written(at: version.edits), version.text)
            expect(NaiveWalker(golden.edits, at: version.edits).written, version.text)
        }
    }

    @Test(
        "the program gives the text that was written down by hand, in any order",
        arguments: try GoldenText.load())
    func program(golden: GoldenText) throws {
        for seed: UInt64 in 0..<20 {
            var dice = Seeded(seed)
            let edits = seed == 0 ? golden.edits : reordered(golden.edits, &dice)
            var subject = Subject()
            for batch in batches(edits, &dice) { try subject.apply(batch) }
            #expect(subject.inert.sorted() == golden.inert, "seed \(seed)")
            expect(subject.text.text.utf8, golden.text, "seed \(seed)")
            for version in golden.versions {
                expect(try subject.text.text(at: version.edits).utf8, version.text, "seed \(seed)")
            }
        }
    }

    private func expect(
        _ found: [WrittenScalar], _ expected: GoldenText.Expected,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect(encoded(found.map(\.scalar)), expected, sourceLocation: sourceLocation)
    }

    /// Compares bytes, and says what differs as strings.
    private func expect(
        _ found: [UInt8], _ expected: GoldenText.Expected, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let words = "\(string(found)) instead of \(string(expected.written)) \(comment?.rawValue ?? "")"
        #expect(found == expected.written, "\(words)", sourceLocation: sourceLocation)
        let seen = String(decoding: found, as: UTF8.self).unicodeScalars.filter {
            $0 != TextBuffer.erasedScalar
        }
        #expect(encoded(seen.map(\.value)) == expected.seen, "\(words)", sourceLocation: sourceLocation)
    }

    private func string(_ utf8: [UInt8]) -> String { String(decoding: utf8, as: UTF8.self).debugDescription }
}
