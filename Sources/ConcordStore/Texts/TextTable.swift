// How texts stand in the database. `text` holds each text as it is now, `text_chunk` its history in pieces: the last
// piece is written anew with each edit until it is long enough to be left alone, so that an edit costs little however
// long the history is. Both follow from the log; what does not fit together is damage, and is made anew from there.

import ConcordCrypto
import ConcordModel
import ConcordText
import Foundation
import GRDB

/// Why a stored text cannot be used.
struct TextDamage: Error {
    /// What is wrong, as a part of a sentence.
    let reason: String
}

/// A text as the tables have it.
struct StoredTextRows {
    /// The text of ``version``, with what stands for erased scalars.
    let utf8: [UInt8]
    /// The edits that no other follows, ascending.
    let version: [TextEditID]
    /// How many scalars its edits insert together.
    let claimed: UInt64
    private let edits: Int
    private let events: Int

    /// Reads the text itself, not its history.
    ///
    /// - Parameter state: what the record says of the text.
    /// - Throws: ``TextDamage`` if the row is missing or is not the text that the record names.
    init(record: Int64, state: RecordState.Text, _ db: Database) throws {
        let sql = "SELECT version, edits, events, utf8, claimed FROM text WHERE record = ? AND field = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [record, state.field.string])
        guard let row else { throw TextDamage(reason: "the text is missing") }
        let kept = row.bytes(3)
        let shown = DisplayedText(of: kept)
        guard shown.hash == state.hash, shown.scalars == state.scalars else {
            throw TextDamage(reason: "the text has not the hash that its record names")
        }
        guard let version = Self.version(row.bytes(0)) else {
            throw TextDamage(reason: "the version of the text cannot be read")
        }
        (utf8, self.version, edits, events) = (kept, version, row[1], row[2])
        claimed = row.unsigned(4)
    }

    /// The text with its history, ready to merge, and the first event of the chunk that goes on.
    ///
    /// - Throws: ``TextDamage`` if a chunk is missing, is not what was written, or does not lead to the text.
    func merged(record: Int64, field: UTF8Text, _ db: Database) throws -> (text: MergedText, tail: Int) {
        let sql = """
            SELECT first, events, bytes FROM text_chunk WHERE record = ? AND field = ? ORDER BY first
            """
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [record, field.string])
        var chunks: [[UInt8]] = []
        var (next, tail) = (0, 0)
        for row in rows {
            let bytes = row.bytes(2)
            guard row[0] == next else {
                throw TextDamage(reason: "a part of the history of the text is missing")
            }
            tail = next
            next += row[1] as Int
            if bytes.count > TextTable.sealedBytes { tail = next }
            chunks.append(bytes)
        }
        let history: TextHistory
        do {
            history = try TextHistory(chunks: chunks)
        } catch {
            throw TextDamage(reason: "the history of the text cannot be read")
        }
        guard history.eventCount == events, history.editCount == edits, history.version == version else {
            throw TextDamage(reason: "the history of the text does not lead to the text")
        }
        return (MergedText(history: history, text: TextBuffer(utf8: utf8)), tail)
    }

    private static let nameBytes = 24

    /// A version, ascending, from its stored form: 16 bytes and a sequence for each edit.
    private static func version(_ bytes: [UInt8]) -> [TextEditID]? {
        guard bytes.count % nameBytes == 0 else { return nil }
        var version: [TextEditID] = []
        for start in stride(from: 0, to: bytes.count, by: nameBytes) {
            guard let replica = ReplicaID(bytes: bytes[start..<start + 16]) else { return nil }
            let sequence = bytes[(start + 16)..<(start + nameBytes)].reduce(0) { $0 << 8 | UInt64($1) }
            version.append(TextEditID(Dot(replica, sequence)))
        }
        return version
    }

    /// The stored form of a version.
    static func encoded(_ version: [TextEditID]) -> Data {
        var bytes: [UInt8] = []
        for id in version {
            bytes += id.dot.replica.bytes
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: id.sequence >> shift))
            }
        }
        return Data(bytes)
    }
}

/// Writes texts.
enum TextTable {
    /// Bytes after which a chunk is left as it is, and the next one begun.
    static let sealedBytes = 16 << 10

    /// Writes a text and the end of its history.
    ///
    /// - Parameter tail: the first event that is not in a chunk that is left alone.
    /// - Returns: the first such event from now on.
    static func write(
        _ merged: MergedText, _ field: UTF8Text, claimed: UInt64, record: Int64, tail: Int, _ db: Database
    ) throws -> Int {
        let history = merged.history
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO text VALUES (?, ?, ?, ?, ?, ?, ?)").execute(
            arguments: [
                record, field.string, StoredTextRows.encoded(merged.version), history.editCount,
                history.eventCount, claimed.stored, Data(merged.text.utf8),
            ])
        if TextWork.isOverfull(claimed) {
            try db.cachedStatement(sql: "DELETE FROM text_chunk WHERE record = ? AND field = ?")
                .execute(arguments: [record, field.string])
        }
        guard history.eventCount > tail else { return tail }
        let bytes = history.chunk(tail..<history.eventCount)
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO text_chunk VALUES (?, ?, ?, ?, ?)").execute(
            arguments: [
                record, field.string, tail, history.eventCount - tail, Data(bytes),
            ])
        return bytes.count > sealedBytes ? history.eventCount : tail
    }

    /// Takes out all texts of a record.
    static func remove(record: Int64, _ db: Database) throws {
        for table in ["text", "text_chunk"] {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE record = ?").execute(arguments: [record])
        }
    }

    /// What people see of the texts of a record, by field, ascending.
    static func shown(record: Int64, _ db: Database) throws -> [(field: String, text: DisplayedText)] {
        let sql = "SELECT field, utf8 FROM text WHERE record = ? ORDER BY field"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [record]).map {
            ($0[0], DisplayedText(of: $0.bytes(1)))
        }
    }
}
