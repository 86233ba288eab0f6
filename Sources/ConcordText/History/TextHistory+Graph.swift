// The graph that the edits' parents span: who comes after whom.

extension TextHistory {
    /// Adds the events from `start` up to `end`, of which each but the first follows the one before.
    ///
    /// - Parameter parents: those of the first event, ascending; none of them an ancestor of another.
    mutating func appendEntry(_ range: Range<Int32>, parents list: [Int32]) {
        let (start, end) = (range.lowerBound, range.upperBound)
        if let last = graph.last, last.end == start, list.count == 1, list[0] == start - 1 {
            graph[graph.count - 1].end = end
        } else {
            graph.append(
                GraphEntry(
                    start: start, end: end, parents: Int32(parents.count), parentCount: Int32(list.count)))
            parents.append(contentsOf: list)
        }
        advanceFrontier(over: list, to: end - 1)
    }

    /// Raises the frontier over parents that are followed by `last` now.
    mutating func advanceFrontier(over list: [Int32], to last: Int32) {
        if frontier.count == 1, list.count == 1, frontier[0] == list[0] {
            frontier[0] = last
        } else {
            frontier.removeAll { list.contains($0) }
            frontier.append(last)
        }
    }

    /// The parents of an event, ascending.
    func parents(of event: Int32) -> ArraySlice<Int32> {
        let found = graph[entry(of: event)]
        return found.start == event ? parentList(found) : [event - 1]
    }

    /// The parents of an entry's first event, ascending.
    func parentList(_ entry: GraphEntry) -> ArraySlice<Int32> {
        parents[Int(entry.parents)..<Int(entry.parents + entry.parentCount)]
    }

    /// Those of the events that are an ancestor of no other of them, ascending.
    func dominators(_ events: [Int32]) -> [Int32] {
        guard events.count > 1 else { return events }
        let sorted = Set(events).sorted()
        if sorted.count == 1 || sorted == frontier { return sorted }
        let lowest = sorted[0]
        // An event as given has an even number, an ancestor of one an odd: of equal ones the ancestor comes first.
        var heap = MaxHeap(sorted.map { Int64($0) << 1 })
        var waiting = sorted.count
        var found: [Int32] = []
        while waiting > 0, let top = heap.pop() {
            let event = Int32(top >> 1)
            var isGiven = top & 1 == 0
            var isAncestor = !isGiven
            while let next = heap.top, next >> 1 == Int64(event) {
                if next & 1 == 0 { isGiven = true } else { isAncestor = true }
                heap.removeTop()
            }
            if isGiven { waiting -= 1 }
            if isGiven && !isAncestor { found.append(event) }
            let entry = graph[entry(of: event)]
            while let next = heap.top, next >> 1 >= Int64(entry.start) {
                if next & 1 == 0 { waiting -= 1 }
                heap.removeTop()
            }
            for parent in parentList(entry) where parent >= lowest { heap.push(Int64(parent) << 1 | 1) }
        }
        return found.reversed()
    }
}
