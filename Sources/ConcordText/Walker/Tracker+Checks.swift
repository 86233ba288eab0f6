// What always holds of the tracker's tree between two steps; looked at in debug builds, where nodes are small.

#if DEBUG
extension Tracker {
    /// Traps unless the tree is sound: links, widths, spans where they are looked for, nothing empty.
    mutating func checkInvariants() {
        settle()
        var next: Int32 = 0
        let (prepare, effect) = check(root, level: height, parent: -1, slot: 0, next: &next)
        assert(next == -1, "Not all leaves are reached.")
        assert(Int(prepare) == prepareTotal && Int(effect) == effectTotal, "The totals are wrong.")
    }

    private func check(
        _ place: Int32, level: Int, parent: Int32, slot: Int32, next: inout Int32
    ) -> (prepare: Int32, effect: Int32) {
        guard level > 0 else { return check(leaf: place, parent: parent, slot: slot, next: &next) }
        let node = nodes[Int(place)]
        assert(node.parent == parent && (parent < 0 || node.slot == slot), "A node is linked wrongly.")
        assert(node.count > 0, "A node is empty.")
        var (prepare, effect): (Int32, Int32) = (0, 0)
        for slot in 0..<node.count {
            let child = base(ofNode: place)[Int(slot)]
            let sums = check(child.place, level: level - 1, parent: place, slot: slot, next: &next)
            assert(sums == (child.prepare, child.effect), "The widths of a child are wrong.")
            prepare += sums.prepare
            effect += sums.effect
        }
        return (prepare, effect)
    }

    private func check(
        leaf: Int32, parent: Int32, slot: Int32, next: inout Int32
    ) -> (prepare: Int32, effect: Int32) {
        assert(leaf == next, "A leaf does not follow the one before.")
        next = leaves[Int(leaf)].next
        assert(
            leaves[Int(leaf)].parent == parent && leaves[Int(leaf)].slot == slot, "A leaf is linked wrongly.")
        var (prepare, effect): (Int32, Int32) = (0, 0)
        for slot in 0..<Int(leaves[Int(leaf)].count) {
            let span = base(leaf)[slot]
            assert(span.length > 0, "A span is empty.")
            assert(
                places[span.id] == leaf && places[span.end - 1] == leaf,
                "A span is not where it is looked for.")
            prepare += span.prepareWidth
            effect += span.effectWidth
        }
        return (prepare, effect)
    }
}
#endif
