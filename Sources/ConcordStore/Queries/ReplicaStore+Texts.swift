// Texts that merge: as they are, as they were, and who wrote them. What is found damaged is made anew from the log, and
// then read.

import ConcordModel
import GRDB

extension ReplicaStore {
    /// A record's text; of a deleted record, too.
    ///
    /// - Parameters:
    ///   - field: nil for the text of the record's kind.
    ///   - version: nil for the present one; the beginnings of hashes, with at least four digits each, will do.
    /// - Throws: ``ConcordError`` E-1004 if the record is not held, E-1002 if it has no such text, E-1020 if the text has
    ///   no such version here, E-1005 if several begin so.
    public func text(
        _ record: RecordID, field: UTF8Text? = nil, space: SpaceID, at version: String? = nil
    ) throws -> StoredText {
        try read(record, field, space) { try $0.text(at: version) }
    }

    /// Who wrote what of a record's text, and all its edits; throws as ``text(_:field:space:at:)``.
    public func textHistory(
        _ record: RecordID, field: UTF8Text? = nil, space: SpaceID, at version: String? = nil
    ) throws -> StoredTextHistory {
        try read(record, field, space) { try $0.history(at: version) }
    }

    private func read<Answer>(
        _ record: RecordID, _ field: UTF8Text?, _ space: SpaceID, _ body: (TextReader) throws -> Answer
    ) throws -> Answer {
        func attempt() throws -> Answer {
            let held = try writer.space(space)
            return try pool.read { try body(TextReader(record, field: field, space: held, $0)) }
        }
        return try mappingErrors {
            do {
                return try attempt()
            } catch let damage as TextDamage {
                guard !writer.isReadOnly else { throw damaged(damage.reason) }
                try writer.repairTexts(of: record, in: space)
                do {
                    return try attempt()
                } catch let damage as TextDamage {
                    throw damaged(damage.reason)
                }
            } catch {
                writer.gate.noteRead(error)
                throw error
            }
        }
    }
}

extension StoreWriter {
    /// Makes the texts of a record anew that are damaged. Waits for the writer.
    fileprivate func repairTexts(of record: RecordID, in space: SpaceID) throws {
        try pool.writeWithoutTransaction { db in
            let memory = memory(on: db)
            try transaction(db, memory) {
                let batch = try Batch(db, memory, try memory.space(space, db))
                try batch.repairTexts(of: record)
                try batch.flush()
                return []
            }
        }
    }
}
