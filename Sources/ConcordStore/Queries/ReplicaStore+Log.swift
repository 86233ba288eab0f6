// The log as people read it: who did what, when, and whether the rules let it take effect.

import ConcordAPI
import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// The changes that a query asks for, the latest arrival first.
    public func log(_ query: LogQuery) throws -> [LogDocument] {
        var terms: [String] = []
        var arguments: StatementArguments = []
        if let space = query.space {
            terms.append("chain.space = ?")
            arguments += [try writer.space(space).id]
        }
        if let member = query.member {
            terms.append("party.code = ?")
            arguments += [member]
        }
        if let since = query.since {
            terms.append("log.at >= ?")
            arguments += [since]
        }
        if let record = query.record {
            terms.append(
                """
                EXISTS (SELECT 1 FROM touch JOIN record ON record.id = touch.record WHERE record.uid = ?
                    AND touch.chain = log.chain AND touch.sequence = log.sequence)
                """)
            arguments += [record.data]
        }
        let sql = """
            SELECT chain.replica, log.sequence, log.hash, space.uid, party.code, chain.node_name,
                chain.effective, log.role, log.bytes, chain.space, party.member, log.chain
            FROM log JOIN chain ON chain.id = log.chain JOIN party ON party.id = chain.party
            JOIN space ON space.id = chain.space
            WHERE \(terms.isEmpty ? "1" : terms.joined(separator: " AND "))
            ORDER BY log.position DESC LIMIT \(max(0, query.limit))
            """
        return try read { reader in
            try Row.fetchAll(reader.db, sql: sql, arguments: arguments).map {
                try Self.document($0, reader.db)
            }
        }
    }

    private static func document(_ row: Row, _ db: Database) throws -> LogDocument {
        let dot = Dot(try row.replica(0), row.unsigned(1))
        let change = try Change(encoded: row.bytes(8))
        let role: Int64? = row[7]
        let isEffective = dot.sequence <= row.unsigned(6)
        var operations: [LogDocument.Operation] = []
        for entry in change.entries {
            let target = try entry.record.flatMap { try LogTarget($0, in: row, db) }
            let judge = LogJudge(
                member: row.bytes(10), isMember: role == 0 && isEffective, target: target)
            for operation in entry.operations {
                operations.append(operation.document(record: entry.record, judge: judge))
            }
        }
        return LogDocument(
            dot: dot.description, hash: try row.digest(2).description, space: try row.digest(3).description,
            member: row[4], node: row[5], author: change.authorLabel.string,
            at: Timestamp.text(milliseconds: change.timestamp), effective: isEffective, operations: operations
        )
    }
}

/// The record of an entry, as far as the judgement of its operations needs it.
private struct LogTarget {
    let row: Int64
    let kind: UTF8Text
    let owner: [UInt8]
    /// Whether the change had effect on it.
    let isTouched: Bool
    /// Whether the change's edit of its text reaches beyond the text, and is without effect.
    let isInert: Bool

    /// Nil if no such record has effect.
    ///
    /// - Parameter change: a row of ``ReplicaStore/log(_:)``.
    init?(_ record: RecordID, in change: Row, _ db: Database) throws {
        let found = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT record.id, record.kind, party.member
                    FROM record JOIN party ON party.id = record.owner
                    WHERE record.uid = ? AND record.space = ?
                    """), arguments: [record.data, change[9] as Int64])
        guard let found else { return nil }
        row = found[0]
        kind = UTF8Text(found[1])
        owner = found.bytes(2)
        let sql = """
            SELECT EXISTS (SELECT 1 FROM touch WHERE record = ?1 AND chain = ?3 AND sequence = ?4),
            EXISTS (SELECT 1 FROM refused WHERE chain = ?3 AND sequence = ?4 AND record = ?2
                AND reason = '\(Batch.Refusal.beyondTheText.rawValue)')
            """
        let effect = try Row.fetchOne(
            db.cachedStatement(sql: sql),
            arguments: [row, record.data, change[11] as Int64, change[1] as Int64])
        (isTouched, isInert) = (effect?[0] ?? false, effect?[1] ?? false)
    }
}

/// Says which operations of an entry had effect.
private struct LogJudge {
    let member: [UInt8]
    let isMember: Bool
    let target: LogTarget?

    /// A change that had effect on a record stands in the index of touches.
    var allowsOnRecord: Bool { isMember && target?.isTouched == true }
}

extension ConcordModel.Operation {
    fileprivate func document(record: RecordID?, judge: LogJudge) -> LogDocument.Operation {
        func made(_ word: String, _ field: UTF8Text? = nil, _ value: Value? = nil, allowed: Bool? = nil)
            -> LogDocument.Operation
        {
            LogDocument.Operation(
                operation: word, record: record?.description, kind: judge.target?.kind.string,
                field: field?.string, value: value?.json, allowed: allowed ?? judge.allowsOnRecord)
        }
        switch self {
        case .create(let kind, _):
            return LogDocument.Operation(
                operation: "create", record: record?.description, kind: kind.string, field: nil, value: nil,
                allowed: judge.allowsOnRecord)
        case .set(let field, let value, _): return made("set", field, value)
        case .add(let field, let value, _): return made("add", field, value)
        case .remove(let field, let value, _): return made("remove", field, value)
        case .edit(let field, _, _, let inserted):
            return made(
                "edit", field, inserted.map(Value.text) ?? .erased,
                allowed: judge.allowsOnRecord && judge.target?.isInert == false)
        case .delete: return made("delete")
        case .restore: return made("restore")
        case .act: return made("act", allowed: judge.isMember)
        case .bind: return made("bind", allowed: true)
        case .erase(_, let reason): return made("erase", nil, .text(reason), allowed: judge.isMember)
        case .unknown: return made("unknown", allowed: false)
        }
    }
}
