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
            db, sql: "SELECT id, charter, inviter FROM space WHERE uid = ?", arguments: [space.digest.data])
        guard let row else { throw ConcordError(.unknownSpace, "no space \(space) is held here") }
        let id: Int64 = row[0]
        let charter = try SignedCharter(encoded: row.bytes(1))
        var authorities: [MemberID: Certificate] = [:]
        for founder in charter.charter.founders {
            authorities[founder.id] = try Certificate(der: founder.certificate)
        }
        let sql = "SELECT certificate FROM authority WHERE space = ?"
        for row in try Row.fetchAll(db, sql: sql, arguments: [id]) {
            let certificate = try Certificate(der: row.bytes(0))
            authorities[MemberID(authority: certificate)] = certificate
        }
        let memory = SpaceMemory(
            id: id, charter: charter, inviter: row.optionalBytes(2), authorities: authorities)
        try loadChains(into: memory)
        try loadEpochs(into: memory)
        try loadEndorsements(into: memory)
        try loadBuckets(into: memory)
        memory.roster = memory.effectiveRoster()
        return memory
    }

    private func loadChains(into memory: SpaceMemory) throws {
        let sql = """
            SELECT chain.id, replica, party, member, certificate, node_name, own, sequence, hash, effective,
                epoch FROM chain JOIN party ON party.id = chain.party WHERE space = ? ORDER BY chain.id
            """
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            let certificate = try Certificate(der: row.bytes(4))
            memory.add(
                Chain(
                    id: row[0], replica: try row.replica(1), party: row[2],
                    member: MemberID(try row.digest(3)),
                    node: NodeID(certificate: certificate), nodeName: row[5], key: certificate.publicKey,
                    isOwn: row[6], sequence: row.unsigned(7), hash: try row.digest(8),
                    effective: row.unsigned(9), epoch: row[10], known: nil))
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
        for row in try Row.fetchAll(db, sql: sql, arguments: [memory.id]) {
            guard let place = memory.place(row: row[0]) else { throw damaged("an act has no chain") }
            let act = row.bytes(3)
            let endorsement = Endorsement(
                signer: MemberID(try row.digest(2)), hash: SHA256.hash(act), act: try Act(encoded: act))
            let dot = Dot(memory.chains[place].replica, row.unsigned(1))
            memory.endorsements[dot, default: []].append(endorsement)
        }
    }

    private func loadBuckets(into memory: SpaceMemory) throws {
        let sql = "SELECT bucket FROM bucket WHERE space = ? AND dirty"
        for bucket in try Int.fetchAll(db, sql: sql, arguments: [memory.id]) {
            guard (0..<Buckets.count).contains(bucket) else { throw damaged("there is a bucket too many") }
            _ = memory.buckets.mark(bucket)
        }
    }
}
