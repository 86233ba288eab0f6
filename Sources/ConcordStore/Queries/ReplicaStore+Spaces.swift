// Spaces: founded or joined here, and who stands on their rosters.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

extension ReplicaStore {
    /// Adds a space that is founded here, or joined by an invite.
    ///
    /// - Parameters:
    ///   - inviterAuthority: the authority certificate of who invited, in DER; it is trusted until the roster
    ///     that arrives names it.
    ///   - knownAuthorities: certificates of other members, from the invite; they may vouch for chains.
    /// - Throws: ``ConcordError`` E-4009 if the space is held already.
    @discardableResult
    public func addSpace(
        _ charter: SignedCharter, inviterAuthority: [UInt8]? = nil, knownAuthorities: [[UInt8]] = []
    ) async throws -> SpaceID {
        let id = charter.charter.space
        let authorities = try (knownAuthorities + [inviterAuthority].compactMap { $0 }).map {
            try MemberStatement(authority: try Certificate(der: $0))
        }
        try await writer.run { [writer] db, memory in
            let sql = "SELECT 1 FROM space WHERE uid = ?"
            guard try Int.fetchOne(db, sql: sql, arguments: [id.digest.data]) == nil else {
                throw ConcordError(.spaceExists, "the space \(charter.charter.name) is held already")
            }
            try writer.transaction(db, memory) {
                try Self.insert(charter, inviterAuthority, authorities, db)
                let held = try memory.space(id, db)
                try StandingTable.write(held.roster, space: held, db)
                return [held]
            }
        }
        return id
    }

    private static func insert(
        _ charter: SignedCharter, _ inviter: [UInt8]?, _ authorities: [MemberStatement], _ db: Database
    ) throws {
        try db.execute(
            sql: "INSERT INTO space (uid, name, charter, inviter, vocabulary) VALUES (?, ?, ?, ?, ?)",
            arguments: [
                charter.charter.space.digest.data, charter.charter.name.string, Data(charter.encoded),
                inviter.map { Data($0) }, Vocabulary.level.stored,
            ])
        let space = db.lastInsertedRowID
        for statement in authorities {
            try db.execute(
                sql: "INSERT OR IGNORE INTO authority VALUES (?, ?, ?)",
                arguments: [space, statement.id.digest.data, Data(statement.certificate)])
        }
    }

    /// The spaces that are held, in the order in which they came.
    public func spaces() throws -> [StoredSpace] {
        try writer.spaces().map { try describe($0) }
    }

    /// One space.
    ///
    /// - Throws: ``ConcordError`` E-4001 if it is not held.
    public func space(_ id: SpaceID) throws -> StoredSpace { try describe(try writer.space(id)) }

    private func describe(_ space: PublishedSpace) throws -> StoredSpace {
        StoredSpace(
            id: space.space, charter: space.charter, name: space.charter.charter.name.string,
            ownReplica: space.ownChain?.replica, changes: space.changes, position: space.position,
            inviter: try mappingErrors {
                try space.inviter.map { try Self.authority(try Certificate(der: $0), [space.space]) }
            })
    }

    /// How much a space holds.
    public func counts(_ space: SpaceID) throws -> SpaceCounts {
        let held = try writer.space(space)
        return try mappingErrors {
            try pool.read { db in
                var kinds: [String: Int64] = [:]
                let sql = "SELECT kind, COUNT(*) FROM record WHERE space = ? AND shown GROUP BY kind"
                for row in try Row.fetchAll(db, sql: sql, arguments: [held.id]) { kinds[row[0]] = row[1] }
                let conflicts = try Int64.fetchOne(
                    db,
                    sql:
                        """
                        SELECT COUNT(*) FROM record
                        WHERE space = ? AND shown AND (conflicts > 0 OR flagged)
                        """,
                    arguments: [held.id])
                return SpaceCounts(
                    changes: held.changes, records: kinds.values.reduce(0, +), conflicts: conflicts ?? 0,
                    kinds: kinds)
            }
        }
    }

    /// The roster of the effective changes that are held.
    public func roster(_ space: SpaceID) throws -> Roster { try writer.space(space).roster }

    /// The chains of a space, ascending by replica.
    public func nodes(_ space: SpaceID) throws -> [KnownReplica] {
        let held = try writer.space(space)
        return held.chains.map { chain in
            let code =
                held.roster.entry(chain.member)?.statement.code.string
                ?? held.authorities[chain.member]?.subject.memberCode ?? "?"
            return KnownReplica(
                replica: chain.replica, member: chain.member, code: code, node: chain.node,
                nodeName: chain.nodeName, sequence: chain.sequence, effective: chain.effective,
                isOwn: chain.isOwn)
        }
    }

    /// This database's own replica in a space; nil before its first change there.
    public func ownHead(_ space: SpaceID) throws -> OwnHead? {
        try writer.space(space).ownChain.map {
            OwnHead(replica: $0.replica, sequence: $0.sequence, hash: $0.hash)
        }
    }

    /// The authorities whose nodes may connect, ascending by member: whoever stands on the roster of a space,
    /// and for a joined space who invited, until the roster names it.
    public func trustedAuthorities() throws -> [TrustedAuthority] {
        var found: [MemberID: TrustedAuthority] = [:]
        func add(_ new: TrustedAuthority) {
            let spaces = (found[new.member]?.spaces ?? []) + new.spaces
            let first = found[new.member] ?? new
            found[new.member] = TrustedAuthority(
                member: first.member, certificate: first.certificate, code: first.code, name: first.name,
                spaces: Set(spaces).sorted())
        }
        for space in writer.spaces() {
            for entry in space.roster.entries {
                add(
                    TrustedAuthority(
                        member: entry.statement.id, certificate: entry.statement.certificate,
                        code: entry.statement.code.string, name: entry.statement.name.string,
                        spaces: [space.space]))
            }
            if let inviter = space.inviter {
                add(try mappingErrors { try Self.authority(try Certificate(der: inviter), [space.space]) })
            }
        }
        return found.values.sorted { $0.member < $1.member }
    }

    private static func authority(_ certificate: Certificate, _ spaces: [SpaceID]) throws -> TrustedAuthority
    {
        TrustedAuthority(
            member: MemberID(authority: certificate), certificate: certificate.der,
            code: certificate.subject.memberCode, name: certificate.subject.memberName, spaces: spaces)
    }
}
