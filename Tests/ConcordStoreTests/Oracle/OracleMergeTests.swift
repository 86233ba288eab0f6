// The directed cases of names, deletion, ownership and equivocation.

import Testing

@testable import TestSupport

@Suite struct OracleMergeTests {
    @Test("a name means only what bears it in the past of who names it")
    func forgedName() async throws {
        var scene = OracleScene()
        let (created, record) = scene.create("A0")
        let operation = OracleOperation.set(
            record: record, field: "x", value: "hostile", names: [OracleDot("A0", 2)])
        scene.write("B0", operation, seen: created)
        scene.write("A0", .set(record, "honest"))
        #expect(scene.values(record) == ["honest", "hostile"])
        try await scene.confirm()
    }

    @Test("a delete covers nothing beyond its past, whatever it says to have seen")
    func forgedDelete() async throws {
        var scene = OracleScene()
        let (created, record) = scene.create("A0")
        scene.write("B0", .delete(record: record, seen: ["A0": 9]), seen: created)
        #expect(scene.view.records[record]?.isLive == false)
        scene.write("A0", .set(record, "later"))
        #expect(scene.view.records[record]?.isLive == true)
        try await scene.confirm()
    }

    private func written() -> (scene: OracleScene, record: String, last: OracleChange) {
        var scene = OracleScene(founders: "ABC")
        let (_, record) = scene.create("A0")
        let last = scene.write("A0", .set(record, "t"))
        return (scene, record, last)
    }

    @Test("an edit that the delete had not seen keeps the record, flagged until a restore names the delete")
    func deletion() async throws {
        var (scene, record, last) = written()
        let delete = scene.write("B0", .delete(record: record, seen: ["A0": 2]), seen: last)
        #expect(try #require(scene.view.records[record]).isLive == false)
        let edit = scene.write("C0", .set(record, "t2", over: last), seen: last)
        #expect(try #require(scene.view.records[record]).isLive)
        scene.write("A0", .note(record, "1"), seen: delete, edit)
        #expect(scene.view.records[record]?.openDeletes == [delete.hash])
        scene.write("A0", .restore(record: record, names: [delete.dot]))
        #expect(try #require(scene.view.records[record]).isLive)
        #expect(scene.view.records[record]?.openDeletes == [])
        try await scene.confirm()
    }

    @Test("a restore takes back the delete that it saw, and a delete that saw all settles")
    func concurrentDeletes() async throws {
        var (scene, record, last) = written()
        let first = scene.write("B0", .delete(record: record, seen: ["A0": 2]), seen: last)
        let second = scene.write("C0", .delete(record: record, seen: ["A0": 2]), seen: last)
        let restore = scene.write("A0", .restore(record: record, names: [first.dot]), seen: first)
        let flagged = try #require(scene.view.records[record])
        #expect(flagged.isLive && flagged.openDeletes == [second.hash])
        scene.write("B0", .delete(record: record, seen: ["A0": 3]), seen: restore, second)
        #expect(try #require(scene.view.records[record]).isLive == false)
        try await scene.confirm()
    }

    @Test("a child that was made concurrently keeps its deleted parent")
    func concurrentChild() async throws {
        var (scene, record, last) = written()
        let delete = scene.write("B0", .delete(record: record, seen: ["A0": 2]), seen: last)
        let (_, child) = scene.create("C0", kind: "item", under: record, seen: last)
        let parent = try #require(scene.view.records[record])
        #expect(parent.isLive && parent.isShown && parent.openDeletes == [delete.hash])
        #expect(try #require(scene.view.records[child]).isShown)
        try await scene.confirm()
    }

    @Test("what stands below a deleted record is not shown, and lives on")
    func hiddenBelow() async throws {
        var (scene, record, last) = written()
        let (made, child) = scene.create("C0", kind: "item", under: record, seen: last)
        scene.write("B0", .delete(record: record, seen: ["A0": 2, "C0": 1]), seen: made)
        #expect(try #require(scene.view.records[record]).isLive == false)
        let below = try #require(scene.view.records[child])
        #expect(below.isLive && !below.isShown)
        try await scene.confirm()
    }

    @Test("an owned record takes writes of its member's nodes alone, within the cut-off of a revoked one")
    func owned() async throws {
        var scene = OracleScene()
        let (created, record) = scene.create("A0", kind: "contact")
        let first = scene.write("A1", .set(record, "1"), seen: created)
        let second = scene.write("A1", .set(record, "2", over: first))
        let foreign = scene.write("B0", .set(record, "B"), seen: first)
        #expect(scene.values(record) == ["2"])
        #expect(scene.view.refused == [[foreign.hash, "0"]])
        let revocation = OracleAct("revocation", .revoke(node: "A1", keeps: ["A1": 1]))
        scene.write("A0", .sign(revocation, "A"), seen: first)
        #expect(scene.values(record) == ["1"])
        scene.write("B0", seen: second)
        #expect(scene.values(record) == ["2"])
        try await scene.confirm()
    }

