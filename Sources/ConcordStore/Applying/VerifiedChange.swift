// A change that may be appended: decoded, well-formed, linked to its predecessor and dependencies by hash,
// and covered by a signature of its chain's node.

import ConcordCrypto
import ConcordModel

/// A change, verified or just written here.
struct VerifiedChange: Sendable {
    /// The change's name among its replica's: the real replica id and the sequence.
    let dot: Dot
    /// The name of the chain to which it is appended.
    let chain: ReplicaID
    let change: Change
    /// What it depends on, by the names of chains.
    let dependencies: [Dot]
    /// The stored form.
    let bytes: [UInt8]
    let hash: Digest
    /// The node's signature, on the last change of each run.
    let signature: Signature?
    /// The records that its entries create, as far as they were made while it was verified.
    var fresh: [FreshRecord?] = []
    /// Whose chain it is, on the first change of each replica.
    let owner: ChainOwner?
}

/// The beginning of a branch: changes of a replica that follow a change which another one follows already.
struct VerifiedBranch: Sendable {
    let replica: ReplicaID
    /// The chain and sequence after which it branches off; nil if already the first changes differ.
    let predecessor: Dot?
    /// The changes, at least one; their chain is the branch.
    let changes: [VerifiedChange]
}
