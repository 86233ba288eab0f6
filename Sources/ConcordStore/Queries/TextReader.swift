// Reads a text, one of its versions, or its history, in one snapshot.

import ConcordCrypto
import ConcordModel
import ConcordText
import Foundation
import GRDB

/// Reads one text.
struct TextReader {
    let db: Database
    let space: PublishedSpace
    let record: RecordID
    let field: UTF8Text
    private let row: Int64
    /// Nil for a text without edits.
    private let rows: StoredTextRows?

    /// - Parameter field: nil for the text of the record's kind.
    /// - Throws: ``ConcordError`` E-1004 or E-1002; ``TextDamage`` if what is stored does not fit together.
    init(_ record: RecordID, field: UTF8Text?, space: PublishedSpace, _ db: Database) throws {
        let sql = "SELECT id, kind, state, json FROM record WHERE uid = ? AND space = ?"
        guard let found = try Row.fetchOne(db, sql: sql, arguments: [record.data, space.id]) else {
            throw ConcordError(.unknownRecord, "there is no record \(record) in this space")
        }
        (self.db, self.space, self.record, row) = (db, space, record, found[0])
        self.field = try Self.text(field, of: UTF8Text(found[1]))
        let state = try found.recordState(2, json: 3, id: record).text(self.field)
        rows = try state.map { [row] in try StoredTextRows(record: row, state: $0, db) }
        if let rows, TextWork.isOverfull(rows.claimed) { throw TextWork.overfull(self.field) }
    }

    private static func text(_ field: UTF8Text?, of name: UTF8Text) throws -> UTF8Text {
        guard let kind = Vocabulary.kind(name), let field = field ?? kind.textField else {
            throw ConcordError(.unknownField, "a \(name) has no text that merges")
        }
        guard let description = kind.field(field), description.isText else {
            throw ConcordError(.unknownField, "\(field) of a \(name) is no text that merges")
        }
        return field
    }

    /// The text at a version, nil for the present one.
    func text(at version: String?) throws -> StoredText {
        guard let version else {
            let version = try TextVersions.text(rows?.version ?? [], space: space.id, db)
            return stored(DisplayedText(of: rows?.utf8 ?? []), version)
        }
        let merged = try merged()
        let wanted = try versions(merged).version(version)
        return stored(
            DisplayedText(of: try kept(merged, at: wanted)),
            try TextVersions.text(minimal(wanted, merged), space: space.id, db))
    }

    private func stored(_ text: DisplayedText, _ version: String) -> StoredText {
        StoredText(
            record: record, field: field, version: version, text: text.string, hash: text.hash,
            scalars: text.scalars)
    }

    private func merged() throws -> MergedText {
        try rows?.merged(record: row, field: field, db).text ?? MergedText()
    }

    private func versions(_ merged: MergedText) -> TextVersions {
        TextVersions(db: db, record: row, space: space.id, history: merged.history)
    }

    private func kept(_ merged: MergedText, at version: [TextEditID]) throws -> [UInt8] {
        do {
            return try merged.text(at: version).utf8
        } catch {
            throw damaged("a text cannot be read at a version that is held: \(error)")
        }
    }

    private func minimal(_ version: [TextEditID], _ merged: MergedText) throws -> [TextEditID] {
        do {
            return try merged.history.minimal(version)
        } catch {
            throw damaged("a version of a text cannot be read that is held: \(error)")
        }
    }

    // MARK: History

