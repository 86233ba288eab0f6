// Records, as lists and single ones.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// The records that a query asks for, in the order in which they came to be known here.
    ///
    /// - Throws: ``ConcordError`` E-1013 for an unknown kind, E-1002 for a field that the kind has not.
    public func records(_ query: RecordQuery) throws -> [RecordDocument] {
        var terms: [String] = []
        var arguments: [(any DatabaseValueConvertible)?] = []
        if !query.includeDeleted { terms.append("record.shown") }
        if let kind = query.kind {
            guard Vocabulary.kind(kind) != nil else {
                let known = Vocabulary.kinds.map(\.name.string).joined(separator: ", ")
                throw ConcordError(.unknownKind, "there is no kind \(kind); the kinds are \(known)")
            }
            terms.append("record.kind = ?")
            arguments.append(kind.string)
        }
        if let space = query.space {
            terms.append("record.space = ?")
            arguments.append(try writer.space(space).id)
        }
        if let owner = query.owner {
            terms.append("party.code = ?")
            arguments.append(owner)
        }
        if let parent = query.parent {
            terms.append("record.parent IN (SELECT id FROM record WHERE uid = ?)")
            arguments.append(parent.data)
        }
        for condition in query.whereEquals {
            try check(condition, kind: query.kind)
            terms.append(Self.condition)
            arguments += [
                "$.\"\(condition.field)\"", condition.value, condition.field.string, condition.value,
            ]
        }
        let condition = terms.isEmpty ? "1" : terms.joined(separator: " AND ")
        let rest = "ORDER BY record.id LIMIT \(query.limit ?? -1) OFFSET \(max(0, query.offset))"
        return try read { try $0.documents(condition, StatementArguments(arguments), then: rest) }
    }

    /// A displayed value, one of a set's elements, or a text that merges equals a text.
    private static let condition = """
        (EXISTS (SELECT 1 FROM json_each(record.json, ?) WHERE CAST(json_each.value AS TEXT) = ?)
        OR EXISTS (SELECT 1 FROM text WHERE text.record = record.id AND text.field = ?
            AND replace(CAST(text.utf8 AS TEXT), char(65535), '') = ?))
        """

    private func check(_ condition: FieldCondition, kind: UTF8Text?) throws {
        let kinds = kind.flatMap(Vocabulary.kind).map { [$0] } ?? Vocabulary.kinds
        guard kinds.contains(where: { $0.field(condition.field) != nil }) else {
            let known = kinds.count == 1 ? kinds[0].fields.map(\.name.string).joined(separator: ", ") : ""
            throw ConcordError(
                .unknownField,
                "there is no field \(condition.field)" + (known.isEmpty ? "" : "; the fields are \(known)"))
        }
    }

    /// The record whose id begins with these hexadecimal digits; deleted ones are found too.
    ///
    /// - Throws: ``ConcordError`` E-1004 if there is none, E-1005 if there are several.
    public func record(idPrefix: String, space: SpaceID? = nil) throws -> RecordDocument {
        try only(idPrefix, space) { try $0.documents($1) }
    }

    /// Where the record of which the id begins like this is; a deleted one is found too.
    ///
    /// - Throws: ``ConcordError`` E-1004 or E-1005 if there is not exactly one.
    public func place(idPrefix: String) throws -> (id: RecordID, space: SpaceID) {
        try only(idPrefix, nil) { try $0.places($1) }
    }

    private func only<Answer>(
        _ idPrefix: String, _ space: SpaceID?, _ find: (RecordReader, RecordRange) throws -> [Answer]
    ) throws -> Answer {
        guard let range = RecordRange(idPrefix: idPrefix, space: try space.map { try writer.space($0).id })
        else {
            throw ConcordError(.unknownRecord, "\(idPrefix) is not the beginning of a record's id")
        }
        let found = try read { try find($0, range) }
        guard let first = found.first else {
            throw ConcordError(.unknownRecord, "no record's id begins with \(idPrefix)")
        }
        guard found.count == 1 else {
            throw ConcordError(.ambiguousIdentifier, "several records' ids begin with \(idPrefix)")
        }
        return first
    }

    /// One record; a deleted one is found too.
    ///
    /// - Throws: ``ConcordError`` E-1004 if it is not held.
    public func record(_ id: RecordID, space: SpaceID? = nil) throws -> RecordDocument {
        try record(idPrefix: id.description, space: space)
    }

    /// The records directly below another.
    public func children(of id: RecordID, includeDeleted: Bool = false) throws -> [RecordDocument] {
        try records(RecordQuery(parent: id, includeDeleted: includeDeleted))
    }

    /// The shown records that need a person: a field in conflict, or edited while deleted.
    public func conflicts(space: SpaceID? = nil) throws -> [RecordDocument] {
        var condition = "record.shown AND (record.conflicts > 0 OR record.flagged)"
        var arguments: StatementArguments = []
        if let space {
            condition += " AND record.space = ?"
            arguments += [try writer.space(space).id]
        }
        return try read { try $0.documents(condition, arguments) }
    }

    /// Reads in one snapshot.
    func read<Answer>(_ body: (RecordReader) throws -> Answer) throws -> Answer {
        try reading { try body(RecordReader(db: $0)) }
    }

    /// Reads in one snapshot. That the database is damaged is often found out here first.
    func reading<Answer>(_ body: (Database) throws -> Answer) throws -> Answer {
        do {
            return try pool.read(body)
        } catch {
            writer.gate.noteRead(error)
            throw ConcordError(store: error)
        }
    }
}
