// Full-text search. The index follows in the background and is caught up before a query answers, so that
// writing never waits for it and nobody misses what was just written.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// Records that are indexed in one transaction.
    private static let indexBatch = 500

    /// Brings the search index closer to the records: first those that it knows and that changed, then new ones, each in
    /// the order of their rows.
    ///
    /// - Returns: how many records were indexed, at most `maximum`; 0 when the index is up to date, or cannot
    ///   be brought closer because the replica was opened for reading.
    public func indexSearch(maximum: Int) async throws -> Int {
        guard !writer.isReadOnly else { return 0 }
        return try await writer.run { [gate = writer.gate] db, memory in
            defer { memory.forgetSearched() }
            var count = 0
            try gate.writing(.ordinary, db) {
                let changed = try Int64.fetchAll(
                    db, sql: "SELECT record FROM search_dirty ORDER BY record LIMIT ?",
                    arguments: [max(0, maximum)])
                for record in changed {
                    for sql in [
                        "DELETE FROM search_dirty WHERE record = ?", "DELETE FROM search WHERE rowid = ?",
                    ] {
                        try db.cachedStatement(sql: sql).run { $0.integer(record) }
                    }
                    try Self.index(record, db)
                }
                let new = try Int64.fetchAll(
                    db, sql: "SELECT id FROM record WHERE id > ? ORDER BY id LIMIT ?",
                    arguments: [try memory.searched(db), max(0, maximum - changed.count)])
                for record in new { try Self.index(record, db) }
                if let last = new.last {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                        arguments: [StoreMemory.searchedKey, last])
                }
                count = changed.count + new.count
            }
            return count
        }
    }

    /// The shown records that hold all the words of `text`, the best match first.
    ///
    /// Case and accents do not matter. Whatever `text` is, it is no error: words are taken as words, and text
    /// without any finds nothing.
    public func search(
        _ text: String, kind: UTF8Text? = nil, space: SpaceID? = nil, limit: Int = 50
    ) async throws -> [SearchHit] {
        try await catchUpWithRecords()
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
                SearchHit(record: try reader.document(row), snippet: row[14])
            }
        }
    }

    /// A disk that takes no writes must not keep anybody from finding what was indexed before.
    private func catchUpWithRecords() async throws {
        do {
            while storageTrouble == nil, try await indexSearch(maximum: Self.indexBatch) > 0 {}
        } catch {
            guard storageTrouble != nil else { throw error }
        }
    }

    private static func index(_ record: Int64, _ db: Database) throws {
        let select = try db.cachedStatement(sql: "SELECT title, state, json, uid FROM record WHERE id = ?")
        let found = try select.first {
            $0.integer(record)
        } _: { row in
            (
                title: row.bytes(0),
                state: try RecordState(stored: row.bytes(1), json: row.bytes(2), id: try row.record(3))
            )
        }
        guard let (title, state) = found else { return }
        var texts: [String] = []
        for register in state.registers {
            for value in register.values where !value.value.isEmpty { texts.append(value.value.display) }
        }
        for set in state.sets { texts += set.elements.map(\.element.display) }
        if !state.texts.isEmpty { texts += try TextTable.shown(record: record, db).map(\.text.string) }
        try db.cachedStatement(sql: "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)").run {
            $0.integer(record)
            $0.text(title)
            $0.text(texts.joined(separator: "\n"))
        }
    }
}
