// What a writer wants to do to records, before it is known what that will be called and what it overwrites.

import ConcordText

/// One thing that a change is to do, with its choices made.
enum HistoryIntent: Equatable {
    case create(kind: String, parent: String?)
    case set(String, field: String, value: String)
    case add(String, field: String, element: String)
    case remove(String, field: String, element: String)
    case edit(String, number: Int)
    case delete(String)
    case restore(String)
}

/// The kinds that histories use.
enum HistoryKind {
    static let owned: Set<String> = ["contact"]
    static let shared: Set<String> = ["meeting", "agenda_item", "document"]
    static let unknown = "unheard_of"
    static let elements = ["PP", "QQ", "RR"]

    static func title(_ kind: String) -> String { kind == "contact" ? "name" : "title" }
    static func text(_ kind: String) -> String? { kind == "document" ? "body" : nil }
    static func set(_ kind: String) -> String? {
        ["contact": "areas", "meeting": "organizers", unknown: "things"][kind]
    }
}

extension HistoryCraft {
    /// The choices made, without what an honest writer would not write and nobody could (rules A).
    func intents(_ edits: [HistoryEdit], value: String) -> [HistoryIntent] {
        var intents: [HistoryIntent] = []
        var (written, deleted): (Set<[String]>, Set<String>) = ([], [])
        var touched: Set<String> = []
        /// Whether the record may be touched by this change, and this part of it not yet is.
        func takes(_ record: String, _ part: String) -> Bool {
            guard !isBelow(record, deleted), written.insert([record, part]).inserted else { return false }
            touched.formUnion(ancestors(record))
            return true
        }
        let isEmpty = records.isEmpty
        for edit in edits {
            // Where there is nothing yet, something is made.
            let made = isEmpty ? HistoryIntent.create(kind: "meeting", parent: nil) : nil
            guard let intent = intent(edit, value) ?? made else { continue }
            switch intent {
            case .create(_, let parent):
                if let parent {
                    guard !isBelow(parent, deleted) else { continue }
                    touched.formUnion(ancestors(parent))
                }
            case .set(let record, let field, _): guard takes(record, field) else { continue }
            case .add(let record, _, let element), .remove(let record, _, let element):
                guard takes(record, "element " + element) else { continue }
            case .edit(let record, _): guard takes(record, "text") else { continue }
            case .restore(let record):
                guard !touched.contains(record), takes(record, "life") else { continue }
                if manner == nil { deleted.insert(record) }
            case .delete(let record):
                guard !touched.contains(record), !isBelow(record, deleted) else { continue }
                deleted.insert(record)
                touched.formUnion(ancestors(record))
            }
            intents.append(intent)
        }
        return intents
    }

    /// For a change that is to bear the number of another of its replica: the same creation under another
    /// parent.
    func twins(_ dot: OracleDot) -> [HistoryIntent] {
        guard let twin = twin(dot), case .create(let own, let kind, _)? = twin.operations.first else {
            return []
        }
        let others = records.filter { view.records[$0]?.kind == "meeting" && $0 != own }
        return [.create(kind: kind, parent: manner?.fork?(others))]
    }

    /// When the change was written that bears this number already. Ids of records hold the time.
    func time(of dot: OracleDot) -> Int64? { twin(dot)?.timestamp }

    private func twin(_ dot: OracleDot) -> OracleChange? {
        held.map { oracle.changes[$0] }.first { $0.dot == dot }
    }

    private func ancestors(_ record: String) -> [String] {
        var chain: [String] = []
        var next: String? = record
        while let one = next, !chain.contains(one) {
            chain.append(one)
            next = view.records[one]?.parent
        }
        return chain
    }

    private func isBelow(_ record: String, _ others: Set<String>) -> Bool {
        ancestors(record).contains { others.contains($0) }
    }

