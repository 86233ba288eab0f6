// The history of one text: what each edit did, against which version, never rewritten. Every scalar that is inserted, and
// every deletion, is an event, and has a local number, its place in the order in which the events came here; parents
// come first. All of it is run-length encoded in flat arrays: a paragraph that was typed in one go is one entry of each.
//
// A deletion of many scalars is one event: so no edit has more events than it has bytes.
//
// After Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025); see Protocol/text.md.

/// All edits of one text that are held, in an order in which each follows its parents.
public struct TextHistory: Sendable {
    /// What a run of events does.
    enum Kind: UInt8 {
        /// Inserts scalars from left to right.
        case insert
        /// Deletes scalars one by one from left to right: each event at the same position.
        case deleteForward
        /// Deletes scalars one by one from right to left: the first event deletes the last of them.
        case deleteBackward
        /// Nothing: the event of an edit that is inert or has no runs.
        case nothing
        /// Deletes several scalars in one event.
        case deleteBlock
    }

    /// Consecutive events that do one thing at one place.
    struct Operation {
        /// The first event.
        var start: Int32
        /// How many scalars, and save for a block, events.
        var length: Int32
        /// The leftmost scalar that is inserted or deleted, in the text as the events before left it.
        var position: Int32
        /// Where in ``content`` the inserted text begins, or would begin.
        var content: Int32
        var kind: Kind

        /// The event behind the last.
        @inline(__always) var end: Int32 { start + (kind == .deleteBlock ? 1 : length) }
    }

    /// Consecutive events of which each but the first follows the one before and nothing else.
    struct GraphEntry {
        var start: Int32
        var end: Int32
        /// Where in ``parents`` those of the first event stand.
        var parents: Int32
        var parentCount: Int32
    }

    /// Consecutive edits of one agent with consecutive sequences and equally many events.
    struct EditRun {
        /// The first event of the first edit.
        var start: Int32
        /// The agent's place in ``agents``.
        var agent: Int32
        /// How many events each edit has.
        var each: Int32
        /// How many edits.
        var count: Int32
        /// The sequence of the first.
        var sequence: UInt64

        var end: Int32 { start + each * count }
    }

    var operations: [Operation] = []
    /// All inserted text, in the order of the events.
    var content: [UInt8] = []
    var graph: [GraphEntry] = []
    /// The parents of the graph's entries, each entry's ascending.
    var parents: [Int32] = []
    var edits: [EditRun] = []
    var agents: [TextAgent] = []
    var agentPlaces: [TextAgent: Int32] = [:]
    /// For each agent, the places of its runs in ``edits``, ascending by sequence.
    var runsOfAgent: [[Int32]] = []
    /// The events that no other follows, ascending.
    var frontier: [Int32] = []
    /// How many events there are.
    private(set) var end: Int32 = 0

    /// A history without edits.
    public init() {}

    /// How many events there are: scalars inserted, and deletions, and one for each edit that does nothing.
    public var eventCount: Int { Int(end) }

    /// How many edits there are. O(runs).
    public var editCount: Int { edits.reduce(0) { $0 + Int($1.count) } }

    /// The edits that no other follows, ascending: the version to which all of them lead.
    public var version: [TextEditID] { frontier.map(id(of:)).sorted() }

    /// Whether the edit is held.
    public func contains(_ id: TextEditID) -> Bool { lastEvent(of: id) != nil }

    /// Calls `body` with every edit, in the order of the events: its name, its events, and whether it does nothing.
    public func forEachEdit(_ body: (TextEditID, Range<Int>, _ isInert: Bool) -> Void) {
        var place = 0
        for run in edits {
            for number in 0..<run.count {
                let start = run.start + number * run.each
                while operations[place].end <= start { place += 1 }
                body(
                    TextEditID(agents[Int(run.agent)], run.sequence + UInt64(number)),
                    Int(start)..<Int(start + run.each), operations[place].kind == .nothing)
            }
        }
    }

    // MARK: Finding

    /// The place of the run of edits to which an event belongs. O(log runs).
    func editRun(of event: Int32) -> Int { edits.lastIndex(startingAtOrBefore: event, by: \.start) }

    /// The place of the graph's entry of an event. O(log entries).
    func entry(of event: Int32) -> Int { graph.lastIndex(startingAtOrBefore: event, by: \.start) }

    /// The place of the operation of an event. O(log operations).
    func operation(of event: Int32) -> Int { operations.lastIndex(startingAtOrBefore: event, by: \.start) }

    /// The edit to which an event belongs.
    func id(of event: Int32) -> TextEditID {
        let run = edits[editRun(of: event)]
        return TextEditID(agents[Int(run.agent)], run.sequence + UInt64((event - run.start) / run.each))
    }

