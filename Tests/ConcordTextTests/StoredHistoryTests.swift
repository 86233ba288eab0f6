// What is written to disk and read again is the same history; what is damaged is refused.

import Testing

@testable import ConcordText

@Suite struct StoredHistoryTests {
    @Test("a text goes on from stored chunks as if it had never been stored")
    func saving() { Self.saved.check(TextSeeds.share(10)) }

    @Test("so does one of a long history")
    func savingLong() { Self.saved.check(TextSeeds.share(400), MergedTextTests.long) }

    static let saved = TextLaw(name: "saved and loaded in between") { edits, dice in
        let oracle = TreeOracle(edits)
        var subject = Subject()
        for batch in batches(reordered(edits, &dice), &dice) {
            try subject.apply(batch)
            guard dice.chance(40) else { continue }
            let history = subject.text.history
            let loaded = try TextHistory(chunks: chunks(history, &dice))
            if let fault = difference(loaded, history) { return fault }
            subject.text = MergedText(history: loaded, text: TextBuffer(utf8: subject.text.text.utf8))
            if let fault = try subject.fault(oracle) { return "after loading: \(fault)" }
        }
        if let fault = try subject.fault(oracle) { return fault }
        let version = someVersion(edits, &dice)
        let expected = oracle.written(at: version).map(\.scalar)
        return Subject.fault("the text at \(version)", try subject.text.text(at: version), expected)
    }

    @Test("a chunk that was cut short is refused")
    func truncation() throws {
        for seed in TextSeeds.share(500) {
            let chunk = try Self.chunk(of: seed)
            for count in chunk.indices {
                try Self.expectRefusal(Array(chunk[..<count]), of: chunk, "seed \(seed), \(count) bytes")
            }
        }
    }

    @Test("a chunk of which bits were flipped or bytes changed is refused")
    func damage() throws {
        for seed in TextSeeds.share(500) {
            let chunk = try Self.chunk(of: seed)
            var dice = Seeded(seed)
            for bit in 0..<min(chunk.count * 8, 2000) {
                var damaged = chunk
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                try Self.expectRefusal(damaged, of: chunk, "seed \(seed), bit \(bit)")
            }
            for round in 0..<200 {
                var damaged = chunk
                for _ in 0...dice.below(4) {
                    let place = dice.below(damaged.count)
                    switch dice.below(3) {
                    case 0: damaged[place] = UInt8(dice.below(256))
                    case 1: damaged.insert(UInt8(dice.below(256)), at: place)
                    default: damaged.removeSubrange(place..<min(damaged.count, place + 1 + dice.below(8)))
                    }
                    if damaged.isEmpty { break }
                }
                try Self.expectRefusal(damaged, of: chunk, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("a chunk with a fault and the right check is refused or read as some history")
    func fault() throws {
        for seed in TextSeeds.share(100) {
            let chunk = try Self.chunk(of: seed).dropLast(8)
            var dice = Seeded(seed)
            for _ in 0..<100 {
                var changed = Array(chunk)
                for _ in 0...dice.below(3) {
                    let place = dice.below(changed.count)
                    changed[place] = dice.chance(50) ? UInt8(dice.below(256)) : changed[place] ^ 1
                }
                let check = changed.withUnsafeBytes(ChunkCheck.sum)
                changed += (0..<8).map { UInt8(truncatingIfNeeded: check >> UInt64(56 - 8 * $0)) }
                do {
                    let history = try TextHistory(chunks: [changed])
                    #expect(history.eventCount > 0 && history.editCount > 0)
                } catch TextError.damaged {
                    // As it mostly is.
                } catch {
                    Issue.record("seed \(seed): threw \(error)")
                }
            }
        }
    }

    @Test("chunks in the wrong order, twice, or without the first are refused")
    func order() throws {
        var text = MergedText()
        try text.apply([
            TextEdit("a1", [.insert(3, at: 0)], "abc"),
            TextEdit("b1", after: ["a1"], [.insert(1, at: 1)], "d"),
            TextEdit("a2", after: ["a1"], [.delete(2, at: 0)]),
            TextEdit("b2", after: ["a2", "b1"], [.insert(1, at: 0)], "e"),
        ])
        let first = text.history.chunk(0..<4)
        let second = text.history.chunk(4..<text.history.eventCount)
        #expect(throws: Never.self) { try TextHistory(chunks: [first, second]) }
        for chunks in [[second, first], [first, first], [second], [first, second, second]] {
            #expect(throws: TextError.self) { try TextHistory(chunks: chunks) }
        }
    }

    private static func chunk(of seed: UInt64) throws -> [UInt8] {
        var text = MergedText()
        try text.apply(TextScript(seed: seed, size: TextScriptSize(edits: 3...12)).edits)
        return text.history.chunk(0..<text.history.eventCount)
    }

    private static func expectRefusal(_ damaged: [UInt8], of chunk: [UInt8], _ what: String) throws {
        do {
            let found = try TextHistory(chunks: [damaged])
            let expected = try TextHistory(chunks: [chunk])
            #expect(
                found.chunk(0..<found.eventCount) == expected.chunk(0..<expected.eventCount),
                "\(what): another history was read")
        } catch TextError.damaged {
            // As it should be.
        } catch {
            Issue.record("\(what): threw \(error)")
        }
    }

    /// The history in chunks that are cut between edits.
    static func chunks(_ history: TextHistory, _ dice: inout Seeded) -> [[UInt8]] {
        var ends: [Int] = []
        let share = dice.one(of: [5, 30, 80])
        history.forEachEdit { _, events, _ in
            if events.upperBound == history.eventCount || dice.chance(share) {
                ends.append(events.upperBound)
            }
        }
        var start = 0
        return ends.map { end in
            defer { start = end }
            return history.chunk(start..<end)
        }
    }

    /// What differs between two histories, nil if nothing does.
    static func difference(_ found: TextHistory, _ expected: TextHistory) -> String? {
        struct Entry: Equatable {
            let id: TextEditID
            let events: Range<Int>
            let isInert: Bool
        }
        func entries(_ history: TextHistory) -> [Entry] {
            var entries: [Entry] = []
            history.forEachEdit { entries.append(Entry(id: $0, events: $1, isInert: $2)) }
            return entries
        }
        if found.version != expected.version { return "the loaded version is \(found.version)" }
        if found.eventCount != expected.eventCount { return "\(found.eventCount) events were loaded" }
        if found.editCount != expected.editCount { return "\(found.editCount) edits were loaded" }
        return entries(found) == entries(expected) ? nil : "other edits were loaded"
    }
}
