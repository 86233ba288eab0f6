// The laws of the merge on random histories: RecordState agrees with the rules said literally, whatever the order of
// arrival, repetition, and saving and loading in between.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Merge of a record: laws")
struct MergeLawTests {
    @Test(
        "any causal order, with repetitions and restarts, gives what the rules say",
        arguments: 0..<300 as Range<UInt64>)
    func convergence(seed: UInt64) throws {
        let history = RandomHistory(seed: seed)
        var random = Seeded(~seed)
        let everything: UInt64 = (1 << UInt64(history.changes.count)) - 1
        for effective in Set(history.held.filter { $0 & 1 != 0 } + [everything]).sorted() {
            let expected = NaiveRecord(history.changes, effective: effective)
            var first: RecordState?
            for _ in 0..<3 {
                let state = try Self.deliver(history, effective, &random)
                #expect(NaiveRecord(state) == expected.withoutTouches, "seed \(seed)")
                #expect(state.touched == expected.touchedVector, "seed \(seed)")
                let term = state.digestTerm(isLive: state.isLive())
                #expect(term == expected.digestTerm(state.id, state.parent), "seed \(seed)")
                #expect(state == first ?? state, "seed \(seed)")
                if let first { #expect(state.parts == first.parts, "seed \(seed)") }
                first = state
            }
        }
    }

    @Test("the order of a change's operations does not matter", arguments: 1000..<1100 as Range<UInt64>)
    func orderWithinChange(seed: UInt64) {
        let history = RandomHistory(seed: seed)
        var random = Seeded(seed)
        var (straight, shuffled) = (Self.created(history), Self.created(history))
        for (index, change) in history.changes.enumerated() {
            let past = history.pasts[index]
            for operation in change.operations {
                straight.apply(operation, past: past, timestamp: change.timestamp)
            }
            for operation in change.operations.shuffled(using: &random) {
                shuffled.apply(operation, past: past, timestamp: change.timestamp)
            }
        }
        #expect(straight == shuffled, "seed \(seed)")
    }

    @Test(
        "one settling write that has seen everything clears every conflict and every flag",
        arguments: 2000..<2100 as Range<UInt64>)
    func settling(seed: UInt64) throws {
        let history = RandomHistory(seed: seed)
        var random = Seeded(seed)
        let everything: UInt64 = (1 << UInt64(history.changes.count)) - 1
        var state = try Self.deliver(history, everything, &random)
        let past = CausalPast(of: Dot(99, 1), others: VersionVector(history.changes.map(\.dot)))
        for field in state.conflicts {
            let names = try #require(state.register(field)).values.map(\.dot).sorted()
            state.apply(
                .set(field: field, value: .text("settled"), replacing: names), past: past, timestamp: 5)
        }
        state.apply(.restore(deletes: state.openDeletes), past: past, timestamp: 5)
        #expect(state.conflicts.isEmpty && state.openDeletes.isEmpty && state.isLive(), "seed \(seed)")

        var deleted = try Self.deliver(history, everything, &random)
        deleted.apply(.delete(seen: deleted.touched), past: past, timestamp: 5)
        #expect(!deleted.isLive(), "seed \(seed)")
    }

    @Test("the random histories hold what they are to test")
    func coverage() {
        var (conflicts, flagged, dead, restored, emptied, erased) = (0, 0, 0, 0, 0, 0)
        for seed in 0..<300 as Range<UInt64> {
            let history = RandomHistory(seed: seed)
            #expect(history.changes.count <= 60)
            let record = NaiveRecord(history.changes, effective: (1 << UInt64(history.changes.count)) - 1)
            if record.registers.values.contains(where: { $0.count > 1 }) { conflicts += 1 }
            if record.isLive, !record.openDeletes.isEmpty { flagged += 1 }
            if !record.isLive { dead += 1 }
            if record.isLive, record.openDeletes.isEmpty, !record.covered.isEmpty { restored += 1 }
            if record.sets.count < 3, history.changes.count > 10 { emptied += 1 }
            let values = record.registers.values.flatMap { $0.map(\.value) }
            if values.contains(.erased) {
                erased += 1
            }
        }
        #expect(conflicts > 40 && flagged > 40 && dead > 15)
        #expect(restored > 10 && emptied > 10 && erased > 40)
    }

    /// The state after the changes in some causal order, some delivered twice, the state saved and loaded at times.
    private static func deliver(
        _ history: RandomHistory, _ effective: UInt64, _ random: inout Seeded
    ) throws -> RecordState {
        var state = created(history)
        var seen: Set<Dot> = []
        for index in RandomHistory.order(history.changes, effective, &random) {
            let change = history.changes[index]
            for _ in 0..<(random.chance(20) ? 2 : 1) where seen.insert(change.dot).inserted {
                for operation in change.operations {
                    state.apply(operation, past: history.pasts[index], timestamp: change.timestamp)
                }
            }
            if random.chance(15) {
                let loaded = try state.reloaded
                #expect(loaded == state)
                state = loaded
            }
        }
        return state
    }

    private static func created(_ history: RandomHistory) -> RecordState {
        RecordState(
            id: RandomHistory.record, kind: RandomHistory.kind, parent: RandomHistory.parent,
            dot: history.changes[0].dot, timestamp: history.changes[0].timestamp)
    }
}
