// Copies a record into another space: what it shows, what stands below it, and where it comes from. Nothing else of the
// space leaves it: no history, no authors, no conflicts, no ids of other records.

import ConcordAPI
import ConcordModel
import ConcordStore

extension StoreServices {
    public func share(_ id: String, to text: String, author: String) async throws -> ShareDocument {
        let record = try store.record(idPrefix: id)
        let target = try space(text).id
        let kind = try Self.shareable(record)
        guard target.description != record.space else {
            throw ConcordError(
                .notShareable, "the record is in that space already", action: "name another --to")
        }
        var copy = SharedCopy()
        let fields = try copy.fields(of: record, kind: kind)
        copy.drafts.append(
            .create(
                kind: kind.name, parent: nil, fields: provenance(of: record, author: author) + fields))
        try addChildren(of: record, above: 0, to: &copy)
        let written = try await write(copy.drafts, in: target, author: author)
        guard let created = written.created.first else { preconditionFailure("a create made no record") }
        logger.info(
            "a record is shared",
            metadata: ["record": "\(record.id)", "from": "\(record.space)", "to": "\(target)"])
        return ShareDocument(
            record: try store.record(created, space: target), children: Int64(copy.drafts.count - 1),
            leftOut: copy.leftOut.sorted())
    }

    /// Throws unless the record may be copied as it is.
    private static func shareable(_ record: RecordDocument) throws -> KindDescription {
        let kind = try Self.kind(UTF8Text(record.kind))
        guard !kind.isOwned else {
            throw ConcordError(
                .notShareable, "a \(kind.name) belongs to the member that recorded it and is not copied",
                action: "have its owner record it in the other space")
        }
        guard kind.parent == nil else {
            throw ConcordError(
                .notShareable, "a \(kind.name) does not stand alone",
                action: "share \(record.parent ?? "the record above it"), with all that is below it")
        }
        guard record.shown else {
            throw ConcordError(.recordNotShown, "record \(record.id), or one above it, is deleted")
        }
        return kind
    }

    private func addChildren(of record: RecordDocument, above: Int, to copy: inout SharedCopy) throws {
        for child in try store.children(of: try Named(record).id) where child.space == record.space {
            let kind = try Self.kind(UTF8Text(child.kind))
            let fields = try copy.fields(of: child, kind: kind)
            copy.drafts.append(.create(kind: kind.name, parent: .edit(above), fields: fields))
            try addChildren(of: child, above: copy.drafts.count - 1, to: &copy)
        }
    }

    private func provenance(of record: RecordDocument, author: String) -> [FieldEdit] {
        func text(_ text: String) -> Value { .text(UTF8Text(text)) }
        let moment = Timestamp.text(milliseconds: clock()).prefix(19)
        return [
            .set("source_space", text(record.space)), .set("source_record", text(record.id)),
            .set("source_version", text(record.version)),
            .set("shared_by", text("\(nodeIdentity.memberCode) \(author)")),
            .set("shared_at", text("\(moment)Z")),
        ]
    }
}

/// A copy in the making.
private struct SharedCopy {
    var drafts: [RecordEdit] = []
    /// Fields that name records of the source space.
    var leftOut: Set<String> = []

    /// What a record shows, as edits of its copy.
    ///
    /// - Throws: ``ConcordError`` E-1006 if a field holds several concurrent values: a copy would decide for one.
    mutating func fields(of record: RecordDocument, kind: KindDescription) throws -> [FieldEdit] {
        if let conflict = record.conflicts.first {
            throw ConcordError(
                .fieldInConflict,
                "“\(conflict.field)” of the \(record.kind) \(record.id) holds "
                    + "\(conflict.values.count) concurrent values"
            )
        }
        var edits: [FieldEdit] = []
        // Where the record itself came from is of no concern to the other space: the nearest source is named.
        for field in kind.fields where !Vocabulary.provenance.contains(field) {
            guard let value = record.fields[field.name.string] else { continue }
            guard field.form != .record else {
                leftOut.insert("\(kind.name).\(field.name)")
                continue
            }
            switch value {
            case .array(let elements):
                edits += try elements.map {
                    .add(field.name, try FieldValue.scalar($0, field: field.name.string))
                }
            default: edits.append(.set(field.name, try FieldValue.register(value, field: field.name.string)))
            }
        }
        return edits
    }
}
