// The rules of the merge by example: each test is a sentence about what people do at the same time.

import ConcordModel
import ConcordText
import Testing

@Suite("Merge of a record: examples")
struct MergeExampleTests {
    fileprivate let spain: ReplicaID = 1
    fileprivate let norway: ReplicaID = 2

    /// A contact that Spain created as its change 1 with a name.
    fileprivate func contact() -> RecordState {
        var state = RecordState(id: 7, kind: "contact", parent: nil, dot: Dot(spain, 1), timestamp: 10)
        state.apply(
            .set(field: "name", value: .text("Ana"), replacing: []), past: past(spain, 1), timestamp: 10)
        return state
    }

    fileprivate func past(_ replica: ReplicaID, _ sequence: UInt64, knowing others: [Dot] = []) -> CausalPast
    {
        CausalPast(of: Dot(replica, sequence), others: VersionVector(others))
    }

    @Test("a new record has what its create says, is live and has no conflicts")
    func created() {
        let state = RecordState(id: 7, kind: "meeting", parent: 3, dot: Dot(spain, 4), timestamp: 10)
        #expect(state.id == 7 && state.kind == "meeting" && state.parent == 3)
        #expect(state.created == Dot(spain, 4) && state.createdAt == 10 && state.updatedAt == 10)
        #expect(state.isLive() && state.conflicts.isEmpty && state.openDeletes.isEmpty)
        #expect(state.touched == VersionVector([Dot(spain, 4)]) && state.covered.isEmpty)
        #expect(state.register("name") == nil && state.elements("areas").isEmpty)
    }

    @Test("a later write replaces the one that it saw")
    func overwrite() {
        var state = contact()
        state.apply(
            .set(field: "name", value: .text("Ana María"), replacing: [Dot(spain, 1)]),
            past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 5)
        #expect(state.register("name")?.values.map(\.value) == [.text("Ana María")])
        #expect(state.updatedAt == 10, "the latest moment counts, not the last arrival")
    }

