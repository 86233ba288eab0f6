// What one transaction does to one space. Changes are appended to the log and folded into records that are
// loaded once and written once, however many changes of the batch touch them; nothing is written twice and
// nothing is asked of the database that the batch or the writer's memory knows already.
//
// A batch lives inside a transaction. If it throws, the transaction is rolled back and the memory forgotten.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// The work of one transaction on one space.
final class Batch {
    let db: Database
    let memory: StoreMemory
    let space: SpaceMemory
    /// The records that were loaded or created.
    var works: [RecordID: RecordWork] = [:]
    /// The records created in this batch, by the record above them.
    var newChildren: [RecordID: [RecordWork]] = [:]
    /// The records that changed, in order.
    var changed: [RecordWork] = []
    /// Places of the chains whose row must be written.
    var touchedChains: Set<Int> = []
    /// How many changes were appended.
    private(set) var appended = 0
    /// The last change that was appended, and where.
    private(set) var last: (dot: Dot, position: Int64)?

    init(_ db: Database, _ memory: StoreMemory, _ space: SpaceMemory) {
        self.db = db
        self.memory = memory
        self.space = space
    }

    /// Appends a change whose predecessor and dependencies are held, and lets it take effect if it may.
    func append(_ new: VerifiedChange) throws {
        let place = try place(for: new)
        let chain = space.chains[place]
        precondition(new.dot.sequence == chain.sequence + 1, "A change must follow the one before it.")
        let learned = try learn(new.change.dependencies, place: place, sequence: new.dot.sequence)
        let epoch = try epoch(of: new.change.dependencies, following: chain)
        let role = space.roster(epoch: epoch).role(chain.member)
        let valid = try endorsements(in: new.change, epoch: epoch)
        let position = try insert(new, chain: chain, role: role, epoch: epoch, acts: !valid.isEmpty)
        if !valid.isEmpty { try store(valid, of: new, chain: chain) }
        let next = valid.isEmpty ? epoch : try intern(space.epochs[epoch] + [new.dot])
        space.update(place) {
            $0.sequence = new.dot.sequence
            $0.hash = new.hash
            $0.epoch = next
            $0.known = learned.others
        }
        touchedChains.insert(place)
        space.position = position
        appended += 1
        last = (new.dot, position)
        let past = CausalPast(of: new.dot, others: learned.others)
        let arrival = Arrival(past: past, change: new.change, role: role, hasActs: !valid.isEmpty)
        try takeEffect(arrival, place: place, learnedSomething: learned.grew)
    }

    /// Puts the signature under the last change of a run that was appended without.
    func sign(position: Int64, _ signature: Signature) throws {
        try db.cachedStatement(sql: "UPDATE log SET signature = ? WHERE position = ?")
            .execute(arguments: [Data(signature.bytes), position])
    }

    private func insert(
        _ new: VerifiedChange, chain: Chain, role: Role?, epoch: Int, acts: Bool
    ) throws -> Int64 {
        let position = try memory.takePosition(db)
        let sql = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(arguments: [
            position, chain.id, new.dot.sequence.stored, new.hash.data, new.signature.map { Data($0.bytes) },
            role.map { Int64($0.rawValue) }, epoch, acts, new.change.timestamp, Data(new.bytes),
        ])
        return position
    }

    /// The chain of a change; a new one for the first change of a replica.
    private func place(for new: VerifiedChange) throws -> Int {
        if let place = space.place(new.dot.replica) { return place }
        guard let binding = new.binding, new.dot.sequence == 1 else {
            preconditionFailure("The first change of a replica must bind it.")
        }
        return try addChain(new.dot.replica, binding, isOwn: false)
    }

    /// Makes room for a chain of which nothing is held yet.
    func addChain(_ replica: ReplicaID, _ binding: Binding, isOwn: Bool) throws -> Int {
        let party = try party(binding.member, named: binding.authority.subject)
        let root = Change.chainRoot(space: space.space, replica: replica)
        let name = binding.certificate.subject.commonName
        try db.execute(
            sql: """
                INSERT INTO chain (space, replica, party, node, node_name, certificate, sequence, hash,
                    effective, epoch, own) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, ?)
                """,
            arguments: [
                space.id, replica.data, party, binding.node.digest.data, name,
                Data(binding.certificate.der), root.data, isOwn,
            ])
        return space.add(
            Chain(
                id: db.lastInsertedRowID, replica: replica, party: party, member: binding.member,
                node: binding.node, nodeName: name, key: binding.certificate.publicKey, isOwn: isOwn,
                sequence: 0, hash: root, effective: 0, epoch: 0, known: VersionVector()))
    }

    /// The row of a member in `party`, made if there is none.
    func party(_ member: MemberID, named subject: CertificateSubject) throws -> Int64 {
        let sql = "SELECT id FROM party WHERE member = ?"
        if let known = try Int64.fetchOne(db, sql: sql, arguments: [member.digest.data]) { return known }
        try db.execute(
            sql: "INSERT INTO party (member, code, name) VALUES (?, ?, ?)",
            arguments: [member.digest.data, subject.memberCode, subject.memberName])
        return db.lastInsertedRowID
    }
}
