// Records that one replica creates twice, in branches, under different parents. Which creation decides changes
// while stores learn of branches; whatever depends on it must follow.

import Testing

@Suite struct OracleTwinTests {
    private func make(_ record: String, under parent: String?) -> [OracleOperation] {
        [.create(record: record, kind: "item", parent: parent), .note(record, parent ?? "free")]
    }

    @Test(
        "a creation that is not allowed brings nothing with it, though its twin in another branch is allowed")
    func refusedTwin() async throws {
        var scene = OracleScene(founders: "ABC")
        let (other, parent) = scene.create("B0")
        let start = scene.write("A0")
        let free = scene.write("A0", make("X", under: nil), seen: [], after: start)
        // It names a parent that it has not seen.
        let bound = scene.write("A0", make("X", under: parent), seen: [], after: start)
        scene.write("C0", seen: free, bound, other)
        #expect(scene.effective(free, bound) == [true, true])
        #expect(scene.view.refused == [[bound.hash, "0"], [bound.hash, "1"]])
        #expect(scene.view.records["X"]?.registers["y"]?.map(\.value) == ["free"])
        try await scene.confirm()
    }

    @Test("a record that leaves its parent, since another creation decides, keeps that parent alive no more")
    func leavesParent() async throws {
        var scene = OracleScene(founders: "ABCD")
        let (made, parent) = scene.create("B0")
        let start = scene.write("A0")
        let bound = scene.write("A0", make("X", under: parent), seen: [made], after: start)
        scene.write("C0", .delete(record: parent, seen: ["B0": 1]), seen: made)
        scene.write("C0", seen: bound)
        #expect(scene.view.records[parent]?.isLive == true)
        let free = scene.write("A0", make("X", under: nil), seen: [], after: start)
        scene.write("D0", seen: free)
        let records = try await scene.confirm().records.values
        #expect(records.filter { $0.kind == "meeting" }.map(\.isLive) == [false])
        #expect(records.filter { $0.kind == "agenda_item" }.map(\.parent) == [nil])
    }

    @Test("a record that comes under a parent, since another creation decides, keeps that parent alive")
    func entersParent() async throws {
        var scene = OracleScene(founders: "ABCD")
        let (made, parent) = scene.create("B0")
        let start = scene.write("A0")
        let free = scene.write("A0", make("X", under: nil), seen: [], after: start)
        scene.write("C0", .delete(record: parent, seen: ["B0": 1]), seen: made)
        scene.write("C0", seen: free)
        #expect(scene.view.records[parent]?.isLive == false)
        let bound = scene.write("A0", make("X", under: parent), seen: [made], after: start)
        scene.write("D0", seen: bound)
        let records = try await scene.confirm().records.values
        #expect(records.filter { $0.kind == "meeting" }.map(\.isLive) == [true])
        #expect(records.filter { $0.kind == "agenda_item" }.map(\.isShown) == [true])
    }
}
