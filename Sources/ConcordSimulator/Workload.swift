// What people write: mostly on few records, so that they meet, and with few values, so that they agree by
// chance too.

import ConcordAPI
import ConcordModel
import ConcordStore

/// Draws writes for one node.
struct Workload {
    var random: SimulationRandom
    let weights: [Int]
    /// The code of the node's member.
    let code: String
    let space: SpaceID

    /// Why an honest write may be refused.
    static let expectedRefusals: [ErrorCode] = [
        .fieldInConflict, .recordNotShown, .notYetAdmitted, .noConflict, .notTheOwner, .notInStanding,
        .textUnchanged, .unknownTextVersion,
    ]

    /// Some drafts, none if there is nothing to work on.
    mutating func drafts(_ store: ReplicaStore) throws -> [Draft] {
        var draw = random.number(1...max(1, weights.reduce(0, +)))
        var chosen = Work.createContact
        for work in Work.allCases {
            draw -= weights[work.rawValue]
            if draw <= 0 {
                chosen = work
                break
            }
        }
        switch chosen {
        case .createContact: return [[create("contact")]]
        case .createMeeting: return [meeting()]
        case .createDocument: return [[create("document")]]
        case .many: return (0..<random.number(2...40)).map { _ in [create("contact")] }
        default: return try draft(chosen, store).map { [$0] } ?? []
        }
    }

    private mutating func draft(_ work: Work, _ store: ReplicaStore) throws -> Draft? {
        // The oldest first: the same few on every node.
        let records = try store.records(RecordQuery(space: space, includeDeleted: true)).sorted {
            $0.id < $1.id
        }
        let shared = records.filter { !Vocabulary.isOwned(UTF8Text($0.kind)) }
        // Mostly what several members may write.
        let own = random.chance(70) ? shared : records.filter { $0.owner == code }
        switch work {
        case .setField, .changeSet:
            guard let record = pick(own.filter(\.shown)) else { return nil }
            if work == .setField, random.chance(50), let draft = try write(record, store) { return draft }
            return edit(record, isSet: work == .changeSet)
        case .delete:
            return pick(own.filter(\.shown)).flatMap { id($0) }.map { [.delete($0)] }
        case .restore:
            return pick(own.filter { !$0.shown || $0.editedWhileDeleted }).flatMap { id($0) }.map {
                [.restore($0)]
            }
        case .resolve:
            guard let record = pick(own.filter { $0.shown && !$0.conflicts.isEmpty }), let id = id(record)
            else {
                return nil
            }
            let conflict = random.pick(record.conflicts)
            let take = random.number(1...conflict.values.count)
            return [.resolve(id, field: UTF8Text(conflict.field), .take(take))]
        default: return nil
        }
    }

    /// One record, three times out of four one of the first two.
    private mutating func pick(_ records: [RecordDocument]) -> RecordDocument? {
        guard !records.isEmpty else { return nil }
        let hot = Array(records.prefix(2))
        return random.chance(75) ? random.pick(hot) : random.pick(records)
    }

    private func id(_ record: RecordDocument) -> RecordID? { RecordID(text: record.id) }

    private mutating func create(_ kind: UTF8Text, parent: ParentReference? = nil) -> RecordEdit {
        guard let description = Vocabulary.kind(kind) else { preconditionFailure("an unknown kind") }
        var fields: [FieldEdit] = []
        for field in description.fields where field.isRequired || random.chance(40) {
            guard let value = value(field) else { continue }
            fields.append(field.isSet ? .add(field.name, value) : .set(field.name, value))
        }
        return .create(kind: kind, parent: parent, fields: fields)
    }

    private mutating func meeting() -> Draft {
        var draft = [create("meeting")]
        for _ in 0..<random.number(0...3) { draft.append(create("agenda_item", parent: .edit(0))) }
        for _ in 0..<random.number(0...3) { draft.append(create("participation", parent: .edit(0))) }
        return draft
    }

    /// A change somewhere in the text of a record that has one.
    private mutating func write(_ record: RecordDocument, _ store: ReplicaStore) throws -> Draft? {
        guard let id = id(record), let field = Vocabulary.kind(UTF8Text(record.kind))?.textField else {
            return nil
        }
        let present = try store.text(id, space: space)
        var scalars = Array(present.text.unicodeScalars)
        let start = random.number(0...scalars.count)
        let end = min(scalars.count, start + random.number(0...12))
        scalars.replaceSubrange(start..<end, with: "\(code) \(random.number(1...6)), señor. ".unicodeScalars)
        let text = UTF8Text(String(String.UnicodeScalarView(scalars)))
        return [.write(id, field: field, text: text, base: random.chance(50) ? present.version : nil)]
    }

    private mutating func edit(_ record: RecordDocument, isSet: Bool) -> Draft? {
        guard let id = id(record), let kind = Vocabulary.kind(UTF8Text(record.kind)) else { return nil }
        let fields = kind.fields.filter { $0.isSet == isSet && !$0.isText }
        guard !fields.isEmpty else { return nil }
        let field = random.chance(60) ? fields[0] : random.pick(fields)
        guard let value = value(field) else { return nil }
        guard isSet else { return [.update(id, [.set(field.name, value)])] }
        return [.update(id, [random.chance(60) ? .add(field.name, value) : .remove(field.name, value)])]
    }

    private mutating func value(_ field: FieldDescription) -> Value? {
        let number = random.number(1...6)
        switch field.form {
        case .text:
            if !field.isRequired, !field.isSet, random.chance(10) { return .empty }
            if field.name == "body", random.chance(20) {
                return .text(UTF8Text(String(repeating: "Señorías, ", count: random.number(100...1_000))))
            }
            return .text(UTF8Text("\(field.name) \(number)"))
        case .date: return .text(UTF8Text("2016-09-2\(number)"))
        case .integer: return .integer(Int64(number))
        case .code: return .text(random.pick(["ESP", "DEU", "NAM", "CHL", "FIN", "NATO"]))
        case .email: return .text(UTF8Text("office\(number)@example.org"))
        case .address: return .text(UTF8Text("node\(number).example.org:7443"))
        case .record, .hash: return nil
        }
    }
}
