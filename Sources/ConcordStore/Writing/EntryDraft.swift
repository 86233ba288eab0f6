// One record's part of a draft. Several edits of one field become one operation, the last one (rule A1), and
// each operation names what it overwrites as the record stood before the change.

import ConcordModel

/// What a draft does to one record.
struct EntryDraft {
    /// The making of a record.
    struct Creation {
        let parent: RecordID?
    }

    let record: RecordID
    let kind: KindDescription
    /// The record as it is held; nil for one that the draft makes.
    let work: RecordWork?
    let creation: Creation?
    private var registers: [(field: UTF8Text, value: Value)] = []
    private var elements: [(field: UTF8Text, element: Value, isAdded: Bool)] = []
    var restores = false
    var deletes = false
    /// What a delete says to have seen.
    var seen = VersionVector()

    init(record: RecordID, kind: KindDescription, work: RecordWork) {
        self.record = record
        self.kind = kind
        self.work = work
        creation = nil
    }

    init(record: RecordID, kind: KindDescription, creation: Creation) {
        self.record = record
        self.kind = kind
        self.creation = creation
        work = nil
    }

    /// Whether a field of a new record gets a value.
    func writes(_ field: FieldDescription) -> Bool {
        field.isSet
            ? elements.contains { $0.field == field.name && $0.isAdded }
            : registers.contains { $0.field == field.name && !$0.value.isEmpty }
    }

    /// Whether there is anything besides a delete.
    var writesAnything: Bool { creation != nil || restores || !registers.isEmpty || !elements.isEmpty }

    mutating func set(_ field: UTF8Text, _ value: Value) {
        if let index = registers.firstIndex(where: { $0.field == field }) {
            registers[index].value = value
        } else {
            registers.append((field, value))
        }
    }

    mutating func change(_ field: UTF8Text, _ element: Value, isAdded: Bool) {
        if let index = elements.firstIndex(where: { $0.field == field && $0.element == element }) {
            elements[index].isAdded = isAdded
        } else {
            elements.append((field, element, isAdded))
        }
    }

    /// The entry of the change.
    var entry: Entry {
        var operations: [Operation] = []
        operations.reserveCapacity(registers.count + elements.count + 1)
        if let creation { operations.append(.create(kind: kind.name, parent: creation.parent)) }
        for (field, value) in registers {
            let replaced = work?.state.register(field)?.values.map(\.dot).sorted() ?? []
            operations.append(.set(field: field, value: value, replacing: replaced.nameable))
        }
        for (field, element, isAdded) in elements {
            let held = (work?.state.elements(field).first { $0.element == element }?.adds ?? []).nameable
            operations.append(
                isAdded
                    ? .add(field: field, element: element, replacing: held)
                    : .remove(field: field, element: element, replacing: held))
        }
        if restores { operations.append(.restore(deletes: (work?.state.openDeletes ?? []).nameable)) }
        if deletes { operations.append(.delete(seen: seen)) }
        return Entry(record: record, operations: operations)
    }
}

extension [Dot] {
    /// What one operation may name. What is beyond stays, and the next operation can name it.
    fileprivate var nameable: [Dot] { Array(prefix(Limits.namedDots)) }
}

extension DraftBuilder {
    /// Takes one edit of a field into the draft of its record.
    mutating func write(_ edit: FieldEdit, _ place: Int) throws {
        let field = try description(edit.field, place)
        switch edit {
        case .set(_, let value):
            guard !field.isSet else {
                throw ConcordError(.malformedValue, "\(field.name) is a set: add to it or remove from it")
            }
            guard !field.isText else { return try begin(field, with: value, place) }
            if let values = drafts[place].work?.state.register(field.name)?.values, values.count > 1 {
                throw ConcordError(
                    .fieldInConflict, "\(field.name) holds \(values.count) concurrent values")
            }
            try set(field, value, place)
        case .add(_, let value), .remove(_, let value):
            guard !field.isText else { throw Self.mustBeMerged(field, drafts[place].record) }
            guard field.isSet else {
                throw ConcordError(.malformedValue, "\(field.name) is no set: write it with `=`")
            }
            let element = try field.normalized(value)
            guard !element.isEmpty else {
                throw ConcordError(.malformedValue, "\(field.name): an element cannot be empty")
            }
            var isAdded = false
            if case .add = edit { isAdded = true }
            drafts[place].change(field.name, element, isAdded: isAdded)
        }
    }

    /// Takes the settling of a conflict into the draft of its record.
    mutating func resolve(_ name: UTF8Text, _ resolution: Resolution, place: Int) throws {
        let field = try description(name, place)
        let values = drafts[place].work?.state.register(name)?.values ?? []
        guard values.count > 1 else {
            throw ConcordError(.noConflict, "\(name) of \(drafts[place].record) is not in conflict")
        }
        switch resolution {
        case .take(let number):
            guard values.indices.contains(number - 1) else {
                throw ConcordError(
                    .noConflict, "\(name) has \(values.count) values, there is no number \(number)")
            }
            // Whoever takes a value that was erased takes that there is none.
            let taken = values[number - 1].value
            drafts[place].set(name, taken.isEmpty ? .empty : taken)
        case .value(let value):
            try set(field, value, place)
        }
    }

    private mutating func set(_ field: FieldDescription, _ value: Value, _ place: Int) throws {
        let value = try field.normalized(value)
        guard !value.isEmpty || !field.isRequired else {
            throw ConcordError(.missingField, "\(field.name) of a \(drafts[place].kind.name) cannot be empty")
        }
        drafts[place].set(field.name, value)
    }

    func description(_ name: UTF8Text, _ place: Int) throws -> FieldDescription {
        let kind = drafts[place].kind
        guard let field = kind.field(name) else {
            if drafts[place].work?.state.register(name) != nil {
                throw ConcordError(
                    .unknownField,
                    "\(name) of \(drafts[place].record) was written by a later version, which alone can change or settle it",
                    action: "upgrade this node; until then the field is kept and passed on as it is")
            }
            let known = kind.fields.map(\.name.string).joined(separator: ", ")
            throw ConcordError(.unknownField, "\(kind.name) has no field \(name); its fields are \(known)")
        }
        return field
    }
}