    @Test(
        "two concurrent writes both stay; the latest is displayed, then the higher replica, then the higher sequence"
    )
    func conflict() {
        var state = contact()
        let seen = [Dot(spain, 1)]
        state.apply(
            .set(field: "name", value: .text("A"), replacing: seen), past: past(norway, 1, knowing: seen),
            timestamp: 20)
        state.apply(
            .set(field: "name", value: .text("B"), replacing: seen), past: past(spain, 2), timestamp: 21)
        #expect(state.conflicts == ["name"])
        #expect(state.register("name")?.values.map(\.value) == [.text("B"), .text("A")])
        state.apply(
            .set(field: "name", value: .text("C"), replacing: seen), past: past(3, 9, knowing: seen),
            timestamp: 20)
        state.apply(
            .set(field: "name", value: .text("D"), replacing: seen), past: past(3, 10, knowing: seen),
            timestamp: 20)
        #expect(
            state.register("name")?.values.map(\.value) == [.text("B"), .text("D"), .text("C"), .text("A")])
    }

    @Test("a cleared register is a value like any other")
    func cleared() {
        var state = contact()
        state.apply(
            .set(field: "name", value: .empty, replacing: [Dot(spain, 1)]), past: past(spain, 2),
            timestamp: 11)
        #expect(state.register("name")?.values.map(\.value) == [.empty])
        state.apply(
            .set(field: "name", value: .text("X"), replacing: [Dot(spain, 1)]),
            past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 12)
        #expect(state.conflicts == ["name"], "clearing and writing at the same time is a conflict")
    }

    @Test("a name outside the past of who names it has no effect")
    func foreignName() {
        var state = contact()
        state.apply(
            .set(field: "name", value: .text("X"), replacing: [Dot(spain, 1)]), past: past(norway, 1),
            timestamp: 11)
        #expect(state.register("name")?.values.count == 2)
        state.apply(
            .delete(seen: VersionVector([Dot(spain, 100)])), past: past(3, 1, knowing: [Dot(norway, 1)]),
            timestamp: 12)
        #expect(state.covered.isEmpty && state.isLive())
        state.apply(.delete(seen: VersionVector([Dot(3, 9)])), past: past(3, 2), timestamp: 13)
        #expect(state.covered == VersionVector([Dot(3, 1)]), "a change is not in its own past")
    }

    @Test("an element that is added again survives a concurrent removal of the first add")
    func addWins() {
        var state = contact()
        let add = Dot(spain, 2)
        state.apply(
            .add(field: "areas", element: .text("law"), replacing: []), past: past(spain, 2), timestamp: 11)
        state.apply(
            .add(field: "areas", element: .text("law"), replacing: [add]), past: past(spain, 3), timestamp: 12
        )
        state.apply(
            .remove(field: "areas", element: .text("law"), replacing: [add]),
            past: past(norway, 1, knowing: [add]), timestamp: 13)
        #expect(state.elements("areas").map(\.adds) == [[Dot(spain, 3)]])
        state.apply(
            .remove(field: "areas", element: .text("law"), replacing: [Dot(spain, 3)]),
            past: past(norway, 2, knowing: [Dot(spain, 3)]), timestamp: 14)
        #expect(state.sets.isEmpty, "a set without elements is gone")
    }

    @Test("two adds of one element are one element, and elements are ascending")
    func elements() {
        var state = contact()
        for (sequence, element) in [
            (2, Value.text("é")), (3, .text("z")), (4, .integer(9)), (5, .bytes([1])),
        ] as [(UInt64, Value)] {
            state.apply(
                .add(field: "areas", element: element, replacing: []), past: past(spain, sequence),
                timestamp: 11)
        }
        state.apply(
            .add(field: "areas", element: .text("z"), replacing: []), past: past(norway, 1), timestamp: 11)
        #expect(state.elements("areas").map(\.element) == [.integer(9), .bytes([1]), .text("z"), .text("é")])
        #expect(state.elements("areas")[2].adds == [Dot(spain, 3), Dot(norway, 1)])
    }

    @Test("a delete that saw everything hides the record and kills no value")
    func delete() {
        var state = contact()
        let values = state.registers
        state.apply(
            .delete(seen: state.touched), past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 11)
        #expect(!state.isLive() && state.openDeletes == [Dot(norway, 1)] && state.registers == values)
        #expect(state.touched == VersionVector([Dot(spain, 1)]), "a delete is no touch")
    }

    @Test("an edit concurrent to the delete keeps the record, which is flagged until somebody settles it")
    func editedWhileDeleted() {
        var state = contact()
        state.apply(
            .delete(seen: state.touched), past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 11)
        state.apply(
            .set(field: "notes", value: .text("x"), replacing: []), past: past(spain, 2), timestamp: 12)
        #expect(state.isLive() && state.openDeletes == [Dot(norway, 1)])
        let all = [Dot(spain, 2), Dot(norway, 1)]
        state.apply(
            .set(field: "notes", value: .text("y"), replacing: [Dot(spain, 2)]),
            past: past(spain, 3, knowing: all), timestamp: 13)
        #expect(state.openDeletes == [Dot(norway, 1)], "an ordinary edit does not settle it")
        var kept = state
        kept.apply(.restore(deletes: [Dot(norway, 1)]), past: past(spain, 4, knowing: all), timestamp: 14)
        #expect(kept.isLive() && kept.openDeletes.isEmpty)
        state.apply(
            .delete(seen: state.touched), past: past(norway, 2, knowing: [Dot(spain, 3)]), timestamp: 14)
        #expect(!state.isLive() && state.openDeletes == [Dot(norway, 1), Dot(norway, 2)])
    }

    @Test("a restore brings a deleted record back whole, unless another delete has seen the restore")
    func restore() {
        var state = contact()
        state.apply(
            .delete(seen: state.touched), past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 11)
        state.apply(
            .restore(deletes: [Dot(norway, 1)]), past: past(spain, 2, knowing: [Dot(norway, 1)]),
            timestamp: 12)
        #expect(state.isLive() && state.openDeletes.isEmpty)
        #expect(state.register("name")?.values.map(\.value) == [.text("Ana")])
        state.apply(
            .delete(seen: state.touched), past: past(norway, 2, knowing: [Dot(spain, 2)]), timestamp: 13)
        #expect(!state.isLive())
    }

    @Test("a touch of a descendant that the delete has not seen keeps the record live")
    func descendants() {
        var state = contact()
        let below = VersionVector([Dot(norway, 5)])
        state.apply(.delete(seen: state.touched), past: past(spain, 2), timestamp: 11)
        #expect(!state.isLive() && state.isLive(touchedBelow: below))
        state.apply(
            .delete(seen: VersionVector([Dot(spain, 1), Dot(norway, 5)])),
            past: past(spain, 3, knowing: [Dot(norway, 9)]), timestamp: 12)
        #expect(!state.isLive(touchedBelow: below))
    }

    @Test("an edit of text touches, and operations without effect at this level leave no trace")
    func ignored() {
        var state = contact()
        let before = state
        for operation in [
            .create(kind: "contact", parent: nil), .erase(changes: [Dot(spain, 1)], reason: "asked for"),
            .bind(Binding(certificate: [1])),
            .unknown(header: [0x81, 0x18, 99], value: [0x80]),
        ] as [Operation] {
            state.apply(operation, past: past(norway, 1, knowing: [Dot(spain, 1)]), timestamp: 99)
        }
        #expect(state == before)
        state.apply(
            .edit(
                field: "body", parents: [], runs: [TextRun(position: 0, deleted: 0, inserted: 1)],
                inserted: "x"
            ),
            past: past(norway, 2, knowing: [Dot(spain, 1)]), timestamp: 99)
        #expect(state.touched[norway] == 2 && state.updatedAt == 99 && state.registers == before.registers)
    }
}

