// What people write: mostly on few records, so that they meet, and with few values, so that they agree by chance too.
// Every word of a text is a word of its own, so that it can be found again.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

/// Draws what one node's people write at one moment.
struct Workload: Sendable {
    var random: SimulationRandom
    let weights: [Int]
    let identity: SimulatedIdentity
    let space: SpaceID
    /// The node's clock.
    let clock: Int64

    private var code: String { identity.code }

    /// Why an honest write may be refused.
    static let expectedRefusals: [ErrorCode] = [
        .fieldInConflict, .recordNotShown, .notYetAdmitted, .noConflict, .notTheOwner, .notInStanding,
        .textUnchanged, .unknownTextVersion, .unknownRecord,
    ]

    /// Some works, none if there is nothing to work on.
    mutating func works(_ store: ReplicaStore) throws -> [PlannedWork] {
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
        case .createContact: return [creation("contact")]
        case .createMeeting: return [meeting()]
        case .createDocument: return [creation("document")]
        case .many: return (0..<random.number(2...40)).map { _ in creation("contact") }
        default: return try work(chosen, store).map { [$0] } ?? []
        }
    }

    private mutating func work(_ work: Work, _ store: ReplicaStore) throws -> PlannedWork? {
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
            return edit(record, isSet: work == .changeSet)
        case .delete: return pick(own.filter(\.shown)).flatMap(id).map(deletion)
        case .restore:
            return pick(own.filter { !$0.shown || $0.editedWhileDeleted }).flatMap(id).map { id in
                PlannedWork(draft: [.restore(id)], name: "restore", memories: [.touch(.existing(id))])
            }
        case .resolve: return pick(own.filter { $0.shown && !$0.conflicts.isEmpty }).flatMap { resolve($0) }
        case .writeText:
            let document = pick(shared.filter { $0.kind == "document" && $0.shown })
            return try document.flatMap { try write($0, store, near: nil) }
        case .endorse:
            let document = pick(shared.filter { $0.kind == "document" && $0.shown })
            return try document.flatMap { try endorsement($0, store) }
        case .addItem:
            let meeting = pick(shared.filter { $0.kind == "meeting" && $0.shown })
            return meeting.flatMap(id).map { id in
                creation(random.chance(50) ? "agenda_item" : "participation", parent: .existing(id))
            }
        case .erase:
            return pick(records).flatMap(id).map { id in
                PlannedWork(
                    draft: [.erase(id, reason: "as a test")], name: "erase",
                    memories: [.erasure(.existing(id))])
            }
        default: return nil
        }
    }

    /// Something in the text of the oldest document, at a place that follows from the subject of the debate.
    mutating func debate(_ store: ReplicaStore, subject: UInt64) throws -> [PlannedWork] {
        let documents = try store.records(RecordQuery(space: space, kind: "document"))
        guard let first = documents.min(by: { $0.id < $1.id }) else { return [creation("document")] }
        return try write(first, store, near: subject).map { [$0] } ?? []
    }

    /// One record, three times out of four one of the first two.
    private mutating func pick(_ records: [RecordDocument]) -> RecordDocument? {
        guard !records.isEmpty else { return nil }
        let hot = Array(records.prefix(2))
        return random.chance(75) ? random.pick(hot) : random.pick(records)
    }

    private func id(_ record: RecordDocument) -> RecordID? { RecordID(text: record.id) }

    private func deletion(_ id: RecordID) -> PlannedWork {
        PlannedWork(draft: [.delete(id)], name: "delete", memories: [.deletion(.existing(id))])
    }

    private mutating func resolve(_ record: RecordDocument) -> PlannedWork? {
        guard let id = id(record), let kind = Vocabulary.kind(UTF8Text(record.kind)) else { return nil }
        // In a field that only the next version knows, only that resolves a conflict (E-1002).
        let known = record.conflicts.filter { conflict in
            kind.fields.contains { $0.name.string == conflict.field }
        }
        guard !known.isEmpty else { return nil }
        let conflict = random.pick(known)
        let take = random.number(1...conflict.values.count)
        let value = conflict.values[take - 1].value
        return PlannedWork(
            draft: [.resolve(id, field: UTF8Text(conflict.field), .take(take))], name: "resolve",
            memories: [.value(.existing(id), field: conflict.field, value.nonEmpty)])
    }

    // MARK: Making records

    private mutating func creation(_ kind: UTF8Text, parent: ParentReference? = nil) -> PlannedWork {
        var work = (edits: Draft(), memories: [PlannedWork.Memory]())
        add(kind, parent, &work)
        return PlannedWork(draft: work.edits, name: "create \(kind)", memories: work.memories)
    }

    private mutating func meeting() -> PlannedWork {
        var work = (edits: Draft(), memories: [PlannedWork.Memory]())
        add("meeting", nil, &work)
        for _ in 0..<random.number(0...3) { add("agenda_item", .edit(0), &work) }
        for _ in 0..<random.number(0...3) { add("participation", .edit(0), &work) }
        return PlannedWork(draft: work.edits, name: "create meeting", memories: work.memories)
    }

    private mutating func add(
        _ kind: UTF8Text, _ parent: ParentReference?,
        _ work: inout (edits: Draft, memories: [PlannedWork.Memory])
    ) {
        guard let description = Vocabulary.kind(kind) else { preconditionFailure("an unknown kind") }
        let subject = PlannedWork.Subject.created(work.edits.count)
        var fields: [FieldEdit] = []
        work.memories.append(.touch(subject))
        for field in description.fields where field.isRequired || random.chance(40) {
            if field.isText {
                let words = words(random.number(1...6))
                fields.append(.set(field.name, .text(UTF8Text(words.joined(separator: " ")))))
                work.memories.append(.words(subject, added: words, gone: []))
            } else if let value = value(field) {
                fields.append(field.isSet ? .add(field.name, value) : .set(field.name, value))
                if let memory = memory(of: value, field, subject) { work.memories.append(memory) }
            }
        }
        work.edits.append(.create(kind: kind, parent: parent, fields: fields))
    }

    private func memory(
        of value: Value, _ field: FieldDescription, _ subject: PlannedWork.Subject, isThere: Bool = true
    ) -> PlannedWork.Memory? {
        guard field.isSet else { return .value(subject, field: field.name.string, value.shown) }
        return value.shown.map {
            .element(subject, field: field.name.string, $0, isThere: isThere)
        }
    }

    // MARK: Changing them

    private mutating func edit(_ record: RecordDocument, isSet: Bool) -> PlannedWork? {
        guard let id = id(record), let kind = Vocabulary.kind(UTF8Text(record.kind)) else { return nil }
        let fields = kind.fields.filter { $0.isSet == isSet && !$0.isText }
        guard !fields.isEmpty else { return nil }
        let field = random.chance(60) ? fields[0] : random.pick(fields)
        guard let value = value(field) else { return nil }
        let isThere = !isSet || random.chance(60)
        let edit: FieldEdit =
            !isSet
            ? .set(field.name, value) : isThere ? .add(field.name, value) : .remove(field.name, value)
        let memory = memory(of: value, field, .existing(id), isThere: isThere)
        return PlannedWork(
            draft: [.update(id, [edit])], name: isSet ? "change a set" : "set",
            memories: [memory].compactMap { $0 })
    }

    /// A change somewhere in the text of a record, or at a given place.
    private mutating func write(
        _ record: RecordDocument, _ store: ReplicaStore, near place: UInt64?
    ) throws -> PlannedWork? {
        guard let id = id(record), let field = Vocabulary.kind(UTF8Text(record.kind))?.textField else {
            return nil
        }
        let present = try store.text(id, space: space)
        // Nothing else of the text is touched, not even two spaces in a row.
        let old = present.text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        var words = old
        let count = UInt64(words.count + 1)
        let start = Int((place ?? random.next()) % count)
        let end = min(words.count, start + (random.chance(60) ? 0 : random.number(1...4)))
        let added = self.words(random.number((end > start ? 0 : 1)...3))
        words.replaceSubrange(start..<end, with: added)
        guard words != old else { return nil }
        let text = UTF8Text(words.joined(separator: " "))
        return PlannedWork(
            draft: [.write(id, field: field, text: text, base: random.chance(50) ? present.version : nil)],
            name: "write \(added) for \(old[start..<end])",
            memories: [.words(.existing(id), added: added, gone: old[start..<end].filter { !$0.isEmpty })])
    }

    private func endorsement(_ record: RecordDocument, _ store: ReplicaStore) throws -> PlannedWork? {
        guard let id = id(record) else { return nil }
        let text = try store.text(id, space: space)
        let act = TextEndorsement(space: space, document: id, text: text.hash, timestamp: clock)
        let signed = try withSeededSignatures(UInt64(bitPattern: clock)) {
            try SignedAct(act: act.encoded, key: identity.authorityKey)
        }
        return PlannedWork(draft: [.act(signed)], name: "endorse a text")
    }

    private mutating func words(_ count: Int) -> [String] {
        (0..<count).map { _ in
            var rest = random.next()
            var letters = ""
            for _ in 0..<10 {
                letters.unicodeScalars.append(Unicode.Scalar(UInt8(97 + rest % 26)))
                rest /= 26
            }
            return random.chance(10) ? letters + "ñ" : letters
        }
    }

    private mutating func value(_ field: FieldDescription) -> Value? {
        let number = random.number(1...6)
        switch field.form {
        case .text:
            if !field.isRequired, !field.isSet, random.chance(10) { return .empty }
            if field.name == "notes", random.chance(10) {
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

extension JSONValue {
    /// Nil for what stands for nothing.
    var nonEmpty: JSONValue? {
        switch self {
        case .null: nil
        case .string(let text) where text.isEmpty: nil
        default: self
        }
    }
}
