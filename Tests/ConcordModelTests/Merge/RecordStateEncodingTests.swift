// The stored form of a record's state comes back whole, and damage is reported, never trapped on. The digest term
// depends on everything that people could see and on nothing else.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("State of a record: stored form and digest")
struct RecordStateEncodingTests {
    @Test("the stored form gives the state back and has one spelling", arguments: 0..<150 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        let state = Self.state(seed)
        let loaded = try state.reloaded
        #expect(loaded == state, "seed \(seed)")
        #expect(loaded.parts == state.parts, "seed \(seed)")
        #expect(loaded.digestTerm(isLive: true) == state.digestTerm(isLive: true), "seed \(seed)")
    }

    @Test("a contact of nine fields takes little besides its displayed values")
    func compact() {
        var state = RecordState(
            id: 7, kind: "contact", parent: nil, dot: Dot(1, 1000), timestamp: 1_800_000_000_000)
        for field in 0..<9 {
            state.apply(
                .set(field: UTF8Text("field\(field)"), value: .text("0123456789"), replacing: []),
                past: CausalPast(of: Dot(1, 1000), others: VersionVector()), timestamp: 1_800_000_000_000)
        }
        #expect(state.parts.stored.count < 64)
    }

    @Test(
        "damaged bytes are refused or read as some state, and never trap", arguments: 0..<100 as Range<UInt64>
    )
    func damage(seed: UInt64) {
        let state = Self.state(seed)
        let (json, bytes) = state.parts
        let id = state.id
        var random = Seeded(seed)
        for _ in 0..<60 {
            var damaged = bytes
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
            case 1: damaged.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: damaged.removeSubrange(place..<min(bytes.count, place + 1 + random.below(4)))
            }
            do {
                let state = try RecordState(stored: damaged, json: json, id: id)
                _ = state.digestTerm(isLive: true)
                #expect(try state.reloaded == state, "seed \(seed)")
            } catch {
                #expect((error as? ConcordError)?.code == .corruptDatabase, "seed \(seed)")
            }
        }
        for count in stride(from: 0, to: bytes.count, by: 5) {
            #expect(
                refusal {
                    _ = try RecordState(stored: Array(bytes.prefix(count)), json: json, id: id)
                }?.code == .corruptDatabase
            )
        }
    }

    @Test("the digest term tells apart whatever people could see apart")
    func sensitivity() throws {
        let base = RecordState(id: 7, kind: "contact", parent: nil, dot: Dot(1, 1), timestamp: 10)
        let past = CausalPast(of: Dot(2, 1), others: VersionVector([Dot(1, 1)]))
        var states = [
            base, RecordState(id: 8, kind: "contact", parent: nil, dot: Dot(1, 1), timestamp: 10),
            RecordState(id: 7, kind: "contact", parent: 8, dot: Dot(1, 1), timestamp: 10),
        ]
        for operation in [
            .set(field: "a", value: .text("1"), replacing: []),
            .set(field: "b", value: .text("1"), replacing: []),
            .set(field: "a", value: .integer(1), replacing: []),
            .set(field: "a", value: .bytes([0x31]), replacing: []),
            .add(field: "a", element: .text("1"), replacing: []),
            .add(field: "a", element: .text("2"), replacing: []),
            .delete(seen: VersionVector()),
        ] as [Operation] {
            var state = base
            state.apply(operation, past: past, timestamp: 10)
            states.append(state)
            var other = base
            other.apply(operation, past: CausalPast(of: Dot(2, 2), others: past.others), timestamp: 10)
            states.append(other)
        }
        for text in ["", "1", "2"] {
            for field in ["a", "b"] as [UTF8Text] {
                var state = base
                state.set(RecordState.Text(field: field, hash: SHA256.hash(Array(text.utf8)), scalars: 1))
                states.append(state)
            }
        }
        let terms = states.map { $0.digestTerm(isLive: true) } + states.map { $0.digestTerm(isLive: false) }
        #expect(Set(terms).count == terms.count)
    }

    @Test(
        "the digest term does not depend on clocks, on touches that left no value, or on which value is displayed"
    )
    func insensitivity() {
        func state(_ first: Int64, _ second: Int64) -> RecordState {
            var state = RecordState(id: 7, kind: "contact", parent: nil, dot: Dot(1, 1), timestamp: first)
            for (replica, timestamp) in [(1, first), (2, second)] as [(UInt64, Int64)] {
                state.apply(
                    .set(field: "name", value: .integer(Int64(replica)), replacing: []),
                    past: CausalPast(
                        of: Dot(ReplicaID(integerLiteral: replica), 2), others: VersionVector([Dot(1, 1)])),
                    timestamp: timestamp)
            }
            return state
        }
        let (a, b) = (state(10, 20), state(20, 10))
        #expect(a.register("name")?.values.first != b.register("name")?.values.first)
        #expect(a.digestTerm(isLive: true) == b.digestTerm(isLive: true))
        #expect(a.version(isLive: true) == b.version(isLive: true))
        #expect(a.version(isLive: true).count == 16)
        #expect(a.digestTerm(isLive: true).description.hasPrefix(a.version(isLive: true)))
    }

    private static func state(_ seed: UInt64) -> RecordState {
        let history = RandomHistory(seed: seed)
        let create = history.changes[0]
        var state = RecordState(
            id: RandomHistory.record, kind: RandomHistory.kind,
            parent: seed % 2 == 0 ? nil : RandomHistory.parent,
            dot: create.dot, timestamp: create.timestamp)
        for (index, change) in history.changes.enumerated() {
            for operation in change.operations {
                state.apply(operation, past: history.pasts[index], timestamp: change.timestamp)
            }
        }
        return state
    }
}
