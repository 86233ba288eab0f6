// What the store and a session hand to each other: runs of changes, and what one side holds. Neither knows the other.

import ConcordCrypto

/// Consecutive changes of one replica, of which the last is signed: through the chain that one signature covers all.
public struct ChangeRun: Hashable, Sendable {
    /// Whose changes.
    public let replica: ReplicaID
    /// The name that the sender has for the chain: the replica's id, save for branches of a replica that signed two
    /// changes of one number. Acknowledgements are in terms of it.
    public let chain: ReplicaID
    /// The sequence of the first change.
    public let firstSequence: UInt64
    /// The first 16 bytes of the hash of the change before the first, or of the chain's root: tells branches apart.
    public let previous: Bytes16
    /// The changes in their stored form, at least one.
    public let changes: [[UInt8]]
    /// The node's signature over the hash of the last change.
    public let signature: Signature

    /// A run of these parts, not yet verified.
    public init(
        replica: ReplicaID, chain: ReplicaID? = nil, firstSequence: UInt64, previous: Bytes16,
        changes: [[UInt8]],
        signature: Signature
    ) {
        self.replica = replica
        self.chain = chain ?? replica
        self.firstSequence = firstSequence
        self.previous = previous
        self.changes = changes
        self.signature = signature
    }

    /// The sequence of the last change.
    public var lastSequence: UInt64 { firstSequence + UInt64(changes.count) - 1 }
    /// The bytes of all changes.
    public var byteCount: Int { changes.reduce(Signature.byteCount) { $0 + $1.count } }
}

/// The last change of a chain, or of one branch of it.
public typealias ChainHead = Dependency

/// What a replica holds of a space, in short.
public struct HeldSummary: Hashable, Sendable {
    /// The highest sequence held of every chain, by the names that this store has for chains.
    public let vector: VersionVector
    /// The heads of all chains, those that other branches begin after left out; ascending, by real replica ids.
    public let heads: [ChainHead]
    /// A hash over the heads: equal iff the same changes are held.
    public let hash: Digest
    /// The place of the latest change in this replica's own order of arrival.
    public let position: Int64

    /// A summary of these parts.
    public init(vector: VersionVector, heads: [ChainHead], hash: Digest, position: Int64) {
        self.vector = vector
        self.heads = heads
        self.hash = hash
        self.position = position
    }
}

/// What a peer's heads mean here.
public struct HeadComparison: Hashable, Sendable {
    /// What the peer holds, by the names that this store has for chains; of a head that is not held here the claim
    /// itself, unless the peer must be on another branch of that replica.
    public let known: VersionVector
    /// The replicas of which the peer shows another change than is held here under the same number.
    public let forked: [ReplicaID]

    /// A comparison of these parts.
    public init(known: VersionVector, forked: [ReplicaID]) {
        self.known = known
        self.forked = forked
    }
}

/// What a part of the log is to be read without.
public struct LeftOut: Hashable, Sendable {
    /// Everything that is left out.
    public let all: VersionVector
    /// What of that the peer has. The rest it may get from elsewhere, or ask for later: what is read must not be put
    /// together across it, since it may depend on it.
    public let had: VersionVector

    /// What the peer has, and nothing else.
    public init(had: VersionVector) { self.init(all: had, had: had) }

    /// All of `all`, of which the peer has `had`.
    public init(all: VersionVector, had: VersionVector) {
        self.all = all
        self.had = had
    }
}

/// A part of the log in order of arrival, which is a causal order.
public struct LogSlice: Hashable, Sendable {
    /// The runs, each to be sent before those after it.
    public let runs: [ChangeRun]
    /// Everything at or before this place is in `runs` or was excluded.
    public let position: Int64
    /// Whether nothing follows at present.
    public let isLast: Bool

    /// A slice of these parts.
    public init(runs: [ChangeRun], position: Int64, isLast: Bool) {
        self.runs = runs
        self.position = position
        self.isLast = isLast
    }
}

/// What became of received runs.
public struct ReceiveOutcome: Hashable, Sendable {
    /// What is durable here now of the chains that were received, by the names that their sender has for them.
    public let durable: VersionVector
    /// How many changes were new and are applied.
    public let applied: Int
    /// How many changes wait, in memory, for what they depend on.
    public let heldBack: Int
    /// The first change that the delivery builds upon and that is not held; nil if there is none.
    public let lacks: Dot?
    /// The first reason to refuse a run, if there was one: the sender altered or invented something.
    public let refusal: ConcordError?
    /// A replica that is now known to have signed two changes of one number, or of which the sender must hold another
    /// branch than this store: the names of chains may have changed, and what both hold is to be compared anew.
    public let forked: ReplicaID?
    /// Whether a branch of ``forked`` was taken in. Otherwise nothing is proven of that replica.
    public let tookBranch: Bool

    /// An outcome of these parts.
    public init(
        durable: VersionVector, applied: Int, heldBack: Int, refusal: ConcordError?, forked: ReplicaID? = nil,
        tookBranch: Bool = false, lacks: Dot? = nil
    ) {
        self.tookBranch = tookBranch
        self.lacks = lacks
        self.durable = durable
        self.applied = applied
        self.heldBack = heldBack
        self.refusal = refusal
        self.forked = forked
    }
}