    /// Who wrote what of a version, nil for the present one, and the edits that it contains.
    func history(at version: String?) throws -> StoredTextHistory {
        let merged = try merged()
        let wanted = try version.map { try versions(merged).version($0) } ?? merged.version
        var contained: Set<TextEditID> = []
        let passages: [TextPassage]
        do {
            contained = Set(try merged.history.edits(of: wanted))
            passages = try merged.passages(at: wanted)
        } catch {
            throw damaged("a version of a text cannot be read that is held: \(error)")
        }
        var edits: [StoredTextHistory.Edit] = []
        var changes: [TextEditID: StoredTextHistory.Edit] = [:]
        try forEachChange(merged.history, of: contained) { id, edit in
            edits.append(edit)
            changes[id] = edit
        }
        return StoredTextHistory(
            record: record, field: field,
            version: try TextVersions.text(minimal(wanted, merged), space: space.id, db),
            passages: try parts(passages, of: try kept(merged, at: wanted), changes), edits: edits)
    }

    /// The passages with their characters, without what was erased.
    private func parts(
        _ passages: [TextPassage], of kept: [UInt8], _ changes: [TextEditID: StoredTextHistory.Edit]
    ) throws -> [StoredTextHistory.Passage] {
        let text = TextBuffer(utf8: kept)
        var parts: [StoredTextHistory.Passage] = []
        var place = 0
        for passage in passages {
            let shown = DisplayedText(of: text.utf8(place..<place + passage.scalars))
            place += passage.scalars
            guard let edit = changes[passage.edit] else { throw damaged("an edit of a text is missing") }
            guard !shown.utf8.isEmpty else { continue }
            parts.append(
                StoredTextHistory.Passage(
                    text: shown.string, scalars: shown.scalars, version: edit.version, dot: edit.dot,
                    author: edit.author))
        }
        return parts
    }

    /// Calls `body` with each of these edits, in the order in which they came here.
    private func forEachChange(
        _ history: TextHistory, of contained: Set<TextEditID>,
        _ body: (TextEditID, StoredTextHistory.Edit) throws -> Void
    ) throws {
        var isInert: [TextEditID: Bool] = [:]
        history.forEachEdit { id, _, inert in isInert[id] = inert }
        // Of the edits so far, those that no other follows. Whoever names all of them has seen all.
        var frontier: Set<TextEditID> = []
        let sql = """
            SELECT chain.name, log.sequence, log.hash, chain.replica, party.code, chain.node_name, log.bytes
            FROM touch JOIN chain ON chain.id = touch.chain JOIN party ON party.id = chain.party
            JOIN log ON log.chain = touch.chain AND log.sequence = touch.sequence
            WHERE touch.record = ? ORDER BY log.position
            """
        let found = try Row.fetchCursor(db, sql: sql, arguments: [row])
        while let found = try found.next() {
            let id = TextEditID(Dot(try found.replica(0), found.unsigned(1)))
            guard contained.contains(id), let inert = isInert[id] else { continue }
            let change = try Change(encoded: found.bytes(6))
            guard let edit = change.edit(of: field, on: record) else {
                throw damaged("a change is no edit that is said to be one")
            }
            let runs = edit.runs
            let parents = edit.parents.map(TextEditID.init)
            let isConcurrent = !frontier.isSubset(of: parents)
            frontier.subtract(parents)
            frontier.insert(id)
            try body(
                id,
                StoredTextHistory.Edit(
                    version: TextVersions.digits(of: try found.digest(2)),
                    dot: Dot(try found.replica(3), found.unsigned(1)),
                    author: StoredTextHistory.Author(
                        member: found[4], node: found[5], label: change.authorLabel.string,
                        at: change.timestamp),
                    inserted: Int(clamping: runs.reduce(0) { $0 + $1.inserted }),
                    deleted: Int(clamping: runs.reduce(0) { $0 + $1.deleted }),
                    isConcurrent: isConcurrent, isInert: inert && !runs.isEmpty,
                    isErased: edit.inserted == nil))
        }
    }
}

extension Change {
    /// The edit of a record's text that the change makes; nil if there is none.
    func edit(of field: UTF8Text, on record: RecordID) -> EditOperation? {
        let entry = entries.first { $0.record == record }
        return entry?.operations.lazy.compactMap { EditOperation($0) }.first { $0.field == field }
    }
}