    private func intent(_ edit: HistoryEdit, _ value: String) -> HistoryIntent? {
        switch edit {
        case .create(let kind, let parent):
            return creation(kind, parent)
        case .set(let pick, let field, let number):
            guard let (record, kind) = writable(pick) else { return nil }
            let name = field == 0 ? HistoryKind.title(kind) : "notes"
            return .set(record, field: name, value: "\(value) \(number)")
        case .add(let pick, let element), .remove(let pick, let element):
            guard let (record, kind) = writable(pick), let field = HistoryKind.set(kind) else { return nil }
            let name = HistoryKind.elements[element]
            if case .add = edit { return .add(record, field: field, element: name) }
            let isThere = view.records[record]?.sets[field]?[name] != nil
            return isThere || manner != nil ? .remove(record, field: field, element: name) : nil
        case .edit(let pick, let how):
            return writable(pick, asText: true).map { .edit($0.record, number: how.number) }
        case .delete(let pick):
            return writable(pick).map { .delete($0.record) }
        case .restore(let pick):
            let choices = records.filter { record in
                let found = view.records[record]!
                guard manner == nil else { return true }
                let isReachable = found.parent.map { view.records[$0]!.isShown } ?? true
                return isReachable && !found.openDeletes.isEmpty && mayWrite(found)
            }
            return pick(choices).map { .restore($0) }
        }
    }

    private func creation(_ kind: Int, _ parent: HistoryPick) -> HistoryIntent? {
        let meetings = records.filter { record in
            let found = view.records[record]!
            return found.kind == "meeting" && (found.isShown || manner != nil)
        }
        switch kind {
        case 0, 1: return .create(kind: "contact", parent: nil)
        case 2: return .create(kind: "meeting", parent: nil)
        case 3: return .create(kind: "document", parent: nil)
        case 6 where manner != nil: return .create(kind: HistoryKind.unknown, parent: parent(records))
        default: return parent(meetings).map { .create(kind: "agenda_item", parent: $0) }
        }
    }

    private func mayWrite(_ record: Oracle.Record) -> Bool {
        HistoryKind.shared.contains(record.kind)
            || oracle.standing(in: oracle.effect(of: held).effective).owns(member, recordsOf: record.owner)
    }

    /// A record that this node would write. What is not shown is not written (rule D6).
    private func writable(_ pick: HistoryPick, asText: Bool = false) -> (record: String, kind: String)? {
        let choices = records.filter {
            let record = view.records[$0]!
            let isText = HistoryKind.text(record.kind) != nil
            return manner != nil || record.isShown && mayWrite(record) && (!asText || isText)
        }
        return pick(choices).map { ($0, view.records[$0]!.kind) }
    }
}

/// All operations of a change on one record.
struct HistoryEntry {
    let record: String
    var operations: [OracleOperation]
}

