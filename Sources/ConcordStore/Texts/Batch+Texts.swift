// Texts in a batch: where they come from, how edits reach them, and what is written back. A stored text that is damaged
// is made anew from the log before anything is done to it.

import ConcordModel
import ConcordText
import GRDB

/// A stored text that was damaged, and was made anew from the log.
public struct TextRepair: Hashable, Sendable {
    /// The space.
    public let space: SpaceID
    /// The record.
    public let record: RecordID
    /// The field.
    public let field: String
    /// What was wrong, as a part of a sentence.
    public let reason: String
}

extension Batch {
    /// The text of a field, as it was before the batch and with what the batch did since.
    func text(_ field: UTF8Text, of work: RecordWork) throws -> TextWork {
        if let known = work.texts[field] { return known }
        let text = try held(field, of: work) ?? TextWork(field)
        work.texts[field] = text
        return text
    }

    /// The text of a field with everything that the batch did to it.
    func settledText(_ field: UTF8Text, of work: RecordWork) throws -> TextWork {
        let text = try text(field, of: work)
        try settle(text, of: work)
        return text
    }

    /// Merges what waits in the record's texts, so that its state says what they are.
    func settleTexts(of work: RecordWork) throws {
        for field in work.texts.keys.sorted() {
            guard let text = work.texts[field] else { continue }
            try settle(text, of: work)
            if text.isStateBehind { tell(text, to: work) }
        }
    }

    /// Takes in an edit that is allowed.
    func edit(_ operation: EditOperation, _ past: CausalPast, entry: Int, of work: RecordWork) throws {
        try text(operation.field, of: work).take(operation, past: past, entry: entry)
    }

    /// Writes the record's texts to the tables.
    func writeTexts(of work: RecordWork) throws {
        if work.textsAreNew || work.stored == nil, work.stored != nil || !work.texts.isEmpty {
            try TextTable.remove(record: work.row, db)
        }
        for field in work.texts.keys.sorted() {
            if let text = work.texts[field], text.isChanged { try text.write(record: work.row, db) }
        }
        work.textsAreNew = false
    }

    private func settle(_ text: TextWork, of work: RecordWork) throws {
        guard let inert = try text.settle() else { return }
        for (dot, entry) in inert {
            guard let author = space.chain(dot.replica) else { preconditionFailure("A chain must be known.") }
            try refuse(dot, entry, work.state.id, author, .beyondTheText)
        }
    }

    /// Has the record's state say what became of the text.
    private func tell(_ text: TextWork, to work: RecordWork) {
        work.state.set(RecordState.Text(field: text.field, of: text.merged.text))
        text.isStateBehind = false
    }

    // MARK: What is stored

    private func held(_ field: UTF8Text, of work: RecordWork) throws -> TextWork? {
        guard work.stored != nil, !work.textsAreNew, let state = work.state.text(field) else { return nil }
        do {
            let rows = try StoredTextRows(record: work.row, state: state, db)
            let (merged, tail) = try rows.merged(record: work.row, field: field, db)
            return TextWork(field, merged, tail: tail, claimed: rows.claimed)
        } catch let damage as TextDamage {
            try repair(work, field, damage.reason)
            return work.texts[field]
        }
    }

    /// Makes the texts of a record anew if one of them is damaged; for somebody who only wanted to read.
    func repairTexts(of record: RecordID) throws {
        guard let work = try work(record) else { return }
        for text in work.state.texts { _ = try self.text(text.field, of: work) }
    }

    /// Makes a text anew from the log. Nothing of the batch has reached it yet.
    private func repair(_ work: RecordWork, _ field: UTF8Text, _ reason: String) throws {
        let text = TextWork(field)
        for (arrival, entry) in try touches(of: work.row, work.state.id) {
            for operation in arrival.change.entries[entry].operations {
                guard let edit = EditOperation(operation.named(in: space)), edit.field == field else {
                    continue
                }
                text.take(edit, past: arrival.past, entry: entry)
            }
        }
        for table in ["text", "text_chunk"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE record = ? AND field = ?",
                arguments: [work.row, field.string])
        }
        work.texts[field] = text
        let before = work.state.text(field)
        try settle(text, of: work)
        tell(text, to: work)
        try text.write(record: work.row, db)
        if work.state.text(field) != before { markChanged(work) }
        try db.execute(
            sql: """
                INSERT INTO meta VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1
                """, arguments: [TextRepair.counter])
        memory.repairs.append(
            TextRepair(space: space.space, record: work.state.id, field: field.string, reason: reason))
    }

    /// The changes that touched a record, in the order of the log, with the place of their entry on it.
    func touches(of row: Int64, _ record: RecordID) throws -> [(arrival: Arrival, entry: Int)] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(Arrival.columns), touch.chain FROM touch
                JOIN log ON log.chain = touch.chain AND log.sequence = touch.sequence
                WHERE touch.record = ? ORDER BY log.position
                """, arguments: [row])
        return try rows.map { row in
            guard let place = space.place(row: row[6]) else { throw damaged("a touch has no chain") }
            let arrival = try arrival(row, space.chains[place])
            guard let entry = arrival.change.entries.firstIndex(where: { $0.record == record }) else {
                throw damaged("a change did not touch what it is said to have touched")
            }
            return (arrival, entry)
        }
    }
}

extension TextRepair {
    /// The row of `meta` that counts repairs.
    static let counter = "text_repairs"
}
