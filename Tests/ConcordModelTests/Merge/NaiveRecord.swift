// The rules D1 to D4 and B5 of the merge, written down as they are said: over the whole set of changes, with causal
// pasts as sets, nothing incremental and nothing ordered. It shares no code with RecordState and is far too slow for
// anything but being obviously right.

import CBOR
import ConcordCrypto
import ConcordModel

/// A change as the model sees it. Sets of changes are bit masks over their places in the history.
struct Written {
    let dot: Dot
    let timestamp: Int64
    let past: UInt64
    /// What it does to the record.
    let operations: [Operation]
}

/// What the rules say of one record.
struct NaiveRecord: Hashable {
    struct Mark: Hashable {
        let dot: Dot
        let timestamp: Int64
        let value: Value
    }

    var registers: [UTF8Text: Set<Mark>] = [:]
    var displayed: [UTF8Text: Mark] = [:]
    var sets: [UTF8Text: [Value: Set<Dot>]] = [:]
    var touches: Set<Dot> = []
    var covered: [ReplicaID: UInt64] = [:]
    var openDeletes: Set<Dot> = []
    var isLive = false
    var updatedAt: Int64 = 0

    /// The record after the changes in `effective`, a causally closed set.
    init(_ history: [Written], effective: UInt64) {
        let changes = history.indices.filter { effective & (1 << UInt64($0)) != 0 }
        for index in changes {
            for operation in history[index].operations {
                count(operation, of: history[index])
                collect(operation, of: index, history, changes)
            }
        }
        for (field, marks) in registers {
            displayed[field] = marks.max {
                ($0.timestamp, $0.dot.replica, $0.dot.sequence) < (
                    $1.timestamp, $1.dot.replica, $1.dot.sequence
                )
            }
        }
        // D3: live iff some touch is covered by no delete.
        isLive = touches.contains { touch in
            !changes.contains { delete in
                history[delete].operations.contains { operation in
                    guard case .delete(let seen) = operation else { return false }
                    return seen[touch.replica] >= touch.sequence && Self.isIn(history, touch, pastOf: delete)
                }
            }
        }
    }

    /// Touches, and the latest timestamp.
    private mutating func count(_ operation: Operation, of change: Written) {
        switch operation {
        case .create, .set, .add, .remove, .edit, .restore: touches.insert(change.dot)
        case .delete: break
        default: return
        }
        updatedAt = max(updatedAt, change.timestamp)
    }

    /// What the operation leaves in the record, unless another effective operation names it.
    private mutating func collect(
        _ operation: Operation, of index: Int, _ history: [Written], _ changes: [Int]
    ) {
        let change = history[index]
        func isNamed(by names: (Operation) -> [Dot]?) -> Bool {
            changes.contains { other in
                history[other].past & (1 << UInt64(index)) != 0
                    && history[other].operations.contains { names($0)?.contains(change.dot) == true }
            }
        }
        switch operation {
        case .set(let field, let value, _):
            let isOverwritten = isNamed { if case .set(field, _, let dots) = $0 { dots } else { nil } }
            if !isOverwritten {
                registers[field, default: []].insert(
                    Mark(dot: change.dot, timestamp: change.timestamp, value: value))
            }
        // D8: an erased add adds nothing.
        case .add(_, .erased, _): break
        case .add(let field, let element, _):
            let isTakenOut = isNamed {
                switch $0 {
                case .add(field, element, let dots), .remove(field, element, let dots): dots
                // D8: of which element it was is not known, so it was of each.
                case .add(field, .erased, let dots), .remove(field, .erased, let dots): dots
                default: nil
                }
            }
            if !isTakenOut { sets[field, default: [:]][element, default: []].insert(change.dot) }
        case .delete(let seen):
            if !isNamed(by: { if case .restore(let dots) = $0 { dots } else { nil } }) {
                openDeletes.insert(change.dot)
            }
            for place in history.indices where change.past & (1 << UInt64(place)) != 0 {
                let dot = history[place].dot
                if dot.sequence <= seen[dot.replica] {
                    covered[dot.replica] = max(covered[dot.replica] ?? 0, dot.sequence)
                }
            }
        default: break
        }
    }

    private static func isIn(_ history: [Written], _ dot: Dot, pastOf index: Int) -> Bool {
        history.indices.contains { history[$0].dot == dot && history[index].past & (1 << UInt64($0)) != 0 }
    }

    /// The digest term as section E of the rules and its description say.
    func digestTerm(_ id: RecordID, _ parent: RecordID?) -> Digest {
        var writer = CBORWriter()
        func writeDot(_ dot: Dot) {
            writer.byteString(dot.replica.bytes)
            writer.unsigned(dot.sequence)
        }
        func writeDots(_ dots: Set<Dot>) {
            writer.array(dots.count)
            for dot in dots.sorted() {
                writer.array(2)
                writeDot(dot)
            }
        }
        writer.array(7)
        writer.byteString(id.bytes)
        writer.byteString(parent?.bytes ?? [])
        writer.unsigned(isLive ? 1 : 0)
        writeDots(openDeletes)
        writer.array(registers.count)
        for (field, marks) in registers.sorted(by: { $0.key < $1.key }) {
            writer.array(2)
            writer.text(field.string)
            writer.array(marks.count)
            for mark in marks.sorted(by: { $0.dot < $1.dot }) {
                writer.array(3)
                writeDot(mark.dot)
                writer.value(mark.value)
            }
        }
        writer.array(sets.count)
        for (field, elements) in sets.sorted(by: { $0.key < $1.key }) {
            writer.array(2)
            writer.text(field.string)
            writer.array(elements.count)
            for (element, adds) in elements.sorted(by: { $0.key < $1.key }) {
                writer.array(2)
                writer.value(element)
                writeDots(adds)
            }
        }
        // The model applies no edits: what became of the texts is for the store to say.
        writer.array(0)
        return SHA256.hash(writer.bytes)
    }
}

extension NaiveRecord {
    /// What a merged state says, in the terms of the model.
    init(_ state: RecordState) {
        for register in state.registers {
            let marks = register.values.map { Mark(dot: $0.dot, timestamp: $0.timestamp, value: $0.value) }
            registers[register.field] = Set(marks)
            displayed[register.field] = marks.first
        }
        for set in state.sets {
            sets[set.field] = Dictionary(
                uniqueKeysWithValues: set.elements.map { ($0.element, Set($0.adds)) })
        }
        covered = Dictionary(uniqueKeysWithValues: state.covered.elements.map { ($0.replica, $0.sequence) })
        openDeletes = Set(state.openDeletes)
        isLive = state.isLive()
        updatedAt = state.updatedAt
    }

    /// The same without the single touches, of which a merged state keeps only the highest of each replica.
    var withoutTouches: NaiveRecord {
        var copy = self
        copy.touches = []
        return copy
    }

    var touchedVector: VersionVector { VersionVector(touches) }
}
