// Plays the events that are new into a text. Where history is linear the positions that were written are the right ones;
// elsewhere each is transformed, by way of the tracker, from the version against which it was written to the text as it
// has become. After Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025).

/// One merge of new events into a text.
struct Walker: ~Copyable {
    private var memory: WalkMemory
    private let history: TextHistory
    private let parts: [Int]
    /// The events from here on have not been judged before.
    private let firstUnjudged: Int32
    private var tracker: Tracker
    private var order: WalkOrder
    /// The operations, should some of them turn out to do nothing.
    private var replaced: UnsafeMutableBufferPointer<TextHistory.Operation>?
    /// The edits that were found to be inert, by their first events.
    private var inert: [Int32] = []

    private init(_ memory: WalkMemory, _ history: TextHistory, parts: [Int], firstUnjudged: Int32) {
        self.memory = memory
        self.history = history
        self.parts = parts
        self.firstUnjudged = firstUnjudged
        tracker = Tracker(events: memory.nodes[0].start..<memory.nodes[memory.nodeCount - 1].end)
        order = WalkOrder(memory)
    }

    deinit { replaced?.deallocate() }

    /// Merges events into a text.
    ///
    /// - Parameters:
    ///   - text: the text at the version `held`; the text at `new` afterwards.
    ///   - new: a version that includes `held`.
    ///   - firstUnjudged: the first event that was never merged into a text.
    /// - Returns: the edits that were found to be inert, by their first events.
    static func merge(
        _ history: TextHistory, into text: inout TextBuffer, held: [Int32], new: [Int32],
        firstUnjudged: Int32 = .max
    ) -> [Int32] {
        let graph = ConflictGraph(history, held: held, new: new)
        guard !graph.nodes.isEmpty else { return [] }
        return WalkMemory.with(history, graph, ranks: ranks(history)) { memory in
            var walker = Walker(memory, history, parts: graph.parts, firstUnjudged: firstUnjudged)
            walker.run(&text)
            return walker.inert
        }
    }

    /// Whose characters the text of a version consists of: the event of the first of each span of characters, and how
    /// many.
    static func origins(
        _ history: TextHistory, at version: [Int32]
    ) -> [(event: Int32, count: Int32)] {
        let graph = ConflictGraph(history, held: [], new: version)
        guard !graph.nodes.isEmpty else { return [] }
        return WalkMemory.with(history, graph, ranks: ranks(history)) { memory in
            var walker = Walker(memory, history, parts: [0], firstUnjudged: .max)
            return walker.origins()
        }
    }

    /// Of each agent, its place in the order of all agents.
    private static func ranks(_ history: TextHistory) -> [Int32] {
        let order = history.agents.indices.sorted { history.agents[$0] < history.agents[$1] }
        var ranks = [Int32](repeating: 0, count: order.count)
        for (rank, agent) in order.enumerated() { ranks[agent] = Int32(rank) }
        return ranks
    }

    private mutating func run(_ text: inout TextBuffer) {
        for (index, start) in parts.enumerated() {
            let end = index + 1 < parts.count ? parts[index + 1] : memory.nodeCount
            if end == start + 1, !memory.nodes[start].isHeld {
                fastForward(start, &text)
            } else {
                walk(start..<end, &text)
            }
        }
    }

    private mutating func origins() -> [(event: Int32, count: Int32)] {
        tracker.reset(placeholder: 0)
        let whole = 0..<memory.nodeCount
        order.arrange(whole)
        var text = TextBuffer()
        play(whole, &text, shows: false)
        var origins: [(event: Int32, count: Int32)] = []
        var leaf: Int32 = 0
        while leaf >= 0 {
            for slot in 0..<Int(tracker.leaves[Int(leaf)].count) {
                let span = tracker.base(leaf)[slot]
                if !span.isDeleted { origins.append((span.id, span.length)) }
            }
            leaf = tracker.leaves[Int(leaf)].next
        }
        return origins
    }

