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
    /// - Throws: ``ConcordError`` E-4009 if the space is held already.
    @discardableResult
    public func addSpace(
        _ charter: SignedCharter, inviterAuthority: [UInt8]? = nil
    ) async throws -> SpaceID {
        let id = charter.charter.space
        if let inviterAuthority {
            _ = try MemberStatement(authority: try Certificate(der: inviterAuthority))
        }
        try await writer.run { [writer] db, memory in
            let sql = "SELECT 1 FROM space WHERE uid = ?"
            guard try Int.fetchOne(db, sql: sql, arguments: [id.digest.data]) == nil else {
                throw ConcordError(.spaceExists, "the space \(charter.charter.name) is held already")
            }
            try writer.transaction(db, memory) {
                try Self.insert(charter, inviterAuthority, db)
                let held = try memory.space(id, db)
                try StandingTable.write(held.roster, space: held, db)
                return [held]
            }
        }
        return id
    }

    private static func insert(
        _ charter: SignedCharter, _ inviter: [UInt8]?, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO space (uid, name, charter, inviter, vocabulary, terms)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                charter.charter.space.digest.data, charter.charter.name.string, Data(charter.encoded),
                inviter.map { Data($0) }, Vocabulary.level.stored, DigestSum().digest.data,
            ])
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
                try space.inviter.map { try Self.authority(try Certificate(der: $0), space.space) }
            })
    }

    /// How much a space holds.
    public func counts(_ space: SpaceID) throws -> SpaceCounts {
        let held = try writer.space(space)
        return try reading { db in
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

    /// The roster of the effective changes that are held.
    public func roster(_ space: SpaceID) throws -> Roster { try writer.space(space).roster }

    /// The chains of a space, ascending by name.
    public func nodes(_ space: SpaceID) throws -> [KnownReplica] {
        let held = try writer.space(space)
        return held.chains.map { chain in
            let code =
                held.roster.entry(chain.member)?.statement.code.string
                ?? held.authorities[chain.member]?.first?.subject.memberCode ?? "?"
            return KnownReplica(
                replica: chain.replica, chain: chain.name, start: chain.start, member: chain.member,
                code: code,
                node: chain.node, nodeName: chain.nodeName, sequence: chain.sequence,
                effective: chain.effective, isOwn: chain.isOwn,
                forkedAt: held.forks[chain.replica],
                isVouchedFor: held.roster.entry(chain.member)?.hadAuthority(chain.issuer) ?? false,
                isRevoked: held.roster.isRevoked(chain.node, of: chain.member),
                cutOff: held.cutOffs.cutOff(of: chain.replica, node: chain.node, member: chain.member))
        }
    }

    /// This database's own replica in a space; nil before its first change there.
    public func ownHead(_ space: SpaceID) throws -> OwnHead? {
        try writer.space(space).ownChain.map {
            OwnHead(replica: $0.replica, sequence: $0.sequence, hash: $0.hash)
        }
    }

    /// Marks what ``trustedAuthorities()`` follows from. Cheap, unlike that.
    public var standing: Standing { Standing(marks: writer.spaces().map(\.standing)) }

    /// The members whose nodes may connect, ascending: whoever stands on the roster of a space, and for a joined space
    /// who invited, until the roster names it. Who is suspended everywhere is among them, with no spaces.
    public func trustedAuthorities() throws -> [TrustedAuthority] {
        var found: [MemberID: TrustedAuthority] = [:]
        for space in writer.spaces() {
            for entry in space.roster.entries {
                try mappingErrors { try Self.add(entry, of: space, to: &found) }
            }
            guard let inviter = space.inviter else { continue }
            let authority = try mappingErrors {
                try Self.authority(try Certificate(der: inviter), space.space)
            }
            if found[authority.member] == nil {
                found[authority.member] = authority
            } else if found[authority.member]?.suspendedIn.contains(space.space) == false {
                found[authority.member]?.add(space.space)
            }
        }
        return found.values.sorted { $0.member < $1.member }
    }

    private static func add(
        _ entry: Roster.Entry, of space: PublishedSpace, to found: inout [MemberID: TrustedAuthority]
    ) throws {
        let id = entry.statement.id
        var authority =
            found[id]
            ?? TrustedAuthority(
                member: id, certificate: entry.authorities.first ?? entry.statement.certificate,
                code: entry.statement.code.string, name: entry.statement.name.string, spaces: [])
        if entry.suspensions.isEmpty {
            authority.add(space.space)
        } else {
            authority.suspendedIn = Set(authority.suspendedIn + [space.space]).sorted()
        }
        authority.keys.formUnion(try entry.authorities.map { try Certificate(der: $0).publicKey.fingerprint })
        let former = try entry.formerAuthorities.map { try Certificate(der: $0).publicKey.fingerprint }
        authority.formerKeys.formUnion(former)
        if !former.isEmpty {
            authority.knownNodes.formUnion(
                space.chains.lazy.filter { $0.member == id && entry.hadAuthority($0.issuer) }.map(\.node))
        }
        authority.revokedNodes.formUnion(space.roster.revoked.lazy.filter { $0.member == id }.map(\.node))
        found[id] = authority
    }

    private static func authority(_ certificate: Certificate, _ space: SpaceID) throws -> TrustedAuthority {
        TrustedAuthority(
            member: MemberID(authority: certificate), certificate: certificate.der,
            keys: [certificate.publicKey.fingerprint], code: certificate.subject.memberCode,
            name: certificate.subject.memberName, spaces: [space])
    }
}

extension TrustedAuthority {
    fileprivate mutating func add(_ space: SpaceID) { spaces = Set(spaces + [space]).sorted() }
}
