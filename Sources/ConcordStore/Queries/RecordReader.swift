// Makes the documents of the local API from stored records. Runs on a reader, inside one snapshot.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

/// Reads records in one snapshot of the database.
struct RecordReader {
    let db: Database

    /// The columns that ``document(_:)`` reads.
    static let columns = """
        record.uid, record.kind, space.uid, party.code, record.title, record.shown, record.flagged,
        record.created, record.updated, record.term, record.state, record.space, record.id, record.json
        """
    /// What the columns are taken from.
    static let source = "record JOIN space ON space.id = record.space JOIN party ON party.id = record.owner"

    /// The documents of the records that meet a condition.
    func documents(
        _ condition: String, _ arguments: StatementArguments, then rest: String = "ORDER BY record.id"
    ) throws -> [RecordDocument] {
        let sql = "SELECT \(Self.columns) FROM \(Self.source) WHERE \(condition) \(rest)"
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map(document)
    }

    /// The documents of the first two records of which the ids lie in a range; asked before and after every edit.
    func documents(_ range: RecordRange) throws -> [RecordDocument] {
        let sql = "SELECT \(Self.columns) FROM \(Self.source) WHERE \(range.condition)"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: range.arguments).map(document)
    }

    /// Ids and spaces of the same.
    func places(_ range: RecordRange) throws -> [(id: RecordID, space: SpaceID)] {
        let sql = "SELECT record.uid, space.uid FROM \(Self.source) WHERE \(range.condition)"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: range.arguments).map { row in
            (try row.record(0), SpaceID(try row.digest(1)))
        }
    }

    /// The document of a row.
    func document(_ row: Row) throws -> RecordDocument {
        let state = try row.recordState(10, json: 13, id: try row.record(0))
        let space: Int64 = row[11]
        return RecordDocument(
            id: try row.record(0).description, kind: row[1], space: try row.digest(2).description,
            parent: state.parent?.description, owner: row[3],
            version: hexadecimal(try row.digest(9).bytes.prefix(8)), title: row[4], shown: row[5],
            editedWhileDeleted: row[6], fields: try fields(of: state, row[12]),
            conflicts: try state.registers.filter(\.isInConflict).map { try conflict($0, space) },
            createdAt: Timestamp.text(milliseconds: row[7]), updatedAt: Timestamp.text(milliseconds: row[8]))
    }

    /// The displayed values: of a field that is a text that merges, the text and nothing else.
    private func fields(of state: RecordState, _ record: Int64) throws -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        let texts = Vocabulary.kind(state.kind)?.fields.filter(\.isText).map(\.name) ?? []
        if !state.texts.isEmpty {
            for (field, text) in try TextTable.shown(record: record, db)
            where texts.contains(UTF8Text(field)) && !text.utf8.isEmpty {
                fields[field] = .string(text.string)
            }
        }
        for register in state.registers where !texts.contains(register.field) {
            guard register.isDisplayed else { continue }
            fields[register.field.string] = register.shown.value.json
        }
        for set in state.sets where !texts.contains(set.field) {
            fields[set.field.string] = .array(set.elements.map(\.element.json))
        }
        return fields
    }

    private func conflict(_ register: RecordState.Register, _ space: Int64) throws -> ConflictDocument {
        ConflictDocument(
            field: register.field.string,
            values: try register.values.map { value in
                let author = try author(of: value.dot, space)
                return ConflictDocument.Candidate(
                    value: value.value.json, member: author.member, node: author.node, author: author.label,
                    at: Timestamp.text(milliseconds: value.timestamp), dot: value.dot.description)
            })
    }

    /// Who made a change.
    private func author(of dot: Dot, _ space: Int64) throws -> (member: String, node: String, label: String) {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT party.code, chain.node_name, log.bytes FROM chain JOIN party ON party.id = chain.party
                JOIN log ON log.chain = chain.id
                WHERE chain.space = ? AND chain.name = ? AND log.sequence = ?
                """, arguments: [space, dot.replica.data, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return (row[0], row[1], try Change(encoded: row.bytes(2)).authorLabel.string)
    }
}

extension Value {
    /// The value in JSON: bytes stand as hexadecimal digits, null for what was erased.
    var json: JSONValue {
        switch self {
        case .integer(let number): .integer(number)
        case .erased: .null
        default: .string(display)
        }
    }
}