extension HistoryCraft {
    /// The entries of the change with this dot. `identify` names a record by kind, parent and entry.
    func entries(
        _ intents: [HistoryIntent], dot: OracleDot, value: String,
        identify: (_ kind: String, _ parent: String?, _ entry: Int) -> String
    ) -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        func put(_ record: String, _ operation: OracleOperation) {
            if let index = entries.firstIndex(where: { $0.record == record }) {
                entries[index].operations.append(operation)
            } else {
                entries.append(HistoryEntry(record: record, operations: [operation]))
            }
        }
        for intent in intents {
            switch intent {
            case .create(let kind, let parent):
                let record = identify(kind, parent, entries.count)
                put(record, .create(record: record, kind: kind, parent: parent))
                put(
                    record,
                    .set(record: record, field: HistoryKind.title(kind), value: value, names: []))
            case .set(let record, let field, let value):
                let seen = view.records[record]?.registers[field]?.map(\.dot) ?? []
                put(record, .set(record: record, field: field, value: value, names: names(seen, dot)))
            case .add(let record, let field, let element):
                put(
                    record,
                    .add(
                        record: record, field: field, element: element,
                        names: names(adds(record, field, element), dot)))
            case .remove(let record, let field, let element):
                put(
                    record,
                    .remove(
                        record: record, field: field, element: element,
                        names: names(adds(record, field, element), dot)))
            case .edit(let record, let number): put(record, edit(record, number, dot))
            case .delete(let record): put(record, .delete(record: record, seen: seen(below: record, dot)))
            case .restore(let record):
                let open = view.records[record]?.openDeletes.map { oracle.change($0)!.dot } ?? []
                put(record, .restore(record: record, names: names(open, dot)))
            }
        }
        return entries
    }

    /// The text that an honest writer makes of what it sees.
    func changed(_ record: String, number: Int) -> String {
        var scalars = Array((view.records[record]?.texts["body"]?.text ?? "").unicodeScalars)
        let position = number % (scalars.count + 1)
        let end = min(scalars.count, position + number / 7 % 5)
        scalars.replaceSubrange(position..<end, with: "<\(number) é>".unicodeScalars)
        return String(String.UnicodeScalarView(scalars))
    }

    /// An edit by hand, which may name other versions than it was written against, and reach beyond the text.
    private func edit(_ record: String, _ number: Int, _ dot: OracleDot) -> OracleOperation {
        let field = HistoryKind.text(view.records[record]?.kind ?? "") ?? "notes"
        let held = view.records[record]?.texts[field]
        let seen = held?.edits.map { oracle.change($0)!.dot } ?? []
        let length = held?.text.unicodeScalars.count ?? 0
        var (runs, inserted) = ([TextRun](), "")
        for part in 0...number % 2 {
            let (position, text) = ((number + 3 * part) % (length + 2), part == 1 ? "" : "{\(number % 10)}")
            inserted += text
            runs.append(
                TextRun(
                    position: UInt64(position), deleted: UInt64(number / 3 % 3 + part),
                    inserted: UInt64(text.unicodeScalars.count)))
        }
        return .edit(
            record: record, field: field,
            OracleEdit(parents: names(seen, dot), runs: runs, inserted: inserted))
    }

    private func adds(_ record: String, _ field: String, _ element: String) -> [OracleDot] {
        view.records[record]?.sets[field]?[element]?.map { oracle.change($0)!.dot } ?? []
    }

    /// The dots that the writer names: what it sees, or what its manner makes of that.
    private func names(_ seen: [OracleDot], _ own: OracleDot) -> Set<OracleDot> {
        var names = Set(seen)
        if let manner, manner.isStale {
            names = names.filter { ($0.sequence + (manner.forged?.number ?? 0)) % 2 == 0 }
        }
        if let forged = forgedDot(own) { names.insert(forged) }
        return names.filter { $0.replica != own.replica || $0.sequence < own.sequence }
    }

    private func forgedDot(_ own: OracleDot) -> OracleDot? {
        guard let pick = manner?.forged else { return nil }
        let replicas = Set(oracle.changes.map(\.replica)).subtracting([own.replica]).sorted()
        return pick(replicas).map { OracleDot($0, pick.number % 12 + 1) }
    }

    /// The version vector of the touches of the record and of everything below it.
    private func seen(below record: String, _ own: OracleDot) -> [String: Int] {
        let family = Set(view.records.keys.filter { ancestors($0).contains(record) }).union([record])
        var seen: [String: Int] = [:]
        for index in oracle.effect(of: held).effective {
            let change = oracle.changes[index]
            for (place, operation) in change.operations.enumerated() {
                guard let target = operation.record, family.contains(target),
                    oracle.isAllowed(place, of: index)
                else { continue }
                if case .delete = operation { continue }
                seen[change.replica] = max(seen[change.replica] ?? 0, change.dot.sequence)
            }
        }
        if let forged = forgedDot(own) { seen[forged.replica, default: 0] += 10 }
        if let mine = seen[own.replica] { seen[own.replica] = min(mine, own.sequence - 1) }
        return seen.filter { $0.value > 0 }
    }
}