    /// The last event of an edit, nil if the edit is not held.
    func lastEvent(of id: TextEditID) -> Int32? {
        guard let agent = agentPlaces[id.agent] else { return nil }
        let runs = runsOfAgent[Int(agent)]
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if edits[Int(runs[middle])].sequence <= id.sequence { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let run = edits[Int(runs[low - 1])]
        guard id.sequence - run.sequence < UInt64(run.count) else { return nil }
        return run.start + run.each * Int32(id.sequence - run.sequence + 1) - 1
    }

    /// The bytes of ``content`` that an operation inserts.
    func contentRange(_ place: Int) -> Range<Int> {
        let next = place + 1 < operations.count ? Int(operations[place + 1].content) : content.count
        return Int(operations[place].content)..<next
    }

    // MARK: Appending

    /// Makes room for an agent.
    mutating func place(of agent: TextAgent) -> Int32 {
        if let last = edits.last, agents[Int(last.agent)] == agent { return last.agent }
        if let known = agentPlaces[agent] { return known }
        let place = Int32(agents.count)
        agents.append(agent)
        agentPlaces[agent] = place
        runsOfAgent.append([])
        return place
    }

    /// Adds the deletion of scalars to the edit that is being appended.
    mutating func appendDeletion(of count: Int32, at position: Int32, isNewEntry: Bool) {
        append(count == 1 ? .deleteForward : .deleteBlock, at: position, count: count, isNewEntry: isNewEntry)
    }

    /// Adds an operation to the edit that is being appended.
    mutating func append(_ kind: Kind, at position: Int32, count: Int32, isNewEntry: Bool) {
        defer { end += kind == .deleteBlock ? 1 : count }
        if !isNewEntry, let last = operations.last, last.end == end, last.kind != .nothing {
            let place = operations.count - 1
            switch (last.kind, kind) {
            case (.insert, .insert) where position == last.position + last.length:
                operations[place].length += count
                return
            case (.deleteForward, .deleteForward) where position == last.position:
                operations[place].length += count
                return
            case (.deleteForward, .deleteForward) where last.length == 1 && position + 1 == last.position,
                (.deleteBackward, .deleteForward) where position + 1 == last.position:
                operations[place].length += count
                operations[place].position = position
                operations[place].kind = .deleteBackward
                return
            default: break
            }
        }
        operations.append(
            Operation(
                start: end, length: count, position: position, content: Int32(content.count), kind: kind))
    }

    /// Adds an edit of the events from `start` to the end, after its operations.
    mutating func closeEdit(_ agent: Int32, _ sequence: UInt64, start: Int32) {
        let each = end - start
        if let last = edits.last, last.agent == agent, last.each == each,
            last.sequence + UInt64(last.count) == sequence
        {
            edits[edits.count - 1].count += 1
            return
        }
        let place = Int32(edits.count)
        edits.append(EditRun(start: start, agent: agent, each: each, count: 1, sequence: sequence))
        noteRun(place)
    }

    /// Enters a run of edits under its agent.
    mutating func noteRun(_ place: Int32) {
        let run = edits[Int(place)]
        let agent = Int(run.agent)
        if let last = runsOfAgent[agent].last, edits[Int(last)].sequence > run.sequence {
            let index = runsOfAgent[agent].firstIndex { edits[Int($0)].sequence > run.sequence } ?? 0
            runsOfAgent[agent].insert(place, at: index)
        } else {
            runsOfAgent[agent].append(place)
        }
    }

    // MARK: Taking back

    /// Where the history stood at some time.
    struct Mark {
        let operations: Int
        let operation: Operation?
        let content: Int
        let graph: Int
        let entry: GraphEntry?
        let parents: Int
        let edits: Int
        let edit: EditRun?
        let frontier: [Int32]
        let end: Int32
    }

    /// Where the history stands.
    var mark: Mark {
        Mark(
            operations: operations.count, operation: operations.last, content: content.count,
            graph: graph.count,
            entry: graph.last, parents: parents.count, edits: edits.count, edit: edits.last,
            frontier: frontier, end: end)
    }

    /// Forgets what was appended since.
    mutating func goBack(to mark: Mark) {
        for agent in runsOfAgent.indices { runsOfAgent[agent].removeAll { Int($0) >= mark.edits } }
        operations.removeSubrange(mark.operations...)
        content.removeSubrange(mark.content...)
        graph.removeSubrange(mark.graph...)
        parents.removeSubrange(mark.parents...)
        edits.removeSubrange(mark.edits...)
        if let operation = mark.operation { operations[operations.count - 1] = operation }
        if let entry = mark.entry { graph[graph.count - 1] = entry }
        if let edit = mark.edit { edits[edits.count - 1] = edit }
        frontier = mark.frontier
        end = mark.end
    }

    /// Sets the number of events after a chunk was read.
    mutating func extend(to end: Int32) { self.end = end }
}

extension RandomAccessCollection where Index == Int {
    /// The last place whose element starts at or before an event; the first one must do so.
    func lastIndex(startingAtOrBefore event: Int32, by start: (Element) -> Int32) -> Int {
        var (low, high) = (startIndex, endIndex)
        while high - low > 1 {
            let middle = (low + high) / 2
            if start(self[middle]) <= event { low = middle } else { high = middle }
        }
        return low
    }
}
