// What is held of a space, for sessions that are told with every commit: from memory, without asking the database.

import ConcordCrypto
import ConcordModel

extension ReplicaStore {
    /// What a peer is to hear of what is held, by the names of chains, and the place of the latest change; as of the last
    /// commit. A chain of which values are missing counts up to there. O(replicas).
    public func heldVector(_ space: SpaceID) throws -> (vector: VersionVector, position: Int64) {
        let held = try writer.space(space)
        let heads = held.chains.lazy.filter { !$0.isEmpty }.compactMap { chain -> Dot? in
            let last = min(chain.sequence, held.provisional[chain.name].map { $0 - 1 } ?? .max)
            return last < chain.start ? nil : Dot(chain.name, last)
        }
        return (VersionVector(ascending: heads), held.position)
    }
}
