// Full-text search. The index follows in the background and is caught up before a query answers, so that
// writing never waits for it and nobody misses what was just written.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// Records that are indexed in one transaction.
    private static let indexBatch = 500

    /// Brings the search index closer to the records.
    ///
    /// - Returns: how many records were indexed, at most `maximum`; 0 when the index is up to date, or cannot
    ///   be brought closer because the replica was opened for reading.
    public func indexSearch(maximum: Int) async throws -> Int {
        guard !writer.isReadOnly else { return 0 }
        return try await writer.runLocal { db in
            let sql = "SELECT record FROM search_dirty ORDER BY record LIMIT ?"
            let dirty = try Int64.fetchAll(db, sql: sql, arguments: [max(0, maximum)])
            for record in dirty { try Self.index(record, db) }
            return dirty.count
        }
    }

    /// The shown records that hold all the words of `text`, the best match first.
    ///
    /// Case and accents do not matter. Whatever `text` is, it is no error: words are taken as words, and text
    /// without any finds nothing.
    public func search(
        _ text: String, kind: UTF8Text? = nil, space: SpaceID? = nil, limit: Int = 50
    ) async throws -> [SearchHit] {
        while try await indexSearch(maximum: Self.indexBatch) > 0 {}
        let words = text.split { !$0.isLetter && !$0.isNumber }
        guard !words.isEmpty else { return [] }
        var condition = "search MATCH ? AND record.shown"
        var arguments: StatementArguments = [words.map { "\"\($0)\"" }.joined(separator: " ")]
        if let kind {
            condition += " AND record.kind = ?"
            arguments += [kind.string]
        }
        if let space {
            condition += " AND record.space = ?"
            arguments += [try writer.space(space).id]
        }
        let sql = """
            SELECT \(RecordReader.columns), snippet(search, -1, '', '', '…', 16)
            FROM search JOIN record ON record.id = search.rowid JOIN space ON space.id = record.space
            JOIN party ON party.id = record.owner WHERE \(condition)
            ORDER BY rank, record.id LIMIT \(max(0, limit))
            """
        return try read { reader in
            try Row.fetchAll(reader.db, sql: sql, arguments: arguments).map { row in
                SearchHit(record: try reader.document(row), snippet: row[13])
            }
        }
    }

    private static func index(_ record: Int64, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM search_dirty WHERE record = ?").execute(arguments: [record])
        try db.cachedStatement(sql: "DELETE FROM search WHERE rowid = ?").execute(arguments: [record])
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT title, state FROM record WHERE id = ?"), arguments: [record])
        guard let row else { return }
        let state = try RecordState(encoded: row.bytes(1))
        var texts: [String] = []
        for register in state.registers {
            for value in register.values where !value.value.isEmpty { texts.append(value.value.display) }
        }
        for set in state.sets { texts += set.elements.map(\.element.display) }
        if !state.texts.isEmpty { texts += try TextTable.shown(record: record, db).map(\.text.string) }
        try db.cachedStatement(sql: "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)")
            .execute(arguments: [record, row[0] as String, texts.joined(separator: "\n")])
    }
}
