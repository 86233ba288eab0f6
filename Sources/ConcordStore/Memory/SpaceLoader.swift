// Reads the writer's memory of a space from the tables.

import CBOR
import ConcordCrypto
import ConcordModel
import GRDB

/// Reads a space.
struct SpaceLoader {
    let db: Database

    /// The space with its chains, epochs, endorsements and roster.
    func load(_ space: SpaceID) throws -> SpaceMemory {
        let row = try Row.fetchOne(
            db, sql: "SELECT id, charter, inviter, terms FROM space WHERE uid = ?",
            arguments: [space.digest.data])
        guard let row else { throw ConcordError(.unknownSpace, "no space \(space) is held here") }
        let id: Int64 = row[0]
        let charter = try SignedCharter(encoded: row.bytes(1))
        let memory = SpaceMemory(
            id: id, charter: charter, inviter: row.optionalBytes(2),
            authorities: try Self.authorities(id, charter.charter, db), terms: DigestSum(try row.digest(3)))
        try loadChains(into: memory)
        try loadEpochs(into: memory)
        try loadEndorsements(into: memory)
        try loadProvisional(into: memory)
        memory.roster = memory.roster(isEffective: memory.isEffective)
        memory.cutOffs = CutOffs(roster: memory.roster, restrictions: memory.restrictions)
        return memory
    }

    /// The authority certificates of each member that are known for a space: whoever has such a key vouches for the
    /// member's nodes.
    static func authorities(
        _ space: Int64, _ charter: Charter, _ db: Database
    ) throws -> [MemberID: [Certificate]] {
        var authorities: [MemberID: [Certificate]] = [:]
        for founder in charter.founders {
            authorities[founder.id] = [try Certificate(der: founder.certificate)]
        }
        let sql = "SELECT member, certificate FROM authority WHERE space = ? ORDER BY member, key"
        for row in try Row.fetchAll(db, sql: sql, arguments: [space]) {
            let certificate = try Certificate(der: row.bytes(1))
            let member = MemberID(try row.digest(0))
            guard authorities[member]?.contains(where: { $0.publicKey == certificate.publicKey }) != true
            else {
                continue
            }
            authorities[member, default: []].append(certificate)
        }
        return authorities
    }

    private func loadChains(into memory: SpaceMemory) throws {
        let sql = """
            SELECT chain.id, chain.name, replica, start, parent, party, member, certificate, node_name, certified, own,
                sequence, hash, effective, epoch, issuer
            FROM chain JOIN party ON party.id = chain.party WHERE space = ? ORDER BY chain.id
            """
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            let certificate = try Certificate(der: row.bytes(7))
            memory.add(
                Chain(
                    Chain.Identity(
                        id: row[0], name: try row.replica(1), replica: try row.replica(2),
                        start: row.unsigned(3),
                        parent: row.optionalBytes(4).flatMap { ReplicaID(bytes: $0) }, party: row[5],
                        member: MemberID(try row.digest(6)), node: NodeID(certificate: certificate),
                        nodeName: row[8], key: certificate.publicKey, issuer: try row.digest(15)),
                    isCertified: row[9],
                    isOwn: row[10],
                    sequence: row.unsigned(11), hash: try row.digest(12), effective: row.unsigned(13),
                    epoch: row[14], known: nil))
        }
        let sequel = """
            SELECT MAX(position) FROM log JOIN chain ON chain.id = log.chain AND log.sequence = chain.sequence
            WHERE space = ?
            """
        memory.position = try Int64.fetchOne(db, sql: sequel, arguments: [memory.id]) ?? 0
    }

    private func loadEpochs(into memory: SpaceMemory) throws {
        let sql = "SELECT id, carriers FROM epoch WHERE space = ? ORDER BY id"
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            guard row[0] == memory.epochs.count else { throw damaged("an epoch is missing") }
            var reader = CBORReader(row.bytes(1))
            memory.addStored(epoch: try reader.dots(upTo: Int.max))
        }
    }

    private func loadEndorsements(into memory: SpaceMemory) throws {
        let sql = """
            SELECT endorsement.chain, endorsement.sequence, signer, act FROM endorsement
            JOIN chain ON chain.id = endorsement.chain WHERE space = ? ORDER BY 1, 2, number
            """
        var found: [Dot: [Endorsement]] = [:]
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            guard let place = memory.place(row: row[0]) else { throw damaged("an act has no chain") }
            let act = row.bytes(3)
            let endorsement = Endorsement(
                signer: MemberID(try row.digest(2)), hash: SHA256.hash(act), act: try Act(encoded: act))
            found[Dot(memory.chains[place].name, row.unsigned(1)), default: []].append(endorsement)
        }
        for (dot, valid) in found.sorted(by: { $0.key < $1.key }) { memory.add(valid, of: dot) }
    }

    private func loadProvisional(into memory: SpaceMemory) throws {
        let sql = """
            SELECT chain.name, MIN(erased.sequence) FROM erased JOIN chain ON chain.id = erased.chain
            WHERE NOT ordered AND space = ? GROUP BY chain.id
            """
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            memory.provisional[try row.replica(0)] = row.unsigned(1)
        }
    }
}
