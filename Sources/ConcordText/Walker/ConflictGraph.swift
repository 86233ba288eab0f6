// What a merge has to look at: the events back to the version from which all of them set out, cut into nodes at whose
// ends alone others begin; and the versions in between at which everything meets, so that what follows them need not
// know what came before.

/// The part of a history that a merge walks through.
struct ConflictGraph {
    /// Consecutive events; those that follow them follow the last.
    struct Node {
        let start: Int32
        let end: Int32
        /// Whether the text at hand includes them already.
        let isHeld: Bool
        /// Where in ``ConflictGraph/parents`` those of the first event stand.
        let parents: Int32
        let parentCount: Int32
        /// The place of the first event's operation in the history.
        var operation: Int32

        var events: Int { Int(end - start) }
    }

    /// The nodes, ascending; each after its parents.
    private(set) var nodes: [Node] = []
    /// The places of parents in ``nodes``, ascending; the version where the walk sets out is not named.
    private(set) var parents: [Int32] = []
    /// Where parts begin that follow a version at which everything before meets: the first is 0.
    private(set) var parts: [Int] = []

    /// A version, or some, of a walk back through the history.
    private enum Side {
        static let held: Int64 = 1
        static let new: Int64 = 2
    }

    /// The conflict between the text at hand and what is to be merged into it.
    ///
    /// - Parameters:
    ///   - held: the version of the text at hand, ascending.
    ///   - new: the version to be merged into it.
    init(_ history: TextHistory, held: [Int32], new: [Int32]) {
        var ranges: [(start: Int32, end: Int32, isHeld: Bool)] = []
        var heap = MaxHeap(
            (held.isEmpty ? [-1] : held).map { Int64($0) << 2 | Side.held }
                + (new.isEmpty ? [-1] : new).map { Int64($0) << 2 | Side.new })
        var place = history.graph.count - 1
        while let top = heap.pop() {
            var (event, sides) = (Int32(top >> 2), top & 3)
            while let next = heap.top, next >> 2 == Int64(event) {
                sides |= next & 3
                heap.removeTop()
            }
            // All that is left goes through this version: here the walk sets out.
            if heap.isEmpty || event < 0 { break }
            while history.graph[place].start > event { place -= 1 }
            let entry = history.graph[place]
            var isDone = false
            while !isDone {
                let below = heap.top.map { Int32($0 >> 2) } ?? -1
                let start = max(entry.start, below + 1)
                ranges.append((start, event + 1, sides & Side.held != 0))
                isDone = start == entry.start
                guard !isDone else { break }
                event = below
                while let next = heap.top, next >> 2 == Int64(event) {
                    sides |= next & 3
                    heap.removeTop()
                }
                if heap.isEmpty {
                    self.init(history, ranges.reversed())
                    return
                }
            }
            let list = history.parentList(entry)
            if list.isEmpty { heap.push(-1 << 2 | sides) }
            for parent in list { heap.push(Int64(parent) << 2 | sides) }
        }
        self.init(history, ranges.reversed())
    }

    private init(
        _ history: TextHistory, _ ranges: ReversedCollection<[(start: Int32, end: Int32, isHeld: Bool)]>
    ) {
        nodes.reserveCapacity(ranges.count)
        parents.reserveCapacity(ranges.count * 2)
        guard let first = ranges.first else { return }
        var place = history.entry(of: first.start)
        var operation = history.operation(of: first.start)
        for range in ranges {
            while history.operations[operation].end <= range.start { operation += 1 }
            while history.graph[place].end <= range.start { place += 1 }
            let entry = history.graph[place]
            let offset = parents.count
            if entry.start == range.start {
                for parent in history.parentList(entry) {
                    if let node = node(endingWith: parent) { parents.append(node) }
                }
            } else if let node = node(endingWith: range.start - 1) {
                parents.append(node)
            }
            nodes.append(
                Node(
                    start: range.start, end: range.end, isHeld: range.isHeld, parents: Int32(offset),
                    parentCount: Int32(parents.count - offset), operation: Int32(operation)))
        }
        cut()
    }

    /// The parents of a node.
    func parents(of node: Int) -> ArraySlice<Int32> {
        let found = nodes[node]
        return parents[Int(found.parents)..<Int(found.parents + found.parentCount)]
    }

    /// The node of which an event is the last; nil for the version where the walk sets out. Most are near the end.
    private func node(endingWith event: Int32) -> Int32? {
        var (high, step) = (nodes.count, 1)
        while high - step >= 0, nodes[high - step].end > event + 1 {
            high -= step
            step *= 2
        }
        var low = max(0, high - step)
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].end < event + 1 { low = middle + 1 } else { high = middle }
        }
        guard low < nodes.count, nodes[low].end == event + 1 else { return nil }
        return Int32(low)
    }

    /// Finds the parts: after node `i` a new one begins if all nodes that follow, and have parents up to `i`, have the
    /// very nodes up to `i` as parents that no other of them follows.
    private mutating func cut() {
        // A node crosses all places from its first parent on up to itself; those without parents cross from the start.
        var crossing = [Int32](repeating: 0, count: nodes.count + 2)
        var heads = 0
        var isHead = [Bool](repeating: false, count: nodes.count)
        // For each node the number of those whose last parent it is, and which have all heads as parents.
        var meeting = [Int32](repeating: 0, count: nodes.count)
        var headsAfter = [Int32](repeating: 0, count: nodes.count)
        for node in nodes.indices {
            for parent in parents(of: node) where isHead[Int(parent)] {
                isHead[Int(parent)] = false
                heads -= 1
            }
            isHead[node] = true
            heads += 1
            headsAfter[node] = Int32(heads)
        }
        // The first node that follows each: a node's parents were all heads after the last of them unless one of them
        // was followed by then.
        var followed = [Int32](repeating: Int32.max, count: nodes.count)
        for node in nodes.indices {
            for parent in parents(of: node) {
                followed[Int(parent)] = min(followed[Int(parent)], Int32(node))
            }
        }
        for node in nodes.indices {
            let list = parents(of: node)
            // Slot 0 of `crossing` is the place before the first node.
            crossing[Int(list.first.map { $0 + 1 } ?? 0)] += 1
            crossing[node + 1] -= 1
            guard let last = list.last else { continue }
            let allAreHeads = list.allSatisfy { followed[Int($0)] > last }
            if allAreHeads && list.count == Int(headsAfter[Int(last)]) { meeting[Int(last)] += 1 }
        }
        // The text in which everything ends crosses from its first head on.
        if let firstHead = isHead.firstIndex(of: true) {
            crossing[firstHead + 1] += 1
        }
        parts = [0]
        var crossed = crossing[0]
        for node in nodes.indices.dropLast() {
            crossed += crossing[node + 1]
            if crossed == meeting[node] { parts.append(node + 1) }
        }
        dropHeldParts()
    }

    /// Whole parts that the text at hand includes are of no concern.
    private mutating func dropHeldParts() {
        guard let first = nodes.firstIndex(where: { !$0.isHeld }) else {
            (nodes, parents, parts) = ([], [], [])
            return
        }
        let kept = parts.lastIndex { $0 <= first } ?? 0
        if kept > 0 { parts.removeFirst(kept) }
    }
}
