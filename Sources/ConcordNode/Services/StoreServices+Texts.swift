// Texts that merge, over the replica. A text is written whole and recorded as its difference from the version that its
// writer saw; what others wrote meanwhile stays.

import ConcordAPI
import ConcordModel
import ConcordStore
import ConcordText

extension StoreServices {
    public func text(_ id: String, at version: String?) async throws -> TextDocument {
        let named = try Named(try store.record(idPrefix: id))
        let current = try store.text(named.id, space: named.space)
        let text = try version.map { try store.text(named.id, space: named.space, at: $0) } ?? current
        return TextDocument(
            id: named.id.description, space: named.space.description, field: text.field.string,
            version: text.version, text: text.text, scalars: Int64(text.scalars),
            sha256: text.hash.description, isCurrent: text.version == current.version)
    }

    public func writeText(
        _ id: String, _ text: String, base: String?, author: String
    ) async throws -> TextWrittenDocument {
        let record = try store.record(idPrefix: id)
        let named = try Named(record)
        let before = try store.text(named.id, space: named.space)
        let seen = try base.map { try store.text(named.id, space: named.space, at: $0) } ?? before
        let written = try await write(text, of: named, over: seen, author: author)
        let after = try store.text(named.id, space: named.space)
        var (inserted, deleted): (UInt64, UInt64) = (0, 0)
        if written != nil {
            for run in TextDifference.runs(from: Array(seen.text.utf8), to: Array(text.utf8)).runs {
                inserted += run.inserted
                deleted += run.deleted
            }
        }
        return TextWrittenDocument(
            id: record.id, space: record.space, title: record.title, field: seen.field.string,
            base: seen.version, before: before.version, version: after.version, changed: written != nil,
            // What was written alone is the newest unless there are edits that its writer had not seen.
            merged: written.map { !$0.hash.description.hasPrefix(after.version) } ?? false,
            inserted: Int64(inserted), deleted: Int64(deleted), scalars: Int64(after.scalars),
            sha256: after.hash.description)
    }

    /// Writes a text over a version; nil if it is that version's text, so that there is nothing to write.
    private func write(
        _ text: String, of record: Named, over base: StoredText, author: String
    ) async throws -> WrittenChange? {
        let edit = RecordEdit.write(
            record.id, field: base.field, text: UTF8Text(text), base: base.version)
        do {
            return try await write([edit], in: record.space, author: author)
        } catch let error as ConcordError where error.code == .textUnchanged {
            return nil
        }
    }

    public func textHistory(_ id: String, at version: String?) async throws -> TextHistoryDocument {
        let named = try Named(try store.record(idPrefix: id))
        let history = try store.textHistory(named.id, space: named.space, at: version)
        var position: Int64 = 0
        let passages = history.passages.map { passage in
            defer { position += Int64(passage.scalars) }
            return TextHistoryDocument.Passage(
                position: position, scalars: Int64(passage.scalars), text: passage.text,
                by: .init(passage.dot, passage.author))
        }
        let edits = history.edits.map { edit in
            TextHistoryDocument.Edit(
                version: edit.version, by: .init(edit.dot, edit.author), inserted: Int64(edit.inserted),
                deleted: Int64(edit.deleted), isConcurrent: edit.isConcurrent, isInert: edit.isInert,
                isErased: edit.isErased)
        }
        return TextHistoryDocument(
            id: named.id.description, space: named.space.description, field: history.field.string,
            version: history.version, passages: passages, edits: edits.reversed())
    }

    /// The texts that a record shows, without the texts; none for a record of a kind that has none.
    func texts(of record: RecordDocument) throws -> [TextSummaryDocument] {
        guard try Self.kind(UTF8Text(record.kind)).textField != nil else { return [] }
        let named = try Named(record)
        let text = try store.text(named.id, space: named.space)
        return [
            TextSummaryDocument(
                field: text.field.string, version: text.version, scalars: Int64(text.scalars),
                sha256: text.hash.description)
        ]
    }
}

extension TextHistoryDocument.Origin {
    fileprivate init(_ dot: Dot, _ author: StoredTextHistory.Author) {
        self.init(
            dot: dot.description, member: author.member, node: author.node, author: author.label,
            at: Timestamp.text(milliseconds: author.at))
    }
}
