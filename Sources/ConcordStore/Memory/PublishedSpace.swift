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
    let authorities: [MemberID: [Certificate]]
    /// Where restrictions end the effect of chains.
    let cutOffs: CutOffs
    /// The lowest forked sequence of each replica that signed two changes of one number.
    let forks: [ReplicaID: UInt64]
    /// The first change of each chain of which values are missing that nothing held orders to go, by name.
    let provisional: [ReplicaID: UInt64]
    /// The chains, ascending by name.
    let chains: [Chain]
    let position: Int64
    /// Marks roster, inviter and which chains there are.
    let standing: StandingMark

    /// The charter's hash.
    let space: SpaceID

    init(_ memory: SpaceMemory) {
        id = memory.id
        charter = memory.charter
        space = memory.space
        inviter = memory.inviter
        roster = memory.roster
        authorities = memory.authorities
        cutOffs = memory.cutOffs
        forks = memory.forks
        provisional = memory.provisional
        chains = memory.order.map { place in
            var chain = memory.chains[place]
            chain.known = nil
            return chain
        }
        position = memory.position
        standing = memory.standing
    }

    /// The chain of this name. O(log n).
    func chain(_ name: ReplicaID) -> Chain? {
        var (low, high) = (0, chains.count)
        while low < high {
            let middle = (low + high) / 2
            if chains[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < chains.count && chains[low].name == name ? chains[low] : nil
    }

    /// The segments of a replica: one chain, unless it signed two changes of one number. The name of a branch is no
    /// replica's id, and has none.
    func segments(_ replica: ReplicaID) -> [Chain] {
        guard forks[replica] != nil else {
            return [chain(replica)].compactMap { $0 }.filter { $0.replica == replica }
        }
        return chains.filter { $0.replica == replica }.sorted { ($0.start, $0.name) < ($1.start, $1.name) }
    }

    /// How many changes are held.
    var changes: Int64 { chains.reduce(0) { $0 + Int64($1.count) } }

    /// The chain that this database writes; the latest, should there be several.
    var ownChain: Chain? { chains.filter(\.isOwn).max { $0.id < $1.id } }

    /// The heads of all chains, those that other branches begin after left out; ascending by real replica ids.
    var heads: [(dot: Dot, hash: Digest)] { Self.heads(of: chains, isForked: !forks.isEmpty) }

    static func heads(of chains: [Chain], isForked: Bool) -> [(dot: Dot, hash: Digest)] {
        let inner =
            isForked ? Set(chains.compactMap { chain in chain.parent.map { Dot($0, chain.start - 1) } }) : []
        let leaves = chains.filter { !$0.isEmpty && !inner.contains($0.head) }
        return leaves.map { (Dot($0.replica, $0.sequence), $0.hash) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    }

    /// The summary that is exchanged first: equal hashes mean equal changes held.
    ///
    /// The hash is SHA-256 of the deterministic CBOR `[[replica, sequence, head hash]…]`, ascending.
    ///
    /// Where changes are provisional, this is not what a peer is to hear: see ``Provisional``.
    var summary: HeldSummary { summary(of: chains) }

    func summary(of chains: [Chain]) -> HeldSummary {
        let heads = Self.heads(of: chains, isForked: !forks.isEmpty)
        return HeldSummary(
            vector: VersionVector(chains.lazy.filter { !$0.isEmpty }.map(\.head)),
            heads: heads.map { ChainHead($0.dot, hash: $0.hash) }, hash: Self.hash(heads), position: position)
    }

    /// SHA-256 of `[[replica, sequence, hash]…]`.
    static func hash(_ heads: [(dot: Dot, hash: Digest)]) -> Digest {
        var writer = CBORWriter(capacity: heads.count * 64 + 8)
        writer.array(heads.count)
        for (dot, hash) in heads {
            writer.array(3)
            writer.byteString(dot.replica.bytes)
            writer.unsigned(dot.sequence)
            writer.digest(hash)
        }
        return SHA256.hash(writer.bytes)
    }
}
