// The rules D of the model, word by word, over all allowed operations of a record at once. It shares no code
// with the incremental merge: a value is there unless some operation names it and has it in its past; a touch
// is covered if some delete saw it and has it in its past. Slow and obviously right, which is its purpose.

import CBOR
import ConcordCrypto
import ConcordModel

/// An allowed operation of an effective change.
struct NaiveOperation {
    let past: CausalPast
    let timestamp: Int64
    let operation: Operation

    var dot: Dot { past.dot }

    /// Whether the operation takes away what bears this dot (rule B5).
    func takesAway(_ dot: Dot, naming names: [Dot]) -> Bool { names.contains(dot) && past.contains(dot) }
}

/// What the rules make of the operations of one record.
struct NaiveRecord {
    let id: RecordID
    let parent: RecordID?
    let operations: [NaiveOperation]

    /// The changes that touched the record itself (rule D3).
    var touches: [Dot] {
        operations.compactMap {
            switch $0.operation {
            case .create, .set, .add, .remove, .edit, .restore: $0.dot
            case .delete, .act, .bind, .erase, .unknown: nil
            }
        }
    }

    /// The deletes that no restore names (rule D4), ascending.
    var openDeletes: [Dot] {
        let deletes = operations.filter { if case .delete = $0.operation { true } else { false } }
        return deletes.map(\.dot).filter { dot in
            !operations.contains { other in
                guard case .restore(let names) = other.operation else { return false }
                return other.takesAway(dot, naming: names)
            }
        }.sorted()
    }

    /// Whether some touch of the subtree is covered by no delete (rule D3).
    func isLive(touches: [Dot]) -> Bool {
        touches.contains { touch in
            !operations.contains { other in
                guard case .delete(let seen) = other.operation else { return false }
                return seen.contains(touch) && other.past.contains(touch)
            }
        }
    }

    /// What all deletes together cover (rule D3).
    var covered: VersionVector {
        var covered = VersionVector()
        for operation in operations {
            guard case .delete(let seen) = operation.operation else { continue }
            covered.merge(seen.intersection(operation.past.vector))
        }
        return covered
    }

    /// The times that merging keeps: of each change, and the latest of an operation that has effect.
    var times: (ofChange: [Dot: Int64], latest: Int64) {
        var times: (ofChange: [Dot: Int64], latest: Int64) = ([:], 0)
        for operation in operations {
            times.ofChange[operation.dot] = operation.timestamp
            switch operation.operation {
            case .create, .set, .add, .remove, .edit, .delete, .restore:
                times.latest = max(times.latest, operation.timestamp)
            case .act, .bind, .erase, .unknown: break
            }
        }
        return times
    }

    /// The values of the registers (rule D1): fields ascending, values ascending by dot.
    var registers: [(field: UTF8Text, values: [(dot: Dot, value: Value)])] {
        var written: [UTF8Text: [(dot: Dot, value: Value)]] = [:]
        var taken: [UTF8Text: Set<Dot>] = [:]
        for operation in operations {
            guard case .set(let field, let value, let names) = operation.operation else { continue }
            written[field, default: []].append((operation.dot, value))
            for name in names where operation.past.contains(name) { taken[field, default: []].insert(name) }
        }
        return written.keys.sorted().map { field in
            let left = written[field, default: []].filter { !taken[field, default: []].contains($0.dot) }
            return (field, left.sorted { $0.dot < $1.dot })
        }
    }

    /// The elements of the sets (rule D2): fields, elements and adds ascending.
    var sets: [(field: UTF8Text, elements: [(element: Value, adds: [Dot])])] {
        var added: [UTF8Text: [Value: [Dot]]] = [:]
        var taken: [UTF8Text: [Value: Set<Dot>]] = [:]
        // Rule D8: of which element an erased operation was is not known, so what it names is taken from all.
        var takenFromAll: [UTF8Text: Set<Dot>] = [:]
        for operation in operations {
            switch operation.operation {
            case .add(let field, .erased, let names), .remove(let field, .erased, let names):
                takenFromAll[field, default: []].formUnion(names.filter { operation.past.contains($0) })
            case .add(let field, let element, let names):
                added[field, default: [:]][element, default: []].append(operation.dot)
                taken[field, default: [:]][element, default: []].formUnion(
                    names.filter { operation.past.contains($0) })
            case .remove(let field, let element, let names):
                taken[field, default: [:]][element, default: []].formUnion(
                    names.filter { operation.past.contains($0) })
            default: continue
            }
        }
        return added.keys.sorted().compactMap { field in
            let elements = added[field, default: [:]].keys.sorted().compactMap { element in
                let gone = (taken[field]?[element] ?? []).union(takenFromAll[field] ?? [])
                let left = added[field, default: [:]][element, default: []].filter { !gone.contains($0) }
                    .sorted()
                return left.isEmpty ? nil : (element: element, adds: left)
            }
            return elements.isEmpty ? nil : (field, elements)
        }
    }

    /// The texts (rule D7), fields ascending.
    var texts: [NaiveTextCheck] { NaiveTextCheck.texts(of: operations) }

    /// The digest term (section E of the model), written down from the rules above.
    func term(isLive: Bool, texts: [NaiveTextCheck]) -> Digest {
        var writer = CBORWriter(capacity: 1024)
        writer.array(7)
        writer.byteString(id.bytes)
        writer.byteString(parent?.bytes ?? [])
        writer.unsigned(isLive ? 1 : 0)
        writer.dots(openDeletes)
        let registers = registers
        writer.array(registers.count)
        for register in registers {
            writer.array(2)
            writer.text(register.field.string)
            writer.array(register.values.count)
            for value in register.values {
                writer.array(3)
                writer.byteString(value.dot.replica.bytes)
                writer.unsigned(value.dot.sequence)
                writer.value(value.value)
            }
        }
        let sets = sets
        writer.array(sets.count)
        for set in sets {
            writer.array(2)
            writer.text(set.field.string)
            writer.array(set.elements.count)
            for element in set.elements {
                writer.array(2)
                writer.value(element.element)
                writer.dots(element.adds)
            }
        }
        writer.array(texts.count)
        for text in texts {
            writer.array(2)
            writer.text(text.field.string)
            writer.digest(text.state.hash)
        }
        return SHA256.hash(writer.bytes)
    }
}
