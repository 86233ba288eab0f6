// What the store and a session hand to each other: runs of changes, and what one side holds. Neither knows the other.

import ConcordCrypto

/// Consecutive changes of one replica, of which the last is signed: through the chain that one signature covers all.
public struct ChangeRun: Hashable, Sendable {
    /// Whose chain.
    public let replica: ReplicaID
    /// The sequence of the first change.
    public let firstSequence: UInt64
    /// The changes in their stored form, at least one.
    public let changes: [[UInt8]]
    /// The node's signature over the hash of the last change.
    public let signature: Signature

    /// A run of these parts, not yet verified.
    public init(replica: ReplicaID, firstSequence: UInt64, changes: [[UInt8]], signature: Signature) {
        self.replica = replica
        self.firstSequence = firstSequence
        self.changes = changes
        self.signature = signature
    }

    /// The sequence of the last change.
    public var lastSequence: UInt64 { firstSequence + UInt64(changes.count) - 1 }
    /// The bytes of all changes.
    public var byteCount: Int { changes.reduce(Signature.byteCount) { $0 + $1.count } }
}

/// What a replica holds of a space, in short.
public struct HeldSummary: Hashable, Sendable {
    /// The highest sequence held of every chain.
    public let vector: VersionVector
    /// A hash over the sorted (replica, sequence, head hash): equal iff the same changes are held.
    public let hash: Digest
    /// The place of the latest change in this replica's own order of arrival.
    public let position: Int64

    /// A summary of these parts.
    public init(vector: VersionVector, hash: Digest, position: Int64) {
        self.vector = vector
        self.hash = hash
        self.position = position
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
    /// What is durable here now, of the replicas that were received.
    public let durable: VersionVector
    /// How many changes were new and are applied.
    public let applied: Int
    /// How many changes wait, in memory, for what they depend on.
    public let heldBack: Int
    /// The first reason to refuse a run, if there was one: the sender altered or invented something.
    public let refusal: ConcordError?

    /// An outcome of these parts.
    public init(durable: VersionVector, applied: Int, heldBack: Int, refusal: ConcordError?) {
        self.durable = durable
        self.applied = applied
        self.heldBack = heldBack
        self.refusal = refusal
    }
}
