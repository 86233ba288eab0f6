// Rules D: the fold of the allowed operations of effective changes. What edits make of a text is not for this oracle to
// say (the store's verification does, scalar by scalar): here it is enough that a text is a function of its edits, so
// they are merged in one order, that in which the oracle learned of them.

import ConcordCrypto
import ConcordModel
import ConcordText

extension Oracle {
    /// A value of a register, which the hash of its change tells from that of another branch.
    struct Value: Hashable {
        let dot: OracleDot
        let hash: String
        let timestamp: Int64
        let value: String
    }

    /// What the rules make of one record.
    struct Record: Hashable {
        let kind: String
        let owner: String
        let parent: String?
        var isLive: Bool
        var isShown: Bool
        /// Hashes, ascending.
        let openDeletes: [String]
        /// By field; the displayed value first.
        let registers: [String: [Value]]
        /// By field and element, the hashes of the adds, ascending.
        let sets: [String: [String: [String]]]
        /// By field, what the edits make of it.
        let texts: [String: Text]
    }

    /// A text, and the edits of it.
    struct Text: Hashable {
        let text: String
        /// Hashes, in the order in which the oracle learned of them.
        let edits: [String]
        /// Of these, the ones that reach beyond the text.
        let inert: Set<String>
    }

    private struct Applied {
        let change: Int
        let operation: OracleOperation
    }

    /// The records of a closed set of effective changes, of those that are held.
    func fold(_ effective: OracleSet, in held: OracleSet) -> [String: Record] {
        var operations: [String: [Applied]] = [:]
        for index in effective {
            for (place, operation) in changes[index].operations.enumerated() {
                guard let record = operation.record, isAllowed(place, of: index) else { continue }
                operations[record, default: []].append(Applied(change: index, operation: operation))
            }
        }
        var records = operations.compactMapValues { settle($0, in: held) }
        let children = Dictionary(grouping: records.keys.filter { records[$0]!.parent != nil }) {
            records[$0]!.parent!
        }
        for record in Array(records.keys) {
            let below = reachable(from: record) { children[$0] ?? [] }
            let touches = below.flatMap { operations[$0] ?? [] }.filter(isTouch)
            let deletes = (operations[record] ?? []).compactMap(seenByDelete)
            records[record]!.isLive = touches.contains { touch in
                let dot = changes[touch.change].dot
                return !deletes.contains { delete in
                    dot.sequence <= delete.seen[dot.replica] ?? 0 && isBefore(touch.change, delete.change)
                }
            }
        }
        for record in Array(records.keys) { records[record]!.isShown = isShown(record, records) }
        return records
    }

    /// Whether the record and all above it are live. What stands in a circle, as only branches of one replica
    /// can put it, or below one is not shown.
    private func isShown(_ record: String, _ records: [String: Record]) -> Bool {
        var seen: Set<String> = []
        var next: String? = record
        while let one = next {
            guard seen.insert(one).inserted, let found = records[one], found.isLive else { return false }
            next = found.parent
        }
        return true
    }

    /// The record itself and what is reached from it.
    private func reachable(from record: String, _ next: (String) -> [String]) -> Set<String> {
        var (reached, fresh): (Set<String>, [String]) = ([record], [record])
        while let one = fresh.popLast() {
            for other in next(one) where reached.insert(other).inserted { fresh.append(other) }
        }
        return reached
    }

    private func isTouch(_ applied: Applied) -> Bool {
        switch applied.operation {
        case .create, .set, .add, .remove, .edit, .restore: true
        case .delete, .act, .other: false
        }
    }

    private func seenByDelete(_ applied: Applied) -> (change: Int, seen: [String: Int])? {
        if case .delete(_, let seen) = applied.operation { (applied.change, seen) } else { nil }
    }

    /// Whether an operation with these names takes away what the other change wrote (rule B5).
    private func takes(_ names: Set<OracleDot>, _ by: Int, _ other: Int) -> Bool {
        names.contains(changes[other].dot) && isBefore(other, by)
    }