    // MARK: The straight way

    /// Plays events that every other of the merge precedes or follows.
    private mutating func fastForward(_ place: Int, _ text: inout TextBuffer) {
        judge(place, length: text.scalarCount)
        let node = memory.nodes[place]
        var place = firstOperation(node)
        while place < memory.operations.count, memory.operations[place].start < node.end {
            let part = memory.operations.part(place, node.start, node.end, memory.content)
            switch part.kind {
            case .insert:
                text.insert(part.text(memory.content), scalars: Int(part.count), at: Int(part.position))
            case .deleteForward, .deleteBackward, .deleteBlock:
                text.remove(Int(part.count), at: Int(part.position))
            case .nothing: break
            }
            place += 1
        }
    }

    /// The place of a node's first operation.
    @inline(__always)
    private func firstOperation(_ node: ConflictGraph.Node) -> Int {
        guard replaced != nil else { return Int(node.operation) }
        return memory.operations.lastIndex(startingAtOrBefore: node.start, by: \.start)
    }

    // MARK: The way around

    /// Plays a part in which there are branches.
    private mutating func walk(_ part: Range<Int>, _ text: inout TextBuffer) {
        order.arrange(part)
        // The text of the version where the walk sets out is longer than the present one by no more than was deleted
        // since, and no text is longer than all that was ever inserted. By how much the placeholder is too long is known once the events that the text includes are played, since
        // the tracker shows that text then.
        var placeholder = text.scalarCount
        for index in 0..<order.heldCount { placeholder += deletions(memory.nodes[Int(order.order[index])]) }
        tracker.reset(placeholder: min(placeholder, history.eventCount))
        play(part, &text, shows: true)
    }

    /// How many scalars a node deletes at most.
    private func deletions(_ node: ConflictGraph.Node) -> Int {
        var place = firstOperation(node)
        var count = 0
        while place < memory.operations.count, memory.operations[place].start < node.end {
            let part = memory.operations.part(place, node.start, node.end, memory.content)
            if part.kind != .insert && part.kind != .nothing { count += Int(part.count) }
            place += 1
        }
        return count
    }

    /// Plays the ordered nodes; into the text as well, those that it does not include, if it `shows` anything.
    private mutating func play(_ part: Range<Int>, _ text: inout TextBuffer, shows: Bool) {
        var (slack, previous) = (0, Int32(-1))
        for index in 0..<order.count {
            let place = order.order[index]
            order.findWay(from: previous, to: place, part)
            for passed in 0..<order.retreatCount { toggle(memory.nodes[Int(order.retreats[passed])], by: -1) }
            for passed in 0..<order.advanceCount { toggle(memory.nodes[Int(order.advances[passed])], by: 1) }
            let isNew = shows && index >= order.heldCount
            if isNew {
                if index == order.heldCount { slack = tracker.effectTotal - text.scalarCount }
                judge(Int(place), length: tracker.prepareTotal - slack)
            }
            apply(memory.nodes[Int(place)], &text, shows: isNew)
            previous = place
            #if DEBUG
            if tracker.leafCount < 32 { tracker.checkInvariants() }
            #endif
        }
    }

    /// Takes a node's events out of the version of the next event, or puts them in again.
    private mutating func toggle(_ node: ConflictGraph.Node, by step: Int32) {
        var place = firstOperation(node)
        while place < memory.operations.count, memory.operations[place].start < node.end {
            let operation = memory.operations[place]
            let start = max(operation.start, node.start)
            let count = min(operation.end, node.end) - start
            switch operation.kind {
            case .insert: tracker.toggle(start, count, by: step)
            case .deleteForward, .deleteBackward: tracker.toggleDeletions(start, count, by: step)
            case .deleteBlock: tracker.toggleDeletions(start, operation.length, by: step)
            case .nothing: break
            }
            place += 1
        }
    }

