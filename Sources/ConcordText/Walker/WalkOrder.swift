// In which order the nodes of a part are played. Any order in which parents come first gives the same text; but going
// from one branch to another means taking the one back and putting it in again later, so small branches are gone through
// before large ones, and each to its end before the next.

/// Orders the nodes of one part of a conflict after the other, and says what must be taken back and put in between two
/// nodes.
struct WalkOrder: ~Copyable {
    /// A list that grows no further than the number of nodes or edges.
    private typealias List = UnsafeMutablePointer<Int32>

    private let memory: WalkMemory
    /// The nodes in order; those that the text at hand includes come first.
    private(set) var order: UnsafeMutablePointer<Int32>
    private(set) var count = 0
    /// How many of the ordered nodes the text at hand includes.
    private(set) var heldCount = 0
    /// For each node of the part, how many of its parents are still to come.
    private let waiting: List
    /// For each node of the part, where its children begin in ``children``.
    private let childStarts: List
    private let children: List
    /// What follows each node of the part, itself included: a set of 256 equal stretches of the part's events. Small
    /// sets are small branches; an exact count would cost more than it gains.
    private let following: UnsafeMutablePointer<SIMD4<UInt64>>
    /// The nodes that can be played next, the next one last; and those that can once the held ones are played.
    private let stack: List
    private var stacked = 0
    private let later: List
    private var postponed = 0
    private var heap = MaxHeap(room: 64)
    /// For each node of the part its past, ``pastWords`` words each, and room for one more; no words if the part is too
    /// large for that.
    private var pasts: UnsafeMutablePointer<UInt64> = .allocate(capacity: 64)
    private var pastRoom = 64
    private var pastWords = 0
    /// Nodes of a part whose pasts are kept: 8 MiB.
    private static let mostWithPasts = 8192
    /// What is to be taken back before a node, and what put in, as places of nodes.
    private(set) var retreats: UnsafeMutablePointer<Int32>
    private(set) var retreatCount = 0
    private(set) var advances: UnsafeMutablePointer<Int32>
    private(set) var advanceCount = 0

    init(_ memory: WalkMemory) {
        self.memory = memory
        let (nodes, edges) = (
            memory.nodeCount, (0..<memory.nodeCount).reduce(0) { $0 + Int(memory.nodes[$1].parentCount) }
        )
        order = .allocate(capacity: nodes)
        waiting = .allocate(capacity: nodes)
        childStarts = .allocate(capacity: nodes + 2)
        children = .allocate(capacity: edges)
        following = .allocate(capacity: nodes)
        stack = .allocate(capacity: nodes)
        later = .allocate(capacity: nodes)
        retreats = .allocate(capacity: nodes)
        advances = .allocate(capacity: nodes)
    }

    deinit {
        for list in [order, waiting, childStarts, children, stack, later, retreats, advances] {
            list.deallocate()
        }
        following.deallocate()
        pasts.deallocate()
    }

    // MARK: Order

    /// Orders the nodes of a part.
    mutating func arrange(_ part: Range<Int>) {
        (count, heldCount, stacked, postponed) = (0, 0, 0, 0)
        prepare(part)
        for node in part where waiting[node - part.lowerBound] == 0 {
            if memory.nodes[node].isHeld {
                stack[stacked] = Int32(node)
                stacked += 1
            } else {
                later[postponed] = Int32(node)
                postponed += 1
            }
        }
        sort(stack, 0, stacked, part)
        run(part, heldOnly: true)
        heldCount = count
        sort(later, 0, postponed, part)
        stack.update(from: later, count: postponed)
        stacked = postponed
        run(part, heldOnly: false)
    }

    /// Counts for each node its parents within the part, lists its children, and estimates how much follows it.
    private mutating func prepare(_ part: Range<Int>) {
        let (lower, count) = (part.lowerBound, part.count)
        waiting.update(repeating: 0, count: count)
        childStarts.update(repeating: 0, count: count + 2)
        var events = 0
        for node in part {
            events += memory.nodes[node].events
            for parent in memory.parents(of: Int32(node)) where Int(parent) >= lower {
                waiting[node - lower] += 1
                childStarts[Int(parent) - lower + 2] += 1
            }
        }
        for place in 2..<count + 2 { childStarts[place] += childStarts[place - 1] }
        for node in part {
            for parent in memory.parents(of: Int32(node)) where Int(parent) >= lower {
                let place = Int(parent) - lower + 1
                children[Int(childStarts[place])] = Int32(node)
                childStarts[place] += 1
            }
        }
        estimate(part, max(events, 256))
        findPasts(part)
    }

    /// The past of each node within the part, itself included, as a set of nodes; for parts that are not too large.
    private mutating func findPasts(_ part: Range<Int>) {
        pastWords = (part.count + 63) / 64
        guard part.count <= Self.mostWithPasts else {
            pastWords = 0
            return
        }
        let needed = pastWords * (part.count + 1)
        if needed > pastRoom {
            pasts.deallocate()
            pastRoom = needed * 2
            pasts = .allocate(capacity: pastRoom)
        }
        pasts.update(repeating: 0, count: needed)
        for node in part {
            let past = pasts + (node - part.lowerBound) * pastWords
            let own = node - part.lowerBound
            past[own >> 6] |= 1 << UInt64(own & 63)
            addParents(Int32(node), to: past, part)
        }
    }

    /// Adds the pasts of a node's parents to a set.
    @inline(__always)
    private func addParents(_ node: Int32, to set: UnsafeMutablePointer<UInt64>, _ part: Range<Int>) {
        for parent in memory.parents(of: node) where Int(parent) >= part.lowerBound {
            let past = pasts + (Int(parent) - part.lowerBound) * pastWords
            for word in 0..<pastWords { set[word] |= past[word] }
        }
    }

