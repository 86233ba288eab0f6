// Erasing what somebody wrote into a text: the passage goes from the text, its history, the index and the files of every
// node; what others wrote stays where it is.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("Texts: erasure")
struct TextErasureTests {
    @Test("an erased passage is in no text, no history, no index and no byte of the files")
    func everywhere() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let document = try await a.document("Public. ")
        try await exchange(a, b)
        try await b.put("Public. Quixtrandle said so. ", in: document)
        try await exchange(a, b)
        try await a.put("Public. Quixtrandle said so. Indeed.", in: document)
        try await b.put(
            "Public. Quixtrandle of Vombaskerville said so. ", in: document, base: try b.version(of: document)
        )
        try await exchange(a, b)
        for site in [a, b] {
            #expect(try await site.store.search("quixtrandle").count == 1)
            #expect(try Secrets.traces(in: site.path).count >= 2)
        }
        _ = try await Secrets.erase(document, at: b)
        try await b.send(to: a)
        try await Secrets.sweep(a)
        for site in [a, b] {
            #expect(try Secrets.traces(in: site.path) == [])
            #expect(try site.body(of: document) == "Public. Indeed.")
            #expect(try site.record(document).fields["body"] == .string("Public. Indeed."))
            #expect(try await site.store.search("quixtrandle").isEmpty)
            #expect(try await site.store.search("indeed").count == 1)
            #expect(try site.number("SELECT COUNT(*) FROM document WHERE body = 'Public. Indeed.'") == 1)
            let history = try site.store.textHistory(document, space: site.space)
            #expect(history.passages.map(\.text) == ["Public. ", "Indeed."])
            #expect(history.edits.map(\.isErased) == history.edits.map { $0.author.member == "DEU" })
            #expect(history.passages.reduce(0) { $0 + $1.scalars } == "Public. Indeed.".count)
        }
        try await expectEqual([a, b])
        // What is written now knows the gaps, and merges with what was written before.
        try await a.put("Public! Indeed.", in: document)
        try await exchange(a, b)
        #expect(try b.body(of: document) == "Public! Indeed.")
        try await expectEqual([a, b])
    }

    @Test("who was away merges what it wrote in the erased passage, and who joins later never gets it")
    func absence() async throws {
        let world = try World("ESP", "DEU", "FRA", "ITA")
        let (a, b, away) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let document = try await a.document("Quixtrandle was here")
        try await exchange(a, b, away)
        try await away.put("Well: Quixtrandle was here, too", in: document)
        _ = try await Secrets.erase(document, at: a)
        try await a.send(to: b)
        try await exchange(b, away)
        try await Secrets.sweep(away)
        try await Secrets.sweep(b)
        let late = try await world.site(3)
        try await away.send(to: late)
        try await exchange(a, b, away, late)
        for site in [a, b, away, late] {
            #expect(try Secrets.traces(in: site.path) == [])
            #expect(try site.body(of: document) == "Well: , too")
        }
        try await expectEqual([a, b, away, late])
        #expect(
            await a.refusal(.write(document, field: "body", text: "Well: , too", base: nil)) == .textUnchanged
        )
    }

    @Test("values that come back without an order to erase are in the text again")
    func restored() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let document = try await a.document("Whole text")
        let runs = try a.allRuns().map { run in
            var changes = run.changes
            changes[changes.count - 1] = try Change(encoded: changes[changes.count - 1])
                .erasing(entries: [0]).encoded()
            return ChangeRun(
                replica: run.replica, chain: run.chain, firstSequence: run.firstSequence,
                previous: run.previous, changes: changes, signature: run.signature)
        }
        #expect(try await b.store.receive(runs, in: b.space).refusal == nil)
        #expect(try b.body(of: document) == "")
        try await b.put("Mine.", in: document)
        #expect(try await b.store.receive(try a.allRuns(), in: b.space).refusal == nil)
        let body = try b.body(of: document)
        #expect(body.contains("Mine.") && body.contains("Whole text"), "\(body)")
        try await exchange(a, b)
        try await expectEqual([a, b])
    }
}
