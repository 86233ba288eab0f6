// Random edits of one document by several nodes, against the present text or an older version, exchanged in random
// order: all come to the same text, and what somebody wrote alone is in it as it was written.

import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("Texts: convergence")
struct TextConvergenceTests {
    @Test(
        "whoever writes what against which version, all come to the same text",
        arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let world = try World("ESP", "DEU", "FRA")
        let sites = [try await world.site(0), try await world.site(1), try await world.site(2)]
        let document = try await sites[0].document("Début. 🇪🇸 The first sentence.\nThe second one.\n")
        for site in sites.dropFirst() { try await sites[0].send(to: site) }
        var versions = ["0", try sites[0].version(of: document)]
        for round in 0..<30 {
            let site = sites[Int.random(in: 0..<3, using: &random)]
            if Int.random(in: 0..<3, using: &random) == 0 {
                try await site.send(to: sites[Int.random(in: 0..<3, using: &random)])
                continue
            }
            // A version of another node may not have come here yet.
            let known = versions.filter { (try? site.body(of: document, at: $0)) != nil }
            let isOld = Int.random(in: 0..<3, using: &random) == 0
            let base = isOld ? known.randomElement(using: &random) : nil
            var scalars = Array(try site.body(of: document, at: base).unicodeScalars)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let start = Int.random(in: 0...scalars.count, using: &random)
                let end = min(scalars.count, start + Int.random(in: 0...9, using: &random))
                scalars.replaceSubrange(start..<end, with: "[\(round) é\u{301}🙂]\n".unicodeScalars)
            }
            let text = String(String.UnicodeScalarView(scalars))
            try await site.put(text, in: document, base: base)
            if base == nil { #expect(try site.body(of: document) == text, "seed \(seed)") }
            versions.append(try site.version(of: document))
        }
        try await exchange(sites[0], sites[1], sites[2])
        try await expectEqual(sites)
        let expected = try sites[0].store.text(document, space: sites[0].space)
        for site in sites {
            #expect(try site.store.text(document, space: site.space) == expected, "seed \(seed)")
            let history = try site.store.textHistory(document, space: site.space)
            #expect(history.passages.map(\.text).joined() == expected.text, "seed \(seed)")
            #expect(history.edits.allSatisfy { !$0.isInert }, "seed \(seed)")
        }
        // A store that gets everything at once, backwards, comes to the same.
        let fresh = try await world.site(0, node: "fresh")
        for run in try sites[0].allRuns(maximumBytes: 1).reversed() {
            #expect(try await fresh.store.receive([run], in: fresh.space).refusal == nil, "seed \(seed)")
        }
        #expect(try fresh.store.text(document, space: fresh.space) == expected, "seed \(seed)")
        try await expectEqual([sites[0], fresh])
        for version in versions {
            let text = try sites[0].store.text(document, space: sites[0].space, at: version)
            #expect(try fresh.store.text(document, space: fresh.space, at: version) == text, "seed \(seed)")
        }
    }
}
