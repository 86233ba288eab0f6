// Random histories of one record: several replicas that write and hear from each other, honest for the most part, but
// also with stale views, names outside the past, and less in their pasts than they hold.

import ConcordModel

/// A history and what each replica holds at its end.
struct RandomHistory {
    static let record: RecordID = 7
    static let parent: RecordID = 8
    static let kind: UTF8Text = "contact"

    private(set) var changes: [Written] = []
    /// The closed set of changes that each replica holds.
    private(set) var held: [UInt64]
    /// The causal past of each change, as a store gives it with the change.
    private(set) var pasts: [CausalPast] = []
    private var arrivals: [[Int]]
    private var sequences: [UInt64]
    private let replicas: [ReplicaID]
    private var random: Seeded
    private var eraser: Seeded

    private static let registers: [UTF8Text] = ["email", "name", "nàme"]
    private static let sets: [UTF8Text] = ["areas", "languages", "name"]
    private static let values: [Value] = [.empty, .text("a"), .text("b"), .integer(-1), .bytes([0, 255])]

    init(seed: UInt64) {
        random = Seeded(seed)
        eraser = Seeded(seed ^ 0x5eed)
        let count = 2 + random.below(3)
        replicas = Self.names(count, &random)
        held = Array(repeating: 0, count: count)
        arrivals = Array(repeating: [], count: count)
        sequences = Array(repeating: 0, count: count)
        write(0, [.create(kind: Self.kind, parent: Self.parent)])
        let steps = 4 + random.below(36)
        for _ in 0..<steps {
            let actor = random.below(count)
            if random.chance(45) {
                hear(actor, from: random.below(count))
            } else {
                let knowsRecord = held[actor] & 1 != 0
                write(actor, knowsRecord ? randomOperations(of: actor) : [])
            }
        }
    }

    /// Distinct random names, so that their order says nothing.
    private static func names(_ count: Int, _ random: inout Seeded) -> [ReplicaID] {
        (0..<count).map {
            ReplicaID(Bytes16(high: UInt64(random.below(3)), low: random.next() << 8 | UInt64($0)))
        }
    }

    private func members(_ mask: UInt64) -> [Int] { changes.indices.filter { mask & (1 << UInt64($0)) != 0 } }

    /// Takes over a causally closed part of what another replica holds.
    private mutating func hear(_ actor: Int, from other: Int) {
        let count = arrivals[other].isEmpty ? 0 : random.below(arrivals[other].count + 1)
        for index in arrivals[other].prefix(random.chance(60) ? arrivals[other].count : count)
        where held[actor] & (1 << UInt64(index)) == 0 {
            held[actor] |= 1 << UInt64(index)
            arrivals[actor].append(index)
        }
    }

    private mutating func write(_ actor: Int, _ operations: [Operation]) {
        sequences[actor] += 1
        let index = changes.count
        var past = held[actor]
        // Now and then a change names fewer dependencies than its author holds.
        if random.chance(10), operations.isEmpty { past = ownPast(actor) }
        changes.append(
            Written(
                dot: Dot(replicas[actor], sequences[actor]), timestamp: Int64(1000 + random.below(4)),
                past: past,
                operations: operations))
        pasts.append(
            CausalPast(of: changes[index].dot, others: VersionVector(members(past).map { changes[$0].dot })))
        held[actor] |= 1 << UInt64(index)
        arrivals[actor].append(index)
    }

    private func ownPast(_ actor: Int) -> UInt64 {
        guard let last = members(held[actor]).last(where: { changes[$0].dot.replica == replicas[actor] })
        else { return 0 }
        return changes[last].past | 1 << UInt64(last)
    }

    // MARK: Operations

    private mutating func randomOperations(of actor: Int) -> [Operation] {
        let view = NaiveRecord(changes, effective: viewed(by: actor))
        if random.chance(12) { return [.delete(seen: seen(view, actor))] }
        var operations: [Operation] = []
        if random.chance(12) { operations.append(.restore(deletes: names(Array(view.openDeletes), actor))) }
        if random.chance(5) { operations.append(.edit(field: "notes", parents: [], runs: [], inserted: "")) }
        if random.chance(5) { operations.append(.unknown(header: [0x81, 0x18, 99], value: [0x80])) }
        if random.chance(3) { operations.append(.erase(changes: [], reason: "")) }
        // What was erased is erased for everybody: the history is one of the forms that are left.
        let isErased = eraser.chance(12)
        for field in Self.registers where random.chance(35) {
            let present = view.registers[field, default: []].map(\.dot)
            let value = isErased ? .erased : Self.values[random.below(Self.values.count)]
            operations.append(.set(field: field, value: value, replacing: names(present, actor)))
        }
        for field in Self.sets where random.chance(35) {
            for element in Self.values where random.chance(40) {
                let present = Array(view.sets[field]?[element] ?? [])
                let named = names(present, actor)
                let element = isErased ? .erased : element
                operations.append(
                    random.chance(60)
                        ? .add(field: field, element: element, replacing: named)
                        : .remove(field: field, element: element, replacing: named))
            }
        }
        return operations.shuffled(using: &random)
    }

    /// What the writer looks at: all it holds, or at times something it held earlier.
    private mutating func viewed(by actor: Int) -> UInt64 {
        guard random.chance(15) else { return held[actor] }
        return arrivals[actor].prefix(1 + random.below(arrivals[actor].count)).reduce(0) {
            $0 | 1 << UInt64($1)
        }
    }

    /// The dots of a view as an operation names them; at times some are missing, foreign or invented.
    private mutating func names(_ present: [Dot], _ actor: Int) -> [Dot] {
        var names = Set(present.sorted().filter { _ in !random.chance(8) })
        if random.chance(15) {
            for _ in 0..<1 + random.below(3) { names.insert(changes[random.below(changes.count)].dot) }
        }
        if random.chance(8) {
            names.insert(Dot(replicas[random.below(replicas.count)], UInt64(1 + random.below(30))))
        }
        return names.filter { $0.replica != replicas[actor] || $0.sequence <= sequences[actor] }.sorted()
    }

    private mutating func seen(_ view: NaiveRecord, _ actor: Int) -> VersionVector {
        var seen = view.touchedVector
        if random.chance(25) {
            seen.raise(replicas[random.below(replicas.count)], to: UInt64(1 + random.below(30)))
        }
        if random.chance(15) { seen[replicas[random.below(replicas.count)]] = UInt64(random.below(4)) }
        seen[replicas[actor]] = min(seen[replicas[actor]], sequences[actor])
        return seen
    }

    // MARK: Delivery

    /// The changes of a closed set in some random causal order.
    static func order(_ changes: [Written], _ set: UInt64, _ random: inout Seeded) -> [Int] {
        var waiting = changes.indices.filter { set & (1 << UInt64($0)) != 0 }
        var delivered: UInt64 = 0
        var order: [Int] = []
        while !waiting.isEmpty {
            let ready = waiting.indices.filter { changes[waiting[$0]].past & ~delivered == 0 }
            let next = waiting.remove(at: ready[random.below(ready.count)])
            delivered |= 1 << UInt64(next)
            order.append(next)
        }
        return order
    }
}
