// Leaving a replica behind: the database was set back to an earlier state, or copied, and somebody knows more of the
// replica, or something else. What it wrote stays; the next write begins a new replica.

import ConcordModel
import GRDB

extension ReplicaStore {
    /// Stops writing under a replica; nothing happens if this database does not write it.
    ///
    /// - Returns: whether it did until now.
    @discardableResult
    public func retire(_ replica: ReplicaID, in space: SpaceID) async throws -> Bool {
        try await writer.run { [writer] db, memory in
            var wasOwn = false
            try writer.transaction(db, memory) {
                let held = try memory.space(space, db)
                wasOwn = held.segments(replica).contains(where: \.isOwn)
                guard wasOwn else { return [] }
                try Batch(db, memory, held).retire(replica)
                return [held]
            }
            return wasOwn
        }
    }

    /// Whether ``adoptOwnBranches(in:by:author:now:)`` has anything to do. O(1) where no replica has branches.
    public func hasOwnBranches(in space: SpaceID, of node: NodeID) throws -> Bool {
        let held = try writer.space(space)
        guard !held.forks.isEmpty else { return false }
        return !held.chains.hiddenEnds(of: node, forks: held.forks).isEmpty
    }

    /// Brings back what this node wrote itself and what has no effect because its own replica has branches: a database
    /// that was set back went on writing before it heard of its former future. Under a new replica one change takes all
    /// branches into its past, so everything counts, once, under its own name (rule C: what a member in standing builds
    /// upon stays).
    ///
    /// - Returns: how many changes came into effect; 0 if there was nothing to bring back.
    /// - Throws: ``ConcordError`` E-4005 or E-4006 if this node may not write.
    public func adoptOwnBranches(
        in space: SpaceID, by signer: any NodeSigner, author: String, now: Int64
    ) async throws -> Int64 {
        try await writeAlone(in: space, by: signer) { chain in
            try chain.adoptOwnBranches(author: author, now: now)
        }
    }

    /// Writes a change of any well-formed content, known here or not: for what a later version writes, which this one
    /// must keep and pass on.
    ///
    /// - Parameter entries: what the change consists of, given its name and time.
    /// - Throws: ``ConcordError`` E-4005 or E-4006 if this node may not write.
    package func append(
        in space: SpaceID, by signer: any NodeSigner, author: String, now: Int64,
        _ entries: @escaping @Sendable (Dot, Int64) -> [Entry]
    ) async throws {
        _ = try await writeAlone(in: space, by: signer) { chain in
            try chain.append(author: author, now: now, entries)
        }
    }

    /// Writes in a transaction of its own; gives back how many changes came into effect besides what was written, 0 if
    /// nothing was.
    private func writeAlone(
        in space: SpaceID, by signer: any NodeSigner,
        _ write: @escaping @Sendable (ChainWriter) throws -> WrittenChange?
    ) async throws -> Int64 {
        let random = randomBytes
        return try await writer.run { [writer] db, memory in
            var adopted: Int64 = 0
            try writer.transaction(db, memory) {
                let held = try memory.space(space, db)
                let before = held.effectiveCount
                let batch = try Batch(db, memory, held)
                let chain = ChainWriter(batch: batch, signer: signer, random: random)
                do {
                    guard try write(chain) != nil else { return [] }
                } catch let refusal as DraftRefusal {
                    throw refusal.error
                }
                try chain.finish()
                try batch.flush()
                adopted = held.effectiveCount - before - Int64(batch.appended)
                return [held]
            }
            return adopted
        }
    }
}

extension [Chain] {
    /// The last segments of a node's forked replicas whose ends have no effect.
    func hiddenEnds(of node: NodeID, forks: [ReplicaID: UInt64]) -> [Chain] {
        let inner = Set(compactMap(\.parent))
        return filter { chain in
            chain.node == node && forks[chain.replica] != nil && !inner.contains(chain.name)
                && chain.effective < chain.sequence
        }
    }
}

extension SpaceMemory {
    /// How many changes have effect.
    fileprivate var effectiveCount: Int64 {
        chains.reduce(0) { $0 + ($1.effective < $1.start ? 0 : Int64($1.effective + 1 - $1.start)) }
    }
}
