// The histories made by hand: whether the references agree with the hand, and the program with both.

import ConcordText
import Testing

@Suite struct GoldenTextTests {
    @Test("both references give the text that was written down by hand", arguments: GoldenText.all)
    func references(golden: GoldenText) {
        let oracle = TreeOracle(golden.edits)
        let all = golden.edits.map(\.id)
        #expect(oracle.inert.sorted() == golden.inert)
        #expect(Self.string(oracle.written(at: all)) == golden.text)
        let walker = NaiveWalker(golden.edits)
        #expect(walker.inert.sorted() == golden.inert)
        #expect(Self.string(walker.written) == golden.text)
        for version in golden.versions {
            #expect(Self.string(oracle.written(at: version.edits)) == version.text)
            #expect(Self.string(NaiveWalker(golden.edits, at: version.edits).written) == version.text)
        }
    }

    @Test("the program gives the text that was written down by hand, in any order", arguments: GoldenText.all)
    func program(golden: GoldenText) throws {
        for seed: UInt64 in 0..<20 {
            var dice = Seeded(seed)
            let edits = seed == 0 ? golden.edits : reordered(golden.edits, &dice)
            var subject = Subject()
            for batch in batches(edits, &dice) { try subject.apply(batch) }
            #expect(subject.inert.sorted() == golden.inert)
            #expect(subject.text.text.utf8 == Array(golden.text.utf8))
            for version in golden.versions {
                #expect(try subject.text.text(at: version.edits).utf8 == Array(version.text.utf8))
            }
        }
    }

    private static func string(_ written: [WrittenScalar]) -> String {
        String(decoding: encoded(written.map(\.scalar)), as: UTF8.self)
    }
}
