// Random histories on three sites, exchanged in random pieces and orders: whoever holds the same sees the
// same, and the naive fold agrees. A failing seed is printed; run it alone by putting it into `seeds`.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite struct ConvergenceTests {
    static let seeds: [UInt64] = Array(1...12)

    @Test("stores that hold the same changes see the same, in whatever order they came", arguments: seeds)
    func randomHistories(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let world = try World("ESP", "DEU", "NAM")
        var sites: [Site] = []
        for index in 0..<3 { sites.append(try await world.site(index)) }
        var records: [RecordID] = []
        for step in 0..<60 {
            let site = sites[Int.random(in: 0..<3, using: &generator)]
            if Int.random(in: 0..<3, using: &generator) == 0 {
                let other = sites[Int.random(in: 0..<3, using: &generator)]
                if other !== site { try await deliver(from: site, to: other, &generator) }
            } else {
                try await randomWrite(site, &records, Int64(1_000 + step), &generator)
            }
        }
        try await exchange(sites[0], sites[1], sites[2])
        try await expectEqual(sites)
        let fresh = try await Site(world.parties[0], world.charter, node: "fresh")
        try await deliverShuffled(from: sites[1], to: fresh, &generator)
        try await expectEqual(sites + [fresh])
    }

    /// A write that may be refused: what matters is that nothing breaks.
    private func randomWrite(
        _ site: Site, _ records: inout [RecordID], _ now: Int64, _ generator: inout SeededGenerator
    ) async throws {
        let value = text("v\(Int.random(in: 0..<5, using: &generator))")
        let code = text(["ESP", "DEU", "NAM"].randomElement(using: &generator) ?? "ESP")
        let target = records.randomElement(using: &generator)
        let edit: RecordEdit
        switch (Int.random(in: 0..<12, using: &generator), target) {
        case (0, _), (_, nil):
            edit = .create(kind: "meeting", fields: [.set("title", value)])
        case (1, _):
            edit = .create(kind: "contact", fields: [.set("name", value)])
        case (2, let target?), (3, let target?):
            edit = .create(kind: "agenda_item", parent: .existing(target), fields: [.set("title", value)])
        case (4, let target?): edit = .delete(target)
        case (5, let target?): edit = .restore(target)
        case (6, let target?): edit = .resolve(target, field: "notes", .take(1))
        case (7, let target?): edit = .update(target, [.add("organizers", code)])
        case (8, let target?): edit = .update(target, [.remove("organizers", code)])
        case (_, let target?): edit = .update(target, [.set("notes", value)])
        }
        let written = try? await site.store.write(
            [edit], in: site.space, by: site.signer, author: "a", now: now)
        records += written?.created ?? []
    }

    private func deliver(from site: Site, to other: Site, _ generator: inout SeededGenerator) async throws {
        let runs = try site.runs(for: other, maximumBytes: Int.random(in: 1...20_000, using: &generator))
        let part = runs.prefix(Int.random(in: 0...runs.count, using: &generator))
        let outcome = try await other.store.receive(Array(part), in: site.space)
        #expect(outcome.refusal == nil)
        #expect(outcome.heldBack == 0)
    }

    /// Delivers all runs in any order and with repetitions: what comes too early waits.
    private func deliverShuffled(from site: Site, to other: Site, _ generator: inout SeededGenerator)
        async throws
    {
        let runs = try site.allRuns()
        for run in (runs + runs).shuffled(using: &generator) {
            let outcome = try await other.store.receive([run], in: site.space)
            // A chain whose authority is not known yet waits for its dependencies; none is refused.
            #expect(outcome.refusal == nil)
        }
    }

    @Test("a change that two sessions deliver at once is applied once")
    func concurrentDelivery() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        for number in 0..<40 { _ = try await a.contact("c\(number)") }
        let runs = try a.allRuns(maximumBytes: 1)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var total = 0
                    for run in runs { total += try await b.store.receive([run], in: b.space).applied }
                    return total
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == 41)
        try await expectEqual([a, b])
    }

    @Test("a frontier wider than the limit is merged before the next write")
    func wideFrontier() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let written = try await a.write(.create(kind: "meeting", fields: [.set("title", text("Founding"))]))
        let meeting = written.created[0]
        for index in 0..<66 {
            var chain = try HandChain(try world.parties[1].node("n\(index)"), a.space)
            let notes = Operation.set(field: "notes", value: text("\(index)"), replacing: [])
            let runs = [
                try chain.bind(after: [(written.dot, written.hash)]),
                try chain.run(Entry(record: meeting, operations: [notes])),
            ]
            #expect(try await a.store.receive(runs, in: a.space).applied == 2)
        }
        #expect(try a.record(meeting).conflicts.first?.values.count == 66)
        let settled = try await a.write(.resolve(meeting, field: "notes", .value(text("done"))))
        #expect(settled.dot.sequence == 4, "a merge of 64 dependencies comes first")
        let b = try await world.site(1)
        try await a.send(to: b)
        #expect(try b.record(meeting).conflicts == [])
        try await expectEqual([a, b])
    }
}
