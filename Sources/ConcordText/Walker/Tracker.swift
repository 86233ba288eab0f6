// The temporary sequence that a merge plays events into: for every character its place in the document, whether it is
// there in the version against which the next event was written (*prepare*), and whether it is there in the text that is
// being built (*effect*). It begins with a placeholder for the text of the version where the merge sets out.
//
// Characters stand in spans of consecutive ids; the spans stand in a B+ tree in document order whose inner nodes count
// what is visible below them in both versions. Nodes refer to each other by number and live in flat memory, since the
// tree is rebuilt in every merge: nothing here is counted by reference.

/// Consecutive characters of one origin and one state.
struct Span {
    /// The event that inserted the first; from ``Tracker/placeholder`` on, a character of the placeholder.
    var id: Int32
    var length: Int32
    /// The character to whose right the first was inserted, −1 for the beginning. Each further one has the one before.
    var originLeft: Int32
    /// The character to whose left all of them were inserted, ``Tracker/documentEnd`` for the end.
    var originRight: Int32
    /// In the version of the next event: 0 not inserted yet, 1 there, more if deleted. While a version is being changed
    /// to another one it passes through any number: only the sum of the steps counts.
    var prepare: Int32
    /// Whether it is deleted in the text that is being built.
    var isDeleted: Bool

    @inline(__always) var end: Int32 { id + length }
    @inline(__always) var prepareWidth: Int32 { prepare == 1 ? length : 0 }
    @inline(__always) var effectWidth: Int32 { isDeleted ? 0 : length }

    /// Whether the span goes on in the other one, so that the two can be one.
    @inline(__always)
    func continues(in next: Span) -> Bool {
        end == next.id && next.originLeft == end - 1 && originRight == next.originRight
            && prepare == next.prepare && isDeleted == next.isDeleted
            && length + next.length <= Tracker.spanLimit
    }

    /// The characters from `offset` on.
    @inline(__always)
    func suffix(from offset: Int32) -> Span {
        Span(
            id: id + offset, length: length - offset, originLeft: id + offset - 1, originRight: originRight,
            prepare: prepare, isDeleted: isDeleted)
    }
}

/// A place in the tree: before the character at `offset` of a span.
struct TrackerCursor {
    var leaf: Int32
    var slot: Int32
    var offset: Int32
}

/// The sequence of characters of one merge.
struct Tracker: ~Copyable {
    /// The ids of the placeholder's characters begin here; those of events are lower.
    static let placeholder: Int32 = 1 << 30
    /// Stands for the end of the document as an origin.
    static let documentEnd = Int32.max
    /// Longer spans are cut, so that moving one to another leaf stays cheap.
    static let spanLimit: Int32 = 4096
    #if DEBUG
    static let leafCapacity = 6
    static let nodeCapacity = 4
    #else
    static let leafCapacity = 16
    static let nodeCapacity = 16
    #endif

    /// Consecutive characters that one run of events deleted.
    struct Deletion {
        let id: Int32
        let count: Int32
    }

    struct Leaf {
        var count: Int32 = 0
        var parent: Int32 = -1
        var slot: Int32 = 0
        var next: Int32 = -1
    }

    struct Node {
        var count: Int32 = 0
        var parent: Int32 = -1
        var slot: Int32 = 0
    }

    /// What an inner node knows of one of its children.
    struct Child {
        var place: Int32
        var prepare: Int32
        var effect: Int32
    }

    var spans: UnsafeMutablePointer<Span>
    var leaves: UnsafeMutablePointer<Leaf>
    var leafCount = 0
    private var leafRoom = 0
    var nodes: UnsafeMutablePointer<Node>
    var children: UnsafeMutablePointer<Child>
    private var nodeCount = 0
    private var nodeRoom = 0
    var root: Int32 = 0
    /// How many levels of inner nodes there are, at least one.
    var height = 1
    /// The characters that are there in the version of the next event, the whole placeholder included.
    var prepareTotal = 0
    /// The characters that are there in the text that is being built, the whole placeholder included.
    var effectTotal = 0
    /// What changed in a leaf and is not counted in the nodes above it yet; see ``settle()``.
    var uncounted: (leaf: Int32, prepare: Int32, effect: Int32) = (-1, 0, 0)
    /// What was deleted, piece by piece, in the order of the deletions.
    private(set) var deletions: UnsafeMutablePointer<Deletion>
    private(set) var deletionCount = 0
    private var deletionRoom = 64
    /// Where each event's character is: in which leaf. Of the first event of a run of deletions: where in
    /// ``deletions`` they begin.
    var places: EventPlaces

    /// A tracker for a merge of these events; it must be reset before it is used.
    init(events: Range<Int32>) {
        places = EventPlaces(events: events)
        (leafRoom, nodeRoom) = (64, 16)
        spans = .allocate(capacity: leafRoom * Tracker.leafCapacity)
        leaves = .allocate(capacity: leafRoom)
        nodes = .allocate(capacity: nodeRoom)
        children = .allocate(capacity: nodeRoom * Tracker.nodeCapacity)
        deletions = .allocate(capacity: deletionRoom)
    }

