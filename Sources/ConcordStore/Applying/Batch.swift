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
    let statements: BatchStatements
    /// The records that were loaded or created.
    var works: [RecordID: RecordWork] = [:]
    /// The records created in this batch, by the record above them.
    var newChildren: [RecordID: [RecordWork]] = [:]
    /// The records that changed, in order.
    var changed: [RecordWork] = []
    /// The records of which values were erased, or came back: they are folded again when the batch is written.
    var erasedRecords: Set<RecordID> = []
    /// Places of the chains whose row must be written.
    var touchedChains: Set<Int> = []
    /// How many changes were appended.
    private(set) var appended = 0
    /// The last change that was appended, and where.
    private(set) var last: (dot: Dot, position: Int64)?

    init(_ db: Database, _ memory: StoreMemory, _ space: SpaceMemory) throws {
        statements = try BatchStatements(db)
        self.db = db
        self.memory = memory
        self.space = space
    }

    /// Appends a change whose predecessor and dependencies are held, and lets it take effect if it may.
    func append(_ arrived: VerifiedChange) throws {
        let place = try place(for: arrived)
        let new = storable(arrived, place: place)
        let (judged, acts) = try judge(new.change, new.dependencies, place: place)
        let erasures = space.erasures
        let position = try insert(new, place: place, judged)
        if !acts.isEmpty { try store(acts, of: judged.past.dot, chain: space.chains[place]) }
        let restricts = try advance(place, to: new.hash, judged, acts)
        space.position = position
        appended += 1
        last = (judged.past.dot, position)
        let arrival = Arrival(
            past: judged.past, change: new.change, fresh: new.fresh, role: judged.role, epoch: judged.epoch,
            hasActs: !acts.isEmpty)
        try noteErased(new.change, place: place, sequence: new.dot.sequence)
        try takeEffect(arrival, place: place, learnedSomething: judged.grew, restricts: restricts)
        try carryOutErasures(new.change, judged, since: erasures)
    }

    /// Raises the chain in memory by the change that was just judged; true if it carries a valid restriction.
    func advance(
        _ place: Int, to hash: Digest, _ judged: Judgement, _ acts: [ValidAct]
    ) throws -> Bool {
        let dot = judged.past.dot
        let restricts = acts.isEmpty ? false : space.add(acts.map(\.endorsement), of: dot)
        let next = try epoch(after: dot, judged, acts)
        space.update(place) {
            $0.sequence = dot.sequence
            $0.hash = hash
            $0.epoch = next
            $0.known = judged.past.others
        }
        touchedChains.insert(place)
        return restricts
    }

    /// Puts the signature under the last change of a run that was appended without.
    func sign(position: Int64, _ signature: Signature) throws {
        try db.cachedStatement(sql: "UPDATE log SET signature = ? WHERE position = ?")
            .execute(arguments: [Data(signature.bytes), position])
    }

    private func insert(_ new: VerifiedChange, place: Int, _ judged: Judgement) throws -> Int64 {
        let position = try memory.takePosition(db)
        try statements.insertLog.run {
            $0.integer(position)
            $0.integer(space.chains[place].id)
            $0.integer(new.dot.sequence.stored)
            $0.blob(new.hash)
            if let signature = new.signature { $0.blob(signature.bytes) } else { $0.null() }
            $0.integer(judged.role.map { Int64($0.rawValue) })
            $0.integer(Int64(judged.epoch))
            $0.integer(judged.acts.rawValue)
            $0.integer(new.change.timestamp)
            $0.blob(new.bytes)
        }
        return position
    }

    // MARK: Chains

    /// The chain of a change; a new one for the first change of a replica.
    private func place(for new: VerifiedChange) throws -> Int {
        if let place = space.place(new.chain) {
            precondition(
                new.dot.sequence == space.chains[place].sequence + 1, "A change must follow the one before.")
            return place
        }
        guard let owner = new.owner, new.dot.sequence == 1 else {
            preconditionFailure("The first change of a replica must bind it.")
        }
        return try addChain(new.dot.replica, owner, dependencies: new.dependencies, isOwn: false)
    }

    /// Makes room for a replica of which nothing is held yet.
    ///
    /// - Parameter dependencies: those of its first change, by whose past its certificate is judged.
    func addChain(
        _ replica: ReplicaID, _ owner: ChainOwner, dependencies: [Dot], isOwn: Bool
    ) throws -> Int {
        let root = Change.chainRoot(space: space.space, replica: replica)
        return try addSegment(
            replica, named: replica, SegmentStart(predecessor: nil, sequence: 1, hash: root), owner,
            isCertified: try isCertified(owner, dependencies), isOwn: isOwn)
    }

    /// Makes room for a segment of a replica.
    func addSegment(
        _ replica: ReplicaID, named name: ReplicaID, _ start: SegmentStart, _ owner: ChainOwner,
        isCertified: Bool, isOwn: Bool
    ) throws -> Int {
        let party = try party(owner)
        let nodeName = owner.certificate.subject.commonName
        try db.execute(
            sql: """
                INSERT INTO chain (space, name, replica, start, parent, party, node, node_name, certificate,
                    issuer, certified, sequence, hash, effective, epoch, own)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)
                """,
            arguments: [
                space.id, name.data, replica.data, start.sequence.stored, start.predecessor?.replica.data,
                party, owner.node.digest.data, nodeName, Data(owner.certificate.der), owner.issuer.data,
                isCertified, (start.sequence - 1).stored, start.hash.data, isOwn,
            ])
        return space.add(
            Chain(
                Chain.Identity(
                    id: db.lastInsertedRowID, name: name, replica: replica, start: start.sequence,
                    parent: start.predecessor?.replica, party: party, member: owner.member, node: owner.node,
                    nodeName: nodeName, key: owner.certificate.publicKey, issuer: owner.issuer),
                isCertified: isCertified, isOwn: isOwn,
                sequence: start.sequence - 1, hash: start.hash, effective: 0, epoch: 0, known: nil))
    }

    /// Whether the authority that issued the certificate was not replaced in the past of the replica's first change.
    func isCertified(_ owner: ChainOwner, _ dependencies: [Dot]) throws -> Bool {
        let roster = space.roster(epoch: try epoch(of: dependencies, from: 0))
        guard let entry = roster.entry(owner.member) else { return true }
        return entry.hasAuthority(owner.issuer) || !entry.hadAuthority(owner.issuer)
    }

    /// The row of a member in `party`, made if there is none.
    private func party(_ owner: ChainOwner) throws -> Int64 {
        let sql = "SELECT id FROM party WHERE member = ?"
        if let known = try Int64.fetchOne(db, sql: sql, arguments: [owner.member.digest.data]) {
            return known
        }
        let subject = owner.certificate.subject
        try db.execute(
            sql: "INSERT INTO party (member, code, name) VALUES (?, ?, ?)",
            arguments: [owner.member.digest.data, subject.memberCode, subject.memberName])
        return db.lastInsertedRowID
    }
}
