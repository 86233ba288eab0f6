// How the tracker's tree grows: spans come into leaves, leaves and nodes are cut in two when they are full, and all nodes
// above count what changed below them.

extension Tracker {
    /// Counts what changed in a leaf.
    @inline(__always)
    mutating func count(_ leaf: Int32, prepare: Int32, effect: Int32) {
        guard prepare != 0 || effect != 0 else { return }
        prepareTotal += Int(prepare)
        effectTotal += Int(effect)
        if leaf != uncounted.leaf {
            settle()
            uncounted.leaf = leaf
        }
        uncounted.prepare += prepare
        uncounted.effect += effect
    }

    /// Counts in the nodes above a leaf what changed in it: neighbouring changes are counted together.
    @inline(__always)
    mutating func settle() {
        guard uncounted.prepare != 0 || uncounted.effect != 0 else { return }
        let leaf = leaves[Int(uncounted.leaf)]
        count(leaf.parent, leaf.slot, prepare: uncounted.prepare, effect: uncounted.effect)
        (uncounted.prepare, uncounted.effect) = (0, 0)
    }

    /// Counts what changed below a child of a node, in that node and all above it.
    @inline(__always)
    private mutating func count(_ node: Int32, _ slot: Int32, prepare: Int32, effect: Int32) {
        var (node, slot) = (node, slot)
        while node >= 0 {
            let child = base(ofNode: node) + Int(slot)
            child.pointee.prepare += prepare
            child.pointee.effect += effect
            (node, slot) = (nodes[Int(node)].parent, nodes[Int(node)].slot)
        }
    }

    /// Puts a span before the cursor's span, and leaves the cursor at it. The offset must be 0.
    mutating func insert(_ span: Span, at cursor: inout TrackerCursor) {
        makeRoom(1, &cursor)
        let first = base(cursor.leaf) + Int(cursor.slot)
        let count = Int(leaves[Int(cursor.leaf)].count)
        (first + 1).update(from: first, count: count - Int(cursor.slot))
        first.pointee = span
        leaves[Int(cursor.leaf)].count += 1
        places.set(span.id, span.length, to: cursor.leaf)
        self.count(cursor.leaf, prepare: span.prepareWidth, effect: span.effectWidth)
    }

    /// Sees to it that `spans` more fit into the cursor's leaf.
    @inline(__always)
    mutating func makeRoom(_ spans: Int, _ cursor: inout TrackerCursor) {
        if Int(leaves[Int(cursor.leaf)].count) + spans > Tracker.leafCapacity { split(&cursor) }
    }

    /// Moves the upper half of a leaf to a new one; the cursor stays where it is in the document.
    private mutating func split(_ cursor: inout TrackerCursor) {
        settle()
        let leaf = cursor.leaf
        let count = Int(leaves[Int(leaf)].count)
        let kept = count / 2
        let new = makeLeaf()
        let moved = base(new)
        moved.update(from: base(leaf) + kept, count: count - kept)
        leaves[Int(leaf)].count = Int32(kept)
        leaves[Int(new)].count = Int32(count - kept)
        leaves[Int(new)].next = leaves[Int(leaf)].next
        leaves[Int(leaf)].next = new
        var (prepare, effect): (Int32, Int32) = (0, 0)
        for slot in 0..<count - kept {
            prepare += moved[slot].prepareWidth
            effect += moved[slot].effectWidth
            places.set(moved[slot].id, moved[slot].length, to: new)
        }
        self.count(leaf, prepare: -prepare, effect: -effect)
        settle()
        let (parent, slot) = (leaves[Int(leaf)].parent, leaves[Int(leaf)].slot)
        insertChild(
            Child(place: new, prepare: 0, effect: 0), in: parent, at: Int(slot) + 1, level: 1)
        self.count(new, prepare: prepare, effect: effect)
        if Int(cursor.slot) >= kept { (cursor.leaf, cursor.slot) = (new, cursor.slot - Int32(kept)) }
    }

    /// Enters a child into an inner node of a level, 1 for those whose children are leaves.
    mutating func insertChild(_ child: Child, in node: Int32, at slot: Int, level: Int) {
        var (node, slot) = (node, slot)
        if Int(nodes[Int(node)].count) == Tracker.nodeCapacity { (node, slot) = split(node, slot, level) }
        let first = base(ofNode: node) + slot
        let count = Int(nodes[Int(node)].count)
        (first + 1).update(from: first, count: count - slot)
        first.pointee = child
        nodes[Int(node)].count += 1
        adopt(node, from: slot, level: level)
    }

    /// Tells the children of a node, from a slot on, where they are.
    private func adopt(_ node: Int32, from first: Int, level: Int) {
        let children = base(ofNode: node)
        for slot in first..<Int(nodes[Int(node)].count) {
            let place = Int(children[slot].place)
            if level == 1 {
                (leaves[place].parent, leaves[place].slot) = (node, Int32(slot))
            } else {
                (nodes[place].parent, nodes[place].slot) = (node, Int32(slot))
            }
        }
    }

    /// Moves the upper half of an inner node to a new one; says where a slot of it is now.
    private mutating func split(_ node: Int32, _ slot: Int, _ level: Int) -> (node: Int32, slot: Int) {
        if node == root {
            let top = makeNode()
            var whole = Child(place: node, prepare: 0, effect: 0)
            for slot in 0..<Int(nodes[Int(node)].count) {
                whole.prepare += base(ofNode: node)[slot].prepare
                whole.effect += base(ofNode: node)[slot].effect
            }
            root = top
            height += 1
            insertChild(whole, in: top, at: 0, level: level + 1)
        }
        let new = makeNode()
        let kept = Tracker.nodeCapacity / 2
        let count = Int(nodes[Int(node)].count)
        base(ofNode: new).update(from: base(ofNode: node) + kept, count: count - kept)
        nodes[Int(node)].count = Int32(kept)
        nodes[Int(new)].count = Int32(count - kept)
        adopt(new, from: 0, level: level)
        var moved = Child(place: new, prepare: 0, effect: 0)
        for slot in 0..<count - kept {
            moved.prepare += base(ofNode: new)[slot].prepare
            moved.effect += base(ofNode: new)[slot].effect
        }
        let (parent, place) = (nodes[Int(node)].parent, nodes[Int(node)].slot)
        // The parent may be split in turn: what is moved is not counted until it has its place.
        self.count(parent, place, prepare: -moved.prepare, effect: -moved.effect)
        insertChild(
            Child(place: new, prepare: 0, effect: 0), in: parent, at: Int(place) + 1, level: level + 1)
        self.count(
            nodes[Int(new)].parent, nodes[Int(new)].slot, prepare: moved.prepare, effect: moved.effect)
        return slot > kept ? (new, slot - kept) : (node, slot)
    }
}