    deinit {
        spans.deallocate()
        leaves.deallocate()
        nodes.deallocate()
        children.deallocate()
        deletions.deallocate()
    }

    /// Begins anew, with a placeholder of this many characters.
    mutating func reset(placeholder length: Int) {
        (leafCount, nodeCount, height, prepareTotal, effectTotal) = (0, 0, 1, 0, 0)
        deletionCount = 0
        uncounted = (-1, 0, 0)
        places.reset(placeholder: length)
        root = makeNode()
        let leaf = makeLeaf()
        insertChild(Child(place: leaf, prepare: 0, effect: 0), in: root, at: 0, level: 1)
        var cursor = TrackerCursor(leaf: leaf, slot: 0, offset: 0)
        var left = Int32(length)
        var id = Tracker.placeholder
        while left > 0 {
            let count = min(left, Tracker.spanLimit)
            let span = Span(
                id: id, length: count, originLeft: id == Tracker.placeholder ? -1 : id - 1,
                originRight: Tracker.documentEnd, prepare: 1, isDeleted: false)
            insert(span, at: &cursor)
            cursor.slot += 1
            id += count
            left -= count
        }
    }

    /// Remembers what was deleted.
    mutating func note(_ deletion: Deletion) {
        if deletionCount == deletionRoom {
            deletions = Tracker.grown(deletions, deletionRoom)
            deletionRoom *= 2
        }
        deletions[deletionCount] = deletion
        deletionCount += 1
    }

    // MARK: Memory

    mutating func makeLeaf() -> Int32 {
        if leafCount == leafRoom {
            spans = Tracker.grown(spans, leafRoom * Tracker.leafCapacity)
            leaves = Tracker.grown(leaves, leafRoom)
            leafRoom *= 2
        }
        leaves[leafCount] = Leaf()
        leafCount += 1
        return Int32(leafCount - 1)
    }

    mutating func makeNode() -> Int32 {
        if nodeCount == nodeRoom {
            children = Tracker.grown(children, nodeRoom * Tracker.nodeCapacity)
            nodes = Tracker.grown(nodes, nodeRoom)
            nodeRoom *= 2
        }
        nodes[nodeCount] = Node()
        nodeCount += 1
        return Int32(nodeCount - 1)
    }

    private static func grown<Element>(
        _ old: UnsafeMutablePointer<Element>, _ count: Int
    ) -> UnsafeMutablePointer<Element> {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: count * 2)
        new.moveInitialize(from: old, count: count)
        old.deallocate()
        return new
    }

    // MARK: Finding

    /// The first span of a leaf.
    @inline(__always)
    func base(_ leaf: Int32) -> UnsafeMutablePointer<Span> { spans + Int(leaf) * Tracker.leafCapacity }

    /// The first child of an inner node.
    @inline(__always)
    func base(ofNode node: Int32) -> UnsafeMutablePointer<Child> {
        children + Int(node) * Tracker.nodeCapacity
    }

    /// The character that is the `index`-th of those that are there in the version of the next event, and how many are
    /// in the text being built before its span.
    @inline(__always)
    mutating func find(_ index: Int32) -> (cursor: TrackerCursor, effect: Int32) {
        precondition(index >= 0 && Int(index) < prepareTotal, "A position must have been judged.")
        settle()
        var (left, effect) = (index, Int32(0))
        var place = root
        for _ in 0..<height {
            var child = base(ofNode: place)
            while left >= child.pointee.prepare {
                left -= child.pointee.prepare
                effect += child.pointee.effect
                child += 1
            }
            place = child.pointee.place
        }
        let first = base(place)
        var slot = 0
        while true {
            let width = first[slot].prepareWidth
            if left < width { break }
            left -= width
            effect += first[slot].effectWidth
            slot += 1
        }
        return (TrackerCursor(leaf: place, slot: Int32(slot), offset: left), effect)
    }

    /// Where the character of this id is.
    @inline(__always)
    func locate(_ id: Int32) -> TrackerCursor {
        let leaf = places[id]
        let first = base(leaf)
        var slot: Int32 = 0
        while true {
            let offset = id &- first[Int(slot)].id
            if offset >= 0 && offset < first[Int(slot)].length {
                return TrackerCursor(leaf: leaf, slot: slot, offset: offset)
            }
            slot += 1
            precondition(slot < leaves[Int(leaf)].count, "A character is not where it was put.")
        }
    }

    /// The order of two places in the document.
    func isBefore(_ a: TrackerCursor, _ b: TrackerCursor) -> Bool {
        if a.leaf == b.leaf { return (a.slot, a.offset) < (b.slot, b.offset) }
        var (x, y) = (leaves[Int(a.leaf)].parent, leaves[Int(b.leaf)].parent)
        var (xSlot, ySlot) = (leaves[Int(a.leaf)].slot, leaves[Int(b.leaf)].slot)
        while x != y {
            (xSlot, ySlot) = (nodes[Int(x)].slot, nodes[Int(y)].slot)
            (x, y) = (nodes[Int(x)].parent, nodes[Int(y)].parent)
        }
        return xSlot < ySlot
    }
}
