// One replica's chain, as far as it is held: where it stands, whose it is, and what it knows of the others.
// The writer keeps all chains of a space in memory, so that appending to one needs no look-up.

import ConcordCrypto
import ConcordModel

/// A chain of a space.
struct Chain: Sendable {
    /// The row in `chain`.
    let id: Int64
    let replica: ReplicaID
    /// The row in `party` of its member.
    let party: Int64
    let member: MemberID
    let node: NodeID
    let nodeName: String
    /// The key under which its runs are signed.
    let key: PublicKey
    /// Whether this database writes it. Not so in a restored copy: there the chain belongs to the past.
    var isOwn: Bool
    /// The last change that is held.
    var sequence: UInt64
    /// Its hash.
    var hash: Digest
    /// The last change that has effect (rule C): at most ``sequence``.
    var effective: UInt64
    /// The epoch of a change that follows the last one without new dependencies.
    var epoch: Int
    /// What the last change knew of the other replicas; nil until it is asked for.
    var known: VersionVector?

    /// The last change.
    var head: Dot { Dot(replica, sequence) }
}

/// Whose chain it is, as the certificate in its first change says, after an authority that is known vouched
/// for it.
struct Binding: Sendable {
    let certificate: Certificate
    let authority: Certificate

    var member: MemberID { MemberID(authority: authority) }
    var node: NodeID { NodeID(certificate: certificate) }
}
