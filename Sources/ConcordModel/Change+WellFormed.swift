// Rule A: what can be judged from a change's own bytes. A change that breaks it is rejected by everybody, on receipt
// and before it is written, and its chain ends there. After these checks the change's dot is enough to name a value.
// Of an erased entry the headers are judged; only whether two operations are on equal elements cannot be told any more.

import ConcordCrypto
import ConcordText

extension Change {
    /// Checks the rules of form and the limits.
    ///
    /// - Parameter context: the place of the change, for the ids of created records (rule A3).
    /// - Throws: ``ConcordError`` E-3001 or E-3002, naming the rule.
    public func checkWellFormed(space: SpaceID, dot: Dot) throws {
        try checkLimits()
        try checkForm()
        guard !entries.isEmpty else { throw malformed("a change does nothing") }
        guard zip(dependencies, dependencies.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw malformed("dependencies are not in ascending order")
        }
        if dependencies.contains(where: { $0.dot.replica == dot.replica }) {
            throw malformed("a change depends on its own chain by name")
        }
        var check = FormCheck(dot: dot)
        for (index, entry) in entries.enumerated() { check.declareCreate(entry, index: index) }
        for (index, entry) in entries.enumerated() {
            guard !entry.operations.isEmpty else { throw malformed("an entry does nothing") }
            guard let record = entry.record else {
                try checkRosterEntry(entry, dot: dot, index: index)
                continue
            }
            try check.enter(entry, record: record, index: index)
            if case .create(let kind, _) = entry.operations[0] {
                let expected = RecordID(
                    space: space, kind: kind, dot: dot, index: index, timestamp: timestamp)
                guard record == expected else { throw malformed("a record id is not bound to its creation") }
            }
        }
        let binds = entries.contains { $0.operations.contains { if case .bind = $0 { true } else { false } } }
        guard binds == (dot.sequence == 1) else {
            throw malformed("a replica is bound by its first change and no other")
        }
    }

    private func checkRosterEntry(_ entry: Entry, dot: Dot, index: Int) throws {
        for operation in entry.operations where operation.isOnRecord == true {
            throw malformed("an operation on a record names none")
        }
        let binds = entry.operations.count { if case .bind = $0 { true } else { false } }
        guard binds == 0 || index == 0 && entry.operations.count == 1 else {
            throw malformed("the binding of a replica does not stand alone in front")
        }
    }
}

private func malformed(_ message: String) -> ConcordError { ConcordError(.malformedChange, message) }

/// Walks through the entries of one change and remembers what rule A asks about.
private struct FormCheck {
    let dot: Dot
    private var seenRecords: Set<RecordID> = []
    private var createdAt: [RecordID: Int] = [:]

    init(dot: Dot) { self.dot = dot }

    mutating func declareCreate(_ entry: Entry, index: Int) {
        if case .create? = entry.operations.first, let record = entry.record { createdAt[record] = index }
    }

    mutating func enter(_ entry: Entry, record: RecordID, index: Int) throws {
        guard seenRecords.insert(record).inserted else {
            throw malformed("a record has two entries in one change")
        }
        guard !Target.isThereTwice(entry.operations) else {
            throw malformed("a change does the same twice to one field, element or record")
        }
        for (position, operation) in entry.operations.enumerated() {
            guard operation.isOnRecord != false else { throw malformed("an act names a record") }
            if case .create(_, let parent) = operation {
                guard position == 0 else { throw malformed("a record is used before it is created") }
                if let parent, let born = createdAt[parent], born >= index {
                    throw malformed("a parent is used before it is created")
                }
            }
            if case .delete = operation, entry.operations.count > 1 {
                throw malformed("a change deletes and touches one record")
            }
            try checkNames(operation)
            if case .edit(_, _, let runs, let inserted) = operation { try checkRuns(runs, inserted) }
        }
    }

    /// Each run does something, and all together insert exactly the text that is there, unless that was erased.
    private func checkRuns(_ runs: [TextRun], _ inserted: UTF8Text?) throws {
        guard runs.allSatisfy({ $0.deleted > 0 || $0.inserted > 0 }) else {
            throw malformed("a run of an edit does nothing")
        }
        guard let inserted else { return }
        let scalars = runs.reduce(0) { $0 + $1.inserted }
        guard scalars == UInt64(inserted.string.unicodeScalars.count) else {
            throw malformed("an edit inserts another number of scalars than its runs say")
        }
    }

    private func checkNames(_ operation: Operation) throws {
        let named: [Dot]
        switch operation {
        case .set(_, _, let dots), .add(_, _, let dots), .remove(_, _, let dots): named = dots
        case .restore(let dots), .erase(let dots, _): named = dots
        case .edit(_, let parents, _, _): named = parents
        case .delete(let seen): named = seen.dots
        case .create, .act, .bind, .unknown: named = []
        }
        guard named.isAscending else { throw malformed("dots are not in ascending order") }
        if named.contains(where: { $0.replica == dot.replica && $0.sequence >= dot.sequence }) {
            throw malformed("an operation names its own change or a later one")
        }
    }

    /// What may be written at most once in a change.
    private enum Target: Hashable {
        case register(UTF8Text)
        case element(UTF8Text, Value)
        case whole(UInt64)

        /// Up to so many operations are compared with each other, which is faster than hashing them.
        private static let few = 16

        /// Whether two of the operations have one target.
        static func isThereTwice(_ operations: [Operation]) -> Bool {
            let targets = operations.compactMap(Target.init)
            guard targets.count > few else {
                return targets.indices.contains { targets[..<$0].contains(targets[$0]) }
            }
            return Set(targets).count < targets.count
        }

        init?(_ operation: Operation) {
            switch operation {
            case .set(let field, _, _): self = .register(field)
            case .add(_, .erased, _), .remove(_, .erased, _): return nil
            case .add(let field, let element, _), .remove(let field, let element, _):
                self = .element(field, element)
            case .create, .edit, .delete, .restore: self = .whole(operation.code ?? 0)
            case .erase, .act, .bind, .unknown: return nil
            }
        }
    }
}
