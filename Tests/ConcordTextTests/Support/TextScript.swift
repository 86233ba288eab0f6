// Random histories of one text: several desks write, each against what it has seen, and now and then one takes over
// what another has. An agent is mostly the one of its desk; some sit at several desks. Some edits are impossible,
// some are erased. The same seed and size give the same history.

import ConcordText

/// How large histories are.
struct TextScriptSize: Sendable {
    var agents = 1...6
    var desks = 1...4
    var edits = 4...14
    /// Runs of an edit, as people type them.
    var runs = 1...3
    /// Scalars of a stretch of typing or deleting.
    var stretch = 1...4
    /// In a hundred edits.
    var hostile = 4
    var erased = 4
    var merges = 35
}

/// A history, each edit after its parents.
struct TextScript {
    let seed: UInt64
    private(set) var edits: [TextEdit] = []
    /// What it means by definition.
    private(set) var oracle = TreeOracle()

    private let size: TextScriptSize
    private var dice: Seeded
    private var agents: [TextAgent] = []
    private var numbersUsed: [TextAgent: Set<UInt64>] = [:]
    /// What each desk has seen, as the newest edits or more of them.
    private var desks: [[TextEditID]] = []

    init(seed: UInt64, size: TextScriptSize = TextScriptSize()) {
        self.seed = seed
        self.size = size
        dice = Seeded(seed)
        agents = Self.agents(count(size.agents), &dice)
        desks = Array(repeating: [], count: count(size.desks))
        for _ in 0..<count(size.edits) { step() }
    }

    /// All edits without successor, and some that have one.
    var version: [TextEditID] {
        let parents = Set(edits.flatMap(\.parents))
        return edits.map(\.id).filter { !parents.contains($0) }
    }

    private mutating func count(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + dice.below(range.count)
    }

    /// Names in an order that is not that of their first edits, close to each other, and with the highest bit.
    private static func agents(_ count: Int, _ dice: inout Seeded) -> [TextAgent] {
        var agents: Set<TextAgent> = []
        while agents.count < count {
            let numbers: [UInt64] = [0, 1, 2, 1 << 63, 1 << 63 | 1, .max, dice.next()]
            agents.insert(TextAgent(high: dice.one(of: numbers), low: dice.one(of: numbers)))
        }
        return agents.sorted().shuffled(using: &dice)
    }

    private mutating func step() {
        let desk = dice.below(desks.count)
        let agent = dice.chance(80) ? agents[desk % agents.count] : dice.one(of: agents)
        let parents = parents(at: desk)
        let edit = edit(TextEditID(agent, number(of: agent)), after: parents)
        edits.append(edit)
        oracle.add(edit)
        desks[desk] = [edit.id]
        if dice.chance(size.merges) { merge() }
    }

    private mutating func merge() {
        let (from, to) = (dice.below(desks.count), dice.below(desks.count))
        for edit in desks[from] where !oracle.isKnown(edit, at: desks[to]) {
            let latest = desks[to].filter { !oracle.isKnown($0, at: [edit]) }
            // Sometimes an edit stays that another one implies.
            desks[to] = (dice.chance(90) ? latest : desks[to]) + [edit]
        }
    }

    /// Mostly what the desk has seen; sometimes with more of the past than need be; sometimes only an old part of it.
    private mutating func parents(at desk: Int) -> [TextEditID] {
        var parents = desks[desk]
        if !edits.isEmpty {
            let some = edits[dice.below(edits.count)]
            if dice.chance(4) {
                parents = some.parents
            } else if dice.chance(6), !parents.contains(some.id), oracle.isKnown(some.id, at: parents) {
                parents.append(some.id)
            }
        }
        return parents.shuffled(using: &dice)
    }

    /// The next number, one after a gap, or one from before that was left out.
    private mutating func number(of agent: TextAgent) -> UInt64 {
        let used = numbersUsed[agent, default: []]
        var number = (used.max() ?? 0) + (dice.chance(10) ? 1 + UInt64(dice.below(3)) : 1)
        if dice.chance(10), let free = (1..<number).first(where: { !used.contains($0) }) { number = free }
        numbersUsed[agent, default: []].insert(number)
        return number
    }

    private mutating func edit(_ id: TextEditID, after parents: [TextEditID]) -> TextEdit {
        var length = oracle.length(at: parents)
        var runs: [TextRun] = []
        if !dice.chance(3) {
            for _ in 0..<count(size.runs) { runs += stretch(&length) }
            if dice.chance(size.hostile) { runs.insert(impossible(length), at: dice.below(runs.count + 1)) }
        }
        guard !dice.chance(size.erased) else {
            return TextEdit(id: id, parents: parents, runs: runs, inserted: nil)
        }
        let inserted = runs.reduce(0) { $0 + Int($1.inserted) }
        let scalars = (0..<inserted).map { _ in Self.scalar(&dice) }
        return TextEdit(id: id, parents: parents, runs: runs, inserted: encoded(scalars))
    }

    /// Mostly the beginning, the end or a place where many write.
    private mutating func position(upTo end: Int) -> Int {
        switch dice.below(6) {
        case 0: 0
        case 1: end
        case 2, 3: min(end, 3)
        default: dice.below(end + 1)
        }
    }

    /// What a person does in one go; the length after it.
    private mutating func stretch(_ length: inout Int) -> [TextRun] {
        let count = count(size.stretch)
        var start = position(upTo: length)
        if length == 0 || dice.below(100) < (length < 100 ? 58 : 45) {
            length += count
            switch dice.below(4) {
            case 0: return [.insert(UInt64(count), at: UInt64(start))]
            case 1: return (0..<count).map { .insert(1, at: UInt64(start + $0)) }
            case 2: return (0..<count).map { _ in .insert(1, at: UInt64(start)) }
            default:
                let deleted = min(count, length - count - start)
                length -= deleted
                return [TextRun(position: UInt64(start), deleted: UInt64(deleted), inserted: UInt64(count))]
            }
        }
        start = min(start, length - 1)
        let deleted = min(count, length - start)
        length -= deleted
        switch dice.below(3) {
        case 0: return [.delete(UInt64(deleted), at: UInt64(start))]
        case 1: return (0..<deleted).map { _ in .delete(1, at: UInt64(start)) }
        default: return (0..<deleted).map { .delete(1, at: UInt64(start + deleted - 1 - $0)) }
        }
    }

    /// A run that hardly ever can be: just past the end, or far.
    private mutating func impossible(_ length: Int) -> TextRun {
        let beyond = UInt64(dice.one(of: [length + 1, length + 2, 1 << 20, 4_194_304]))
        switch dice.below(4) {
        case 0: return .insert(1, at: beyond)
        case 1: return .delete(1 + UInt64(dice.below(3)), at: UInt64(length))
        case 2: return .delete(beyond, at: 0)
        default: return TextRun(position: beyond, deleted: 1, inserted: 1)
        }
    }

    private static func scalar(_ dice: inout Seeded) -> UInt32 {
        switch dice.below(12) {
        case 0: 0x80 + UInt32(dice.below(0x780))
        case 1: dice.one(of: [0x800, 0x6c34, 0xd7ff, 0xe000, 0xfffd, 0xffff])
        case 2: dice.one(of: [0x10000, 0x1f600, 0x10ffff])
        case 3: dice.one(of: [0, 9, 10, 0x7f, 0x301, 0x80, 0x7ff])
        default: 0x61 + UInt32(dice.below(26))
        }
    }
}