    private func estimate(_ part: Range<Int>, _ events: Int) {
        var before = 0
        for node in part {
            let next = before + memory.nodes[node].events
            let (first, last) = (before * 256 / events, max(before * 256 / events, (next * 256 - 1) / events))
            following[node - part.lowerBound] = Self.stretch(first, last)
            before = next
        }
        for node in part.reversed() {
            for parent in memory.parents(of: Int32(node)) where Int(parent) >= part.lowerBound {
                following[Int(parent) - part.lowerBound] |= following[node - part.lowerBound]
            }
        }
    }

    /// The set of all stretches from the first to the last.
    private static func stretch(_ first: Int, _ last: Int) -> SIMD4<UInt64> {
        var set = SIMD4<UInt64>.zero
        for word in first >> 6...last >> 6 {
            let low = max(first - word << 6, 0)
            let high = min(last - word << 6, 63)
            set[word] = (UInt64.max << UInt64(low)) & (UInt64.max >> UInt64(63 - high))
        }
        return set
    }

    private func cost(_ node: Int32, _ part: Range<Int>) -> Int {
        let set = following[Int(node) - part.lowerBound]
        return set[0].nonzeroBitCount + set[1].nonzeroBitCount + set[2].nonzeroBitCount
            + set[3].nonzeroBitCount
    }

    /// Brings the smallest of a list's last nodes to its end. There are seldom more than two or three.
    private func sort(_ list: List, _ start: Int, _ end: Int, _ part: Range<Int>) {
        guard end - start > 1 else { return }
        guard end - start < 32 else {
            var tail = UnsafeMutableBufferPointer(start: list + start, count: end - start)
            let costs = Dictionary(uniqueKeysWithValues: tail.map { ($0, cost($0, part)) })
            tail.sort { (costs[$1] ?? 0, $1) < (costs[$0] ?? 0, $0) }
            return
        }
        for place in start + 1..<end {
            let node = list[place]
            let key = (cost(node, part), node)
            var free = place
            while free > start, (cost(list[free - 1], part), list[free - 1]) < key {
                list[free] = list[free - 1]
                free -= 1
            }
            list[free] = node
        }
    }

    /// Goes down from what is on the stack.
    private mutating func run(_ part: Range<Int>, heldOnly: Bool) {
        let lower = part.lowerBound
        while stacked > 0 {
            stacked -= 1
            let node = stack[stacked]
            order[count] = node
            count += 1
            let place = Int(node) - lower
            let ready = stacked
            for index in Int(childStarts[place])..<Int(childStarts[place + 1]) {
                let child = children[index]
                waiting[Int(child) - lower] -= 1
                guard waiting[Int(child) - lower] == 0 else { continue }
                if heldOnly && !memory.nodes[Int(child)].isHeld {
                    later[postponed] = child
                    postponed += 1
                } else {
                    stack[stacked] = child
                    stacked += 1
                }
            }
            sort(stack, ready, stacked, part)
        }
    }

    // MARK: Ways

    /// Finds what lies between the version after node `from`, or the beginning of the part, and that before `node`:
    /// ``retreats`` and ``advances``.
    mutating func findWay(from: Int32, to node: Int32, _ part: Range<Int>) {
        (retreatCount, advanceCount) = (0, 0)
        let parents = memory.parents(of: node)
        if parents.count == 1, parents[0] == from { return }
        if pastWords > 0 {
            comparePasts(from, node, part)
        } else {
            searchBack(from, node, part)
        }
    }

    /// Finds the way by the pasts that are kept.
    private mutating func comparePasts(_ from: Int32, _ node: Int32, _ part: Range<Int>) {
        let wanted = pasts + part.count * pastWords
        wanted.update(repeating: 0, count: pastWords)
        addParents(node, to: wanted, part)
        let hasLeft = Int(from) >= part.lowerBound
        let present = pasts + (hasLeft ? Int(from) - part.lowerBound : 0) * pastWords
        for word in 0..<pastWords {
            let (old, new) = (hasLeft ? present[word] : 0, wanted[word])
            let base = Int32(part.lowerBound + word << 6)
            var bits = old & ~new
            while bits != 0 {
                retreats[retreatCount] = base + Int32(bits.trailingZeroBitCount)
                retreatCount += 1
                bits &= bits - 1
            }
            bits = new & ~old
            while bits != 0 {
                advances[advanceCount] = base + Int32(bits.trailingZeroBitCount)
                advanceCount += 1
                bits &= bits - 1
            }
        }
    }

    /// Finds the way by a search back from both ends.
    private mutating func searchBack(_ from: Int32, _ node: Int32, _ part: Range<Int>) {
        heap.removeAll()
        var single = 0
        let lower = Int32(part.lowerBound)
        if from >= lower {
            heap.push(Int64(from) << 2 | 1)
            single += 1
        }
        for parent in memory.parents(of: node) where parent >= lower {
            heap.push(Int64(parent) << 2 | 2)
            single += 1
        }
        while single > 0, let top = heap.pop() {
            let place = top >> 2
            var sides = top & 3
            if sides != 3 { single -= 1 }
            while let next = heap.top, next >> 2 == place {
                if next & 3 != 3 { single -= 1 }
                sides |= next & 3
                heap.removeTop()
            }
            if sides == 1 {
                retreats[retreatCount] = Int32(place)
                retreatCount += 1
            } else if sides == 2 {
                advances[advanceCount] = Int32(place)
                advanceCount += 1
            }
            for parent in memory.parents(of: Int32(place)) where parent >= lower {
                heap.push(Int64(parent) << 2 | sides)
                if sides != 3 { single += 1 }
            }
        }
    }
}