    @Test("the member's other nodes go on writing what the revoked one created, and it writes no more")
    func sister() async throws {
        var scene = OracleScene()
        let (created, record) = scene.create("A1", kind: "contact")
        let revocation = scene.write(
            "A0", .sign(OracleAct("revocation", .revoke(node: "A1", keeps: ["A1": 1])), "A"), seen: created)
        scene.write("A0", .set(record, "sister"))
        let late = scene.write("A1", .set(record, "revoked"), seen: revocation)
        #expect(scene.values(record) == ["sister"])
        scene.write("B0", seen: late)
        #expect(scene.values(record) == ["sister"])
        #expect(scene.view.refused == [[late.hash, "0"]])
        try await scene.confirm()
    }

    @Test("a fork in old history hides nothing of what honest members wrote since")
    func oldFork() async throws {
        var scene = OracleScene(founders: "ABC")
        let (base, record) = scene.create("A0")
        var last = scene.write("A0", .set(record, "one"))
        var honest: [OracleChange] = []
        for number in 0..<10 {
            for replica in ["B0", "C0"] {
                let element = OracleOperation.add(
                    record: record, field: "s", element: "\(replica) \(number)", names: [])
                last = scene.write(replica, element, seen: last)
                honest.append(last)
            }
        }
        scene.write("A0", [.set(record, "two")], seen: [], after: base)
        #expect(scene.view.effective.isSuperset(of: honest.map(\.hash)))
        #expect(scene.values(record) == ["one"])
        try await scene.confirm()
    }

    @Test("both branches count if both were built on, and one name settles both; neither if neither was")
    func branches() async throws {
        var scene = OracleScene(founders: "ABC")
        let (base, record) = scene.create("A0")
        let one = scene.write("A0", .set(record, "one"))
        let two = scene.write("A0", [.set(record, "two")], seen: [], after: base)
        #expect(scene.values(record) == [])
        scene.write("B0", .note(record, "1"), seen: one)
        #expect(scene.values(record) == ["one"])
        let other = scene.write("C0", .note(record, "2"), seen: two)
        #expect(scene.values(record) == ["one", "two"])
        scene.write("B0", .set(record, "settled", over: one), seen: other)
        #expect(scene.values(record) == ["settled"])
        try await scene.confirm()
    }

    @Test("a branch that knows of another one of its own replica is judged like any other change")
    func ownBranchInPast() async throws {
        var scene = OracleScene(founders: "ABC")
        let (base, record) = scene.create("A0")
        let one = scene.write("A0", .set(record, "one"))
        let more = scene.write("A0", .note(record, "more"))
        let foreign = scene.write("B0", .add(record: record, field: "s", element: "p", names: []), seen: more)
        let two = scene.write("A0", [.set(record, "two")], seen: [foreign], after: base)
        // The number of the other branch's change is this one's own, which no operation names.
        let three = scene.write("A0", .set(record, "three", over: two), seen: foreign)
        scene.write("C0", .delete(record: record, seen: ["A0": 3, "B0": 1]), seen: three)
        #expect(scene.values(record) == ["three"])
        #expect(scene.effective(one, more, two) == [true, true, true])
        try await scene.confirm()
    }

    @Test(
        "records that two forked replicas put below each other are live and not shown, and nothing goes round"
    )
    func circle() async throws {
        var scene = OracleScene(founders: "ABC")
        let (start, other) = (scene.write("A0"), scene.write("B0"))
        func make(_ record: String, _ parent: String?) -> [OracleOperation] {
            [.create(record: record, kind: "meeting", parent: parent)]
        }
        let freeX = scene.write("A0", make("X", nil), seen: [], after: start)
        let freeY = scene.write("B0", make("Y", nil), seen: [], after: other)
        let boundX = scene.write("A0", make("X", "Y"), seen: [freeY], after: start)
        let boundY = scene.write("B0", make("Y", "X"), seen: [freeX], after: other)
        scene.write("C0", seen: boundX, boundY)
        let records = try await scene.confirm().records
        #expect(records.count == 2)
        #expect(records.values.allSatisfy { $0.isLive && !$0.isShown && $0.parent != nil })
    }
}