extension MergeExampleTests {
    @Test("an erased value keeps its place in the register: it is overwritten and conflicts as before")
    func erasedRegister() throws {
        var state = contact()
        let before = VersionVector([Dot(spain, 1)])
        state.apply(
            .set(field: "name", value: .erased, replacing: [Dot(spain, 1)]),
            past: CausalPast(of: Dot(norway, 1), others: before), timestamp: 20)
        #expect(state.register("name")?.values.map(\.value) == [.erased])
        #expect(state.register("name")?.values.first?.value.isEmpty == true)
        state.apply(
            .set(field: "name", value: .text("Eva"), replacing: [Dot(spain, 1)]), past: past(spain, 2),
            timestamp: 11)
        #expect(state.conflicts == ["name"] && state.register("name")?.values.first?.value == .erased)
        #expect(try state.reloaded == state)
        state.apply(
            .set(field: "name", value: .text("Eva"), replacing: [Dot(spain, 2), Dot(norway, 1)]),
            past: past(spain, 3, knowing: [Dot(norway, 1)]), timestamp: 30)
        #expect(state.register("name")?.values.map(\.value) == [.text("Eva")])
    }

    @Test("an erased value is told apart from every other in the digest term")
    func erasedDigest() {
        let terms = [Value.erased, .empty, .integer(0), .bytes([]), .text("[]")].map { value in
            var state = contact()
            state.apply(
                .set(field: "notes", value: value, replacing: []), past: past(norway, 1), timestamp: 10)
            return state.digestTerm(isLive: true)
        }
        #expect(Set(terms).count == terms.count)
    }

    @Test("an erased add adds nothing, and what it took out of the set or replaced does not come back")
    func erasedElements() {
        func state(_ operations: [(Operation, CausalPast)]) -> RecordState {
            var state = contact()
            for (operation, past) in operations { state.apply(operation, past: past, timestamp: 11) }
            return state
        }
        func add(_ element: Value, _ replacing: [Dot] = []) -> Operation {
            .add(field: "areas", element: element, replacing: replacing)
        }
        let law = Dot(norway, 1)
        let first = (add(.text("law")), past(norway, 1, knowing: [Dot(spain, 1)]))
        let removed = state([
            first,
            (.remove(field: "areas", element: .erased, replacing: [law]), past(spain, 2, knowing: [law])),
        ])
        #expect(removed.sets.isEmpty, "an element that was removed stays removed")
        let replaced = state([first, (add(.erased, [law]), past(spain, 2, knowing: [law]))])
        #expect(replaced.sets.isEmpty, "what the erased add stood for is not known any more")
        let again = state([
            first, (add(.erased, [law]), past(spain, 2, knowing: [law])),
            (.remove(field: "areas", element: .text("law"), replacing: [Dot(spain, 2)]), past(spain, 3)),
            (add(.text("war"), [Dot(spain, 2)]), past(spain, 4)),
        ])
        #expect(again.elements("areas").map(\.element) == [.text("war")])
        let concurrent = state([first, (add(.erased, [law]), past(spain, 2))])
        #expect(concurrent.elements("areas").map(\.element) == [.text("law")], "what it had not seen stays")
        #expect(concurrent.touched[spain] == 2, "an erased add touches as before")
    }
}