    /// Everything but life, which depends on other records. Nil without a `create`. Of several, in branches
    /// of one replica, the one in the chain of the lowest name decides.
    private func settle(_ applied: [Applied], in held: OracleSet) -> Record? {
        let creates = applied.filter { if case .create = $0.operation { true } else { false } }
        func name(_ create: Applied) -> String {
            creates.count == 1 ? "" : chainName(of: create.change, in: held)
        }
        guard let first = creates.min(by: { name($0) < name($1) }),
            case .create(_, let kind, let parent) = first.operation
        else { return nil }
        return Record(
            kind: kind, owner: changes[first.change].member, parent: parent, isLive: true, isShown: true,
            openDeletes: openDeletes(applied), registers: registers(applied), sets: sets(applied),
            texts: texts(applied, in: held))
    }

    private func openDeletes(_ applied: [Applied]) -> [String] {
        applied.compactMap { one -> String? in
            guard case .delete = one.operation else { return nil }
            let isTakenBack = applied.contains { other in
                guard case .restore(_, let names) = other.operation else { return false }
                return takes(names, other.change, one.change)
            }
            return isTakenBack ? nil : changes[one.change].hash
        }.sorted()
    }

    private func registers(_ applied: [Applied]) -> [String: [Value]] {
        var registers: [String: [Value]] = [:]
        for one in applied {
            guard case .set(_, let field, let value, _) = one.operation else { continue }
            let isReplaced = applied.contains { other in
                guard case .set(_, field, _, let names) = other.operation else { return false }
                return takes(names, other.change, one.change)
            }
            if isReplaced { continue }
            let change = changes[one.change]
            registers[field, default: []].append(
                Value(dot: change.dot, hash: change.hash, timestamp: change.timestamp, value: value))
        }
        return registers.mapValues { values in
            values.sorted {
                ($0.timestamp, $0.dot, $0.hash) > ($1.timestamp, $1.dot, $1.hash)
            }
        }
    }

    private func sets(_ applied: [Applied]) -> [String: [String: [String]]] {
        var sets: [String: [String: [String]]] = [:]
        for one in applied {
            guard case .add(_, let field, let element, _) = one.operation else { continue }
            let isTaken = applied.contains { other in
                switch other.operation {
                case .add(_, field, element, let names), .remove(_, field, element, let names):
                    takes(names, other.change, one.change)
                default: false
                }
            }
            if !isTaken { sets[field, default: [:]][element, default: []].append(changes[one.change].hash) }
        }
        return sets.mapValues { $0.mapValues { $0.sorted() } }
    }

    private func texts(_ applied: [Applied], in held: OracleSet) -> [String: Text] {
        var edits: [String: [(change: Int, edit: OracleEdit)]] = [:]
        for one in applied {
            guard case .edit(_, let field, let edit) = one.operation else { continue }
            edits[field, default: []].append((one.change, edit))
        }
        return edits.mapValues { edits in
            var ids: [Int: TextEditID] = [:]
            var (text, inert) = (MergedText(), Set<String>())
            for (index, edit) in edits {
                let parents = ids.keys.sorted().filter { takes(edit.parents, index, $0) }
                let id = TextEditID(agent(of: index, in: held), UInt64(changes[index].dot.sequence))
                ids[index] = id
                let made = TextEdit(
                    id: id, parents: parents.map { ids[$0]! }, runs: edit.runs,
                    inserted: Array(edit.inserted.utf8))
                guard let found = try? text.apply([made]) else { preconditionFailure("edits fit together") }
                if !found.isEmpty { inert.insert(changes[index].hash) }
            }
            return Text(
                text: String(decoding: text.text.utf8, as: UTF8.self),
                edits: edits.map { changes[$0.change].hash },
                inert: inert)
        }
    }

    /// The name of the chain of a change; in a scene, where names are words, what stands for it.
    private func agent(of change: Int, in held: OracleSet) -> TextAgent {
        let name = chainName(of: change, in: held)
        let value = bytes(hexadecimal: name).flatMap { Bytes16($0) } ?? SHA256.hash(Array(name.utf8)).mark
        return TextAgent(high: value.high, low: value.low)
    }
}
