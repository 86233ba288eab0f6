// What written procedure needs to know of the log: who signed which act in which change, on which changes others
// built, and which operations the rules refused.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import GRDB

/// A valid endorsement, and the change that carries it.
public struct CarriedEndorsement: Hashable, Sendable {
    /// Who signed what.
    public let endorsement: Endorsement
    /// The change that carries the signature.
    public let carrier: Dot
    /// That change's time, in milliseconds since 1970 by its author's clock.
    public let at: Int64
    /// Whether the carrier has effect; restrictions count all the same (rule C).
    public let isEffective: Bool

    /// An endorsement in a change.
    public init(endorsement: Endorsement, carrier: Dot, at: Int64, isEffective: Bool) {
        self.endorsement = endorsement
        self.carrier = carrier
        self.at = at
        self.isEffective = isEffective
    }
}

extension ReplicaStore {
    /// The valid endorsements that are held of a space, in the order of the log. O(endorsements).
    public func endorsements(_ space: SpaceID) throws -> [CarriedEndorsement] {
        let held = try writer.space(space)
        let sql = """
            SELECT chain.replica, log.sequence, endorsement.signer, endorsement.act, log.at,
                log.sequence <= chain.effective
            FROM endorsement JOIN chain ON chain.id = endorsement.chain
            JOIN log ON log.chain = endorsement.chain AND log.sequence = endorsement.sequence
            WHERE chain.space = ? ORDER BY log.position, endorsement.number
            """
        return try read { reader in
            try Row.fetchAll(reader.db, sql: sql, arguments: [held.id]).map { row in
                let act = row.bytes(3)
                return CarriedEndorsement(
                    endorsement: Endorsement(
                        signer: MemberID(try row.digest(2)), hash: SHA256.hash(act),
                        act: try Act(encoded: act)),
                    carrier: Dot(try row.replica(0), row.unsigned(1)), at: row[4], isEffective: row[5])
            }
        }
    }

    /// The last change of each replica on which an effective change of another member builds. What others built on
    /// stays in effect whatever a cut-off says (rule C).
    public func builtUpon(_ space: SpaceID) throws -> [ReplicaID: UInt64] {
        let held = try writer.space(space)
        let sql = """
            SELECT subject.replica, MAX(knowledge.known) FROM knowledge
            JOIN chain AS subject ON subject.id = knowledge.other
            JOIN chain AS reader ON reader.id = knowledge.chain
            WHERE subject.space = ? AND reader.party <> subject.party AND knowledge.sequence <= reader.effective
            GROUP BY subject.replica
            """
        return try read { reader in
            let rows = try Row.fetchAll(reader.db, sql: sql, arguments: [held.id])
            return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.replica(0), $0.unsigned(1)) })
        }
    }

    /// Operations of effective changes that the rules refused, the latest arrival first.
    public func refused(space: SpaceID? = nil, limit: Int) throws -> [RefusedDocument] {
        let held = try space.map { try writer.space($0).id }
        let sql = """
            SELECT space.uid, chain.replica, log.sequence, party.code, chain.node_name, chain.own, log.at,
                log.bytes, refused.entry, refused.record, refused.reason
            FROM refused JOIN chain ON chain.id = refused.chain JOIN party ON party.id = chain.party
            JOIN space ON space.id = chain.space
            JOIN log ON log.chain = refused.chain AND log.sequence = refused.sequence
            WHERE chain.space = ?1 OR ?1 IS NULL
            ORDER BY log.position DESC, refused.entry LIMIT \(max(0, limit))
            """
        return try read { reader in
            try Row.fetchAll(reader.db, sql: sql, arguments: [held]).map { try Self.refused($0) }
        }
    }

    /// The latest time among the changes that arrived last, and whose change it is; nil if there is none.
    public func latestTime(of changes: Int) throws -> (at: Int64, member: String, node: String)? {
        let sql = """
            SELECT recent.at, party.code, chain.node_name
            FROM (SELECT at, chain FROM log ORDER BY position DESC LIMIT \(max(0, changes))) AS recent
            JOIN chain ON chain.id = recent.chain JOIN party ON party.id = chain.party
            ORDER BY recent.at DESC LIMIT 1
            """
        return try read { reader in
            try Row.fetchOne(reader.db, sql: sql).map { (at: $0[0], member: $0[1], node: $0[2]) }
        }
    }

    private static func refused(_ row: Row) throws -> RefusedDocument {
        let change = try Change(encoded: row.bytes(7))
        let entry: Int = row[8]
        let operations = change.entries.indices.contains(entry) ? change.entries[entry].operations : []
        var words: [String] = []
        for word in operations.map(\.word) where !words.contains(word) { words.append(word) }
        return RefusedDocument(
            space: try row.digest(0).description, dot: Dot(try row.replica(1), row.unsigned(2)).description,
            member: row[3], node: row[4], own: row[5], author: change.authorLabel.string,
            at: Timestamp.text(milliseconds: row[6]), record: try row.record(9).description,
            operations: words, reason: sentence(of: row[10]))
    }

    private static func sentence(of reason: String) -> String {
        switch reason {
        case "record": "the record, or the one above it, was not known to the author"
        case "owner": "the record belongs to another member"
        case "kind": "the kind of record is not known to this version"
        case "standing": "the author was no member in standing"
        case "text": "the edit reaches beyond the text as its author had it"
        default: reason
        }
    }
}

extension ConcordModel.Operation {
    /// The word by which the log names it.
    fileprivate var word: String {
        switch self {
        case .create: "create"
        case .set: "set"
        case .add: "add"
        case .remove: "remove"
        case .edit: "edit"
        case .delete: "delete"
        case .restore: "restore"
        case .act: "act"
        case .bind: "bind"
        case .erase: "erase"
        case .unknown: "unknown"
        }
    }
}
