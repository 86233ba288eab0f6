// What a peer's heads say about what it holds, by the names that this store has for chains. A head that is held says
// everything about its branch; one that is not held says that the peer has more, or, where another change of the same
// number is held, that its replica signed two changes of one number.

import ConcordCrypto
import ConcordModel
import GRDB

extension ReplicaStore {
    /// Compares a peer's heads with what is held.
    public func compare(_ heads: [ChainHead], in space: SpaceID) async throws -> HeadComparison {
        let held = try writer.space(space)
        let result: Result<HeadComparison, any Error> = await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                continuation.resume(
                    returning: Result {
                        try Self.compare(heads, held, RunVerifier(db: try access.get(), space: held))
                    })
            }
        }
        return try mappingErrors { try result.get() }
    }

    private static func compare(
        _ heads: [ChainHead], _ held: PublishedSpace, _ verifier: RunVerifier
    ) throws -> HeadComparison {
        var known = VersionVector()
        var forked: Set<ReplicaID> = []
        for head in heads {
            switch try verifier.find(head.dot, mark: head.mark) {
            case .held(let name, _):
                known.raise(name.replica, to: name.sequence)
                var chain = held.chain(name.replica)
                while let branch = chain, let parent = branch.parent {
                    known.raise(parent, to: branch.start - 1)
                    chain = held.chain(parent)
                }
            case .other: forked.insert(head.dot.replica)
            // Of a replica without branches here the peer has what is held, and more; or another branch, which shows when
            // one of the two is sent.
            case .absent:
                if held.forks[head.dot.replica] == nil {
                    known.raise(head.dot.replica, to: head.dot.sequence)
                }
            }
        }
        // Where the peer is on a branch that is not held here, what is held here is what it lacks.
        for replica in forked where held.forks[replica] == nil { known[replica] = 0 }
        return HeadComparison(known: known, forked: forked.sorted())
    }
}