    /// Plays a node's events, whose version the tracker shows; on the text, too, if it does not include them.
    private mutating func apply(_ node: ConflictGraph.Node, _ text: inout TextBuffer, shows: Bool) {
        var place = firstOperation(node)
        while place < memory.operations.count, memory.operations[place].start < node.end {
            let part = memory.operations.part(place, node.start, node.end, memory.content)
            switch part.kind {
            case .insert:
                let effect = tracker.insert(part.start, part.count, at: part.position, memory.order)
                if shows { text.insert(part.text(memory.content), scalars: Int(part.count), at: Int(effect)) }
            case .deleteForward, .deleteBackward, .deleteBlock: delete(part, &text, shows: shows)
            case .nothing: break
            }
            place += 1
        }
    }

    private mutating func delete(_ part: TextHistory.Part, _ text: inout TextBuffer, shows: Bool) {
        tracker.places.set(part.start, to: Int32(tracker.deletionCount))
        tracker.delete(part.count, at: part.position, in: &text, shows: shows)
    }

    // MARK: Judging

    /// Finds the edits of a node that are inert: those that reach beyond the text of their version, which has `length`
    /// scalars before the first of them (Protocol/text.md, "Verdict"). They keep their events, which do nothing.
    private mutating func judge(_ place: Int, length: Int) {
        let node = memory.nodes[place]
        guard node.end > firstUnjudged else { return }
        var (operation, left) = (firstOperation(node), length)
        while operation < memory.operations.count, memory.operations[operation].start < node.end {
            let part = memory.operations.part(operation, node.start, node.end, memory.content)
            guard part.fits(&left) else {
                replace(judgeEdits(node, length))
                return
            }
            operation += 1
        }
    }

    /// The operations with those of a node judged edit by edit.
    private mutating func judgeEdits(_ node: ConflictGraph.Node, _ length: Int) -> [TextHistory.Operation] {
        let old = memory.operations
        let first = firstOperation(node)
        var last = first
        while last < old.count, old[last].start < node.end { last += 1 }
        var judged = Array(old[..<first])
        judged.reserveCapacity(old.count + 8)
        if old[first].start < node.start { judged.append(cut(first, old[first].start, node.start)) }
        var left = length
        for edit in history.editRanges(node.start, node.end) {
            var (after, fits) = (left, true)
            var place = old.lastIndex(startingAtOrBefore: edit.lowerBound, by: \.start)
            var pieces: [TextHistory.Operation] = []
            while place < last, old[place].start < edit.upperBound {
                let part = old.part(place, edit.lowerBound, edit.upperBound, memory.content)
                fits = fits && part.fits(&after)
                pieces.append(cut(place, edit.lowerBound, edit.upperBound))
                place += 1
            }
            if fits {
                left = after
                judged += pieces
            } else {
                inert.append(edit.lowerBound)
                judged.append(
                    TextHistory.Operation(
                        start: edit.lowerBound, length: Int32(edit.count), position: 0,
                        content: pieces.first?.content ?? 0, kind: .nothing))
            }
        }
        if old[last - 1].end > node.end { judged.append(cut(last - 1, node.end, old[last - 1].end)) }
        return judged + old[last...]
    }

    private func cut(_ place: Int, _ start: Int32, _ end: Int32) -> TextHistory.Operation {
        let part = memory.operations.part(place, start, end, memory.content)
        let content = part.kind == .insert ? Int32(part.bytes.lowerBound) : memory.operations[place].content
        return TextHistory.Operation(
            start: part.start, length: part.count, position: part.position, content: content, kind: part.kind)
    }

    private mutating func replace(_ operations: [TextHistory.Operation]) {
        let new = UnsafeMutableBufferPointer<TextHistory.Operation>.allocate(capacity: operations.count)
        _ = new.initialize(from: operations)
        replaced?.deallocate()
        replaced = new
        memory.operations = UnsafeBufferPointer(new)
    }
}
