// The two references against each other: what both say of many histories is what the program is held to.
// CONCORD_TEXTS=FIRST-LAST plays other histories, such as CONCORD_TEXTS=17-17 that one alone.

import ConcordText
import Foundation
import Testing

/// The seeds that one run plays.
enum TextSeeds {
    static let all: ClosedRange<UInt64> = {
        let wanted = ProcessInfo.processInfo.environment["CONCORD_TEXTS"] ?? ""
        let ends = wanted.split(separator: "-").compactMap { UInt64($0) }
        return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : 0...9_999
    }()

    /// The first of `count` equal shares of them, or fewer if there are fewer.
    static func share(_ part: Int) -> ClosedRange<UInt64> {
        all.lowerBound...max(all.lowerBound, all.lowerBound + UInt64(all.count / part) - 1)
    }
}

@Suite struct OracleAgreementTests {
    @Test("the definition and the naive walk agree on every text, old version and verdict")
    func agreement() {
        var tally: [String: Int] = [:]
        for seed in TextSeeds.share(10) {
            let script = TextScript(seed: seed)
            var dice = Seeded(~seed)
            let other = reordered(script.edits, &dice)
            let walker = NaiveWalker(other)
            let version = someVersion(script.edits, &dice)
            #expect(walker.inert == script.oracle.inert, "seed \(seed)\n\(source(script.edits))")
            #expect(
                walker.written == script.oracle.written(at: script.version),
                "seed \(seed)\n\(source(script.edits))")
            #expect(
                NaiveWalker(other, at: version).written == script.oracle.written(at: version),
                "seed \(seed) at \(version)\n\(source(script.edits))")
            count(script, &tally)
        }
        // Histories in which nothing happens would show nothing.
        guard TextSeeds.share(10).count > 100 else { return }
        for event in ["merges", "inert", "erased", "without runs", "long texts", "forks"] {
            #expect(tally[event, default: 0] > 10, "few \(event) in \(tally)")
        }
    }

    private func count(_ script: TextScript, _ tally: inout [String: Int]) {
        tally["merges", default: 0] += script.edits.count { $0.parents.count > 1 }
        tally["inert", default: 0] += script.oracle.inert.count
        tally["erased", default: 0] += script.edits.count { $0.inserted == nil && !$0.runs.isEmpty }
        tally["without runs", default: 0] += script.edits.count { $0.runs.isEmpty }
        tally["long texts", default: 0] += script.oracle.length(at: script.version) > 20 ? 1 : 0
        tally["forks", default: 0] += script.version.count > 1 ? 1 : 0
        tally["edits", default: 0] += script.edits.count
        tally["scalars", default: 0] += script.edits.reduce(0) {
            $0 + $1.runs.reduce(0) { $0 + Int($1.inserted) + ($1.deleted > 1000 ? 0 : Int($1.deleted)) }
        }
    }
}
