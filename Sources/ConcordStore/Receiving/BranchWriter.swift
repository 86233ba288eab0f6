// Takes in another branch of a replica that signed two changes of one number. Where the held chain goes on beyond the
// fork it is split there, so that both branches are chains with names that follow from what is held alone; everything
// that is derived from the log and bears names is then derived anew. That is slow for a large space, and rare: it takes
// a node that lies, or a database that was set back.

import ConcordCrypto
import ConcordModel
import Foundation
import GRDB

/// Adds branches to one space; inside a transaction.
struct BranchWriter {
    let db: Database
    let memory: StoreMemory
    let space: SpaceID

    /// Adds a branch and gives back the space as it is then.
    func add(_ branch: VerifiedBranch) throws -> SpaceMemory {
        guard let first = branch.changes.first else { preconditionFailure("A branch is not empty.") }
        let held = try memory.space(space, db)
        var isRenamed = false
        if let predecessor = branch.predecessor {
            guard let chain = held.chain(predecessor.replica) else { throw damaged("a chain is missing") }
            isRenamed = chain.sequence > predecessor.sequence
            if isRenamed { try split(chain, after: predecessor.sequence, held) }
        } else if let chain = held.chain(branch.replica) {
            isRenamed = true
            try rename(chain, to: ReplicaID(branchBeginningWith: try hash(chain, 1)), held)
        }
        try addSegment(first, branch, held)
        memory.forget()
        let changed = try memory.space(space, db)
        // One branch more where there are some already changes no name.
        if isRenamed { try Replay(db: db, memory: memory, space: changed).run() }
        let batch = try Batch(db, memory, changed)
        for change in branch.changes { try batch.append(change) }
        try batch.flush()
        return changed
    }

    /// The segment of the new branch, still empty.
    private func addSegment(_ first: VerifiedChange, _ branch: VerifiedBranch, _ held: SpaceMemory) throws {
        let batch = try Batch(db, memory, held)
        let start: SegmentStart
        let owner: ChainOwner
        let isCertified: Bool
        if let predecessor = branch.predecessor {
            guard let chain = held.chain(predecessor.replica),
                let row = try Row.fetchOne(
                    db, sql: "SELECT certificate FROM chain WHERE id = ?", arguments: [chain.id])
            else { throw damaged("a chain is missing") }
            start = SegmentStart(
                predecessor: predecessor, sequence: predecessor.sequence + 1,
                hash: try hash(chain, predecessor.sequence))
            owner = ChainOwner(
                certificate: try Certificate(der: row.bytes(0)), member: chain.member, issuer: chain.issuer)
            isCertified = chain.isCertified
        } else {
            guard let bound = first.owner else { preconditionFailure("A first change binds its replica.") }
            start = SegmentStart(
                predecessor: nil, sequence: 1, hash: Change.chainRoot(space: space, replica: branch.replica))
            owner = bound
            isCertified = try batch.isCertified(owner, first.dependencies)
        }
        _ = try batch.addSegment(
            branch.replica, named: first.chain, start, owner, isCertified: isCertified, isOwn: false)
    }

    /// Makes what follows a change a segment of its own.
    private func split(_ chain: Chain, after sequence: UInt64, _ held: SpaceMemory) throws {
        let name = ReplicaID(branchBeginningWith: try hash(chain, sequence + 1))
        try db.execute(
            sql: """
                INSERT INTO chain (space, name, replica, start, parent, party, node, node_name, certificate,
                    issuer, certified, sequence, hash, effective, epoch, own)
                SELECT space, ?, replica, ?, name, party, node, node_name, certificate, issuer, certified,
                    sequence, hash, 0, 0, 0 FROM chain WHERE id = ?
                """, arguments: [name.data, (sequence + 1).stored, chain.id])
        let segment = db.lastInsertedRowID
        try db.execute(
            sql: "UPDATE chain SET parent = ? WHERE space = ? AND parent = ? AND start > ?",
            arguments: [name.data, held.id, chain.name.data, (sequence + 1).stored])
        try db.execute(
            sql: "UPDATE chain SET sequence = ?, hash = ?, own = 0 WHERE id = ?",
            arguments: [sequence.stored, try hash(chain, sequence).data, chain.id])
        try db.execute(
            sql: "UPDATE log SET chain = ? WHERE chain = ? AND sequence > ?",
            arguments: [segment, chain.id, sequence.stored])
        try db.execute(
            sql: "UPDATE erased SET chain = ? WHERE chain = ? AND sequence > ?",
            arguments: [segment, chain.id, sequence.stored])
    }

    /// Where already the first changes differ, what was the replica's only beginning is a branch like the others.
    private func rename(_ chain: Chain, to name: ReplicaID, _ held: SpaceMemory) throws {
        try db.execute(
            sql: "UPDATE chain SET name = ?, own = 0 WHERE id = ?", arguments: [name.data, chain.id])
        try db.execute(
            sql: "UPDATE chain SET parent = ? WHERE space = ? AND parent = ?",
            arguments: [name.data, held.id, chain.name.data])
    }

    private func hash(_ chain: Chain, _ sequence: UInt64) throws -> Digest {
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(db, sql: sql, arguments: [chain.id, sequence.stored])
        guard let row else { throw damaged("change \(Dot(chain.name, sequence)) is missing from the log") }
        return try row.digest(0)
    }
}
