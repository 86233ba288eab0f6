// Records, one change per call: the ids and prefixes that people type become records, their edits become a
// draft, and the store judges it. What is given back is the record as it is after the change.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension StoreServices {
    public func records(_ selection: RecordSelection) async throws -> RecordsDocument {
        try Self.check(selection)
        let query = RecordQuery(
            space: try selection.space.map { try space($0).id }, kind: selection.kind,
            owner: selection.member,
            whereEquals: selection.conditions.map {
                FieldCondition(field: UTF8Text($0.field), value: $0.text)
            },
            parent: try selection.parent.map { try Named(try store.record(idPrefix: $0)).id },
            includeDeleted: selection.includesDeleted)
        return RecordsDocument(records: try store.records(query).map(\.listed))
    }

    public func record(_ id: String) async throws -> RecordDetailDocument {
        let record = try store.record(idPrefix: id)
        let children = try store.children(of: try Named(record).id)
        return RecordDetailDocument(
            record: record, children: children, endorsements: try endorsements(of: record),
            texts: try texts(of: record))
    }

    public func create(_ creation: RecordCreation, author: String) async throws -> RecordDocument {
        let parent = try creation.parent.map { try Named(try store.record(idPrefix: $0)) }
        let space = try creation.space.map { try self.space($0).id } ?? parent?.space ?? self.space(nil).id
        let edit = RecordEdit.create(
            kind: creation.kind, parent: parent.map { .existing($0.id) }, fields: Self.fields(creation.edits))
        let written = try await write([edit], in: space, author: author)
        guard let id = written.created.first else { preconditionFailure("a create made no record") }
        return try store.record(id, space: space)
    }

    public func update(
        _ id: String, _ edits: RecordEdits, base: String?, author: String
    ) async throws -> RecordDocument {
        let fields = Self.fields(edits)
        guard !fields.isEmpty else {
            throw ConcordError(.malformedRequest, "nothing is to be changed: give “set”, “add” or “remove”")
        }
        return try await edit(id, author: author) { .update($0, fields, base: base) }
    }

    public func delete(_ id: String, author: String) async throws -> RecordDocument {
        try await edit(id, author: author) { .delete($0) }
    }

    public func restore(_ id: String, author: String) async throws -> RecordDocument {
        try await edit(id, author: author) { .restore($0) }
    }

    public func resolve(
        _ id: String, field: UTF8Text, _ settlement: Settlement, author: String
    ) async throws -> RecordDocument {
        let resolution: Resolution =
            switch settlement {
            case .take(let number): .take(number)
            case .value(let value): .value(value)
            }
        return try await edit(id, author: author) { .resolve($0, field: field, resolution) }
    }

    /// A record that exists, as the store names it.
    struct Named {
        let id: RecordID
        let space: SpaceID

        /// - Throws: never for what the store gave out.
        init(_ document: RecordDocument) throws {
            guard let id = RecordID(text: document.id), let space = bytes(hexadecimal: document.space),
                let digest = Digest(bytes: space)
            else { throw ConcordError(.internalError, "the store gave out a malformed id") }
            self.id = id
            self.space = SpaceID(digest)
        }
    }

    private func edit(
        _ id: String, author: String, _ edit: (RecordID) -> RecordEdit
    ) async throws -> RecordDocument {
        let record = try store.place(idPrefix: id)
        _ = try await write([edit(record.id)], in: record.space, author: author)
        return try store.record(record.id, space: record.space)
    }

    private static func fields(_ edits: RecordEdits) -> [FieldEdit] {
        edits.set.map { .set($0.name, $0.content) }
            + edits.remove.flatMap { field in field.content.map { .remove(field.name, $0) } }
            + edits.add.flatMap { field in field.content.map { .add(field.name, $0) } }
    }

    private static func check(_ selection: RecordSelection) throws {
        guard let name = selection.kind else { return }
        let kind = try Self.kind(name)
        for condition in selection.conditions where kind.field(UTF8Text(condition.field)) == nil {
            let known = kind.fields.map(\.name.string).joined(separator: ", ")
            throw ConcordError(
                .unknownField, "a \(name) has no field “\(condition.field.prefix(64))”; it has \(known)")
        }
    }

    /// The kind of this name.
    ///
    /// - Throws: ``ConcordError`` E-1013, with the kinds that there are.
    static func kind(_ name: UTF8Text) throws -> KindDescription {
        guard let kind = Vocabulary.kind(name) else {
            let known = Vocabulary.kinds.map(\.name.string).joined(separator: ", ")
            throw ConcordError(
                .unknownKind, "there is no kind “\(name.string.prefix(64))”; known are \(known)")
        }
        return kind
    }
}
