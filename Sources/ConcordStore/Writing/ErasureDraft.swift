// What a member has erased of a record: all values of it that stand in changes of the member's own nodes, or of those
// whose records it took over, whether they had effect or not. Deleted records too: there it matters most.

import ConcordCrypto
import ConcordModel
import GRDB

/// Finds what is to be erased.
struct ErasureDraft {
    let batch: Batch
    /// The member that has it erased.
    let member: MemberID

    /// The operations that erase what the member wrote to a record.
    ///
    /// - Throws: ``ConcordError`` E-1004 if nothing is held of the record, E-1008 if nothing is left that this member
    ///   wrote, E-3002 if the reason is too long.
    func operations(on record: RecordID, reason: UTF8Text) throws -> [Operation] {
        guard reason.byteCount <= Limits.reasonBytes else {
            throw ConcordError(.limitExceeded, "a reason has at most \(Limits.reasonBytes) bytes")
        }
        let written = try changes(on: record)
        guard !written.isEmpty else {
            throw ConcordError(.unknownRecord, "there is no record \(record) in this space")
        }
        let dots = try written.filter { try isOurs($0) && hasValues($0, record) }.sorted()
        guard !dots.isEmpty else {
            throw ConcordError(
                .notTheOwner, "nothing is left of record \(record) that this member wrote",
                action: "ask the members that wrote to it")
        }
        return stride(from: 0, to: dots.count, by: Limits.namedDots).map { start in
            .erase(changes: Array(dots[start..<min(start + Limits.namedDots, dots.count)]), reason: reason)
        }
    }

    /// The effective changes with an entry on the record, by the names of chains, also those whose entry was refused.
    private func changes(on record: RecordID) throws -> [Dot] {
        let sql = """
            SELECT touch.chain, sequence FROM touch JOIN record ON record.id = touch.record
            WHERE record.uid = ? AND record.space = ?
            UNION SELECT chain, sequence FROM refused WHERE record = ?
            """
        let rows = try Row.fetchAll(
            batch.db, sql: sql, arguments: [record.data, batch.space.id, record.data])
        return rows.compactMap { row in
            batch.space.place(row: row[0]).map { Dot(batch.space.chains[$0].name, row.unsigned(1)) }
        }
    }

    private func isOurs(_ dot: Dot) -> Bool {
        guard let writer = batch.space.chain(dot.replica)?.member else { return false }
        return batch.space.roster.owns(member, recordsOf: writer)
    }

    private func hasValues(_ dot: Dot, _ record: RecordID) throws -> Bool {
        guard let chain = batch.space.chain(dot.replica) else { return false }
        let sql = "SELECT bytes FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            batch.db.cachedStatement(sql: sql), arguments: [chain.id, dot.sequence.stored])
        guard let row else { throw damaged("change \(dot) is missing from the log") }
        return !(try Change(encoded: row.bytes(0))).erasableEntries(on: [record]).isEmpty
    }
}
