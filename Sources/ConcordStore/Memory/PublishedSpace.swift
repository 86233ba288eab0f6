// What everybody but the writer sees of a space without asking the database: the state as of the last durable
// commit. It is replaced as a whole after each commit, so what is read together belongs together.

import CBOR
import ConcordCrypto
import ConcordModel

/// A space as of the last commit.
struct PublishedSpace: Sendable {
    let id: Int64
    let charter: SignedCharter
    let inviter: [UInt8]?
    let roster: Roster
    let authorities: [MemberID: Certificate]
    /// The chains, ascending by replica.
    let chains: [Chain]
    let position: Int64

    var space: SpaceID { charter.charter.space }

    init(_ memory: SpaceMemory) {
        id = memory.id
        charter = memory.charter
        inviter = memory.inviter
        roster = memory.roster
        authorities = memory.authorities
        chains = memory.order.map { place in
            var chain = memory.chains[place]
            chain.known = nil
            return chain
        }
        position = memory.position
    }

    /// The chain of a replica. O(log n).
    func chain(_ replica: ReplicaID) -> Chain? {
        var (low, high) = (0, chains.count)
        while low < high {
            let middle = (low + high) / 2
            if chains[middle].replica < replica { low = middle + 1 } else { high = middle }
        }
        return low < chains.count && chains[low].replica == replica ? chains[low] : nil
    }

    /// How many changes are held.
    var changes: Int64 { chains.reduce(0) { $0 + Int64($1.sequence) } }

    /// The chain that this database writes; the latest, should there be several.
    var ownChain: Chain? { chains.filter(\.isOwn).max { $0.id < $1.id } }

    /// The summary that is exchanged first: equal hashes mean equal changes held.
    ///
    /// The hash is SHA-256 of the deterministic CBOR `[[replica, sequence, head hash]…]`, ascending by
    /// replica.
    var summary: HeldSummary {
        HeldSummary(
            vector: VersionVector(chains.lazy.map(\.head)),
            hash: Self.hash(chains.map { ($0.replica, $0.sequence, $0.hash) }), position: position)
    }

    /// SHA-256 of `[[replica, sequence, hash]…]`.
    static func hash(_ heads: [(ReplicaID, UInt64, Digest)]) -> Digest {
        var writer = CBORWriter(capacity: heads.count * 64 + 8)
        writer.array(heads.count)
        for (replica, sequence, hash) in heads {
            writer.array(3)
            writer.byteString(replica.bytes)
            writer.unsigned(sequence)
            writer.digest(hash)
        }
        return SHA256.hash(writer.bytes)
    }
}
