// One chain of changes, as far as it is held: where it stands, whose it is, and what it knows of the others. The
// writer keeps all chains of a space in memory, so that appending to one needs no look-up.
//
// A replica is one chain. If it signed two changes of one number it is a tree, and each segment of the tree, from one
// fork to the next, is a chain with a name of its own (Protocol/changes.md, "Branches"). Names follow from what is held
// and nothing else; all bookkeeping, dots in the states of records included, is by name.

import ConcordCrypto
import ConcordModel

/// A chain of a space.
struct Chain: Sendable {
    /// What never changes of a chain, apart, so that looking at one copies little.
    final class Identity: Sendable {
        let id: Int64
        let name: ReplicaID
        let replica: ReplicaID
        let start: UInt64
        let parent: ReplicaID?
        let party: Int64
        let member: MemberID
        let node: NodeID
        let nodeName: String
        let key: PublicKey
        let issuer: Digest

        init(
            id: Int64, name: ReplicaID, replica: ReplicaID, start: UInt64, parent: ReplicaID?, party: Int64,
            member: MemberID, node: NodeID, nodeName: String, key: PublicKey, issuer: Digest
        ) {
            (self.id, self.name, self.replica, self.start, self.parent) = (id, name, replica, start, parent)
            (self.party, self.member, self.node, self.nodeName) = (party, member, node, nodeName)
            (self.key, self.issuer) = (key, issuer)
        }
    }

    private let identity: Identity
    /// Whether the issuer's key was not replaced by another in the past of the replica's first change.
    var isCertified: Bool
    /// Whether this database writes it. Not so in a restored copy: there the chain belongs to the past.
    var isOwn: Bool
    /// The last change that is held.
    var sequence: UInt64
    /// Its hash.
    var hash: Digest
    /// The last change that has effect (rule C), 0 if none: at most ``sequence``.
    var effective: UInt64
    /// The epoch of a change that follows the last one without new dependencies.
    var epoch: Int
    /// What the last change knew of the other chains; nil until it is asked for.
    var known: VersionVector?

    init(
        _ identity: Identity, isCertified: Bool, isOwn: Bool, sequence: UInt64, hash: Digest,
        effective: UInt64, epoch: Int, known: VersionVector?
    ) {
        self.identity = identity
        (self.isCertified, self.isOwn, self.sequence, self.hash) = (isCertified, isOwn, sequence, hash)
        (self.effective, self.epoch, self.known) = (effective, epoch, known)
    }

    /// The row in `chain`.
    var id: Int64 { identity.id }
    /// The chain's name: the replica's id, or that of a branch.
    var name: ReplicaID { identity.name }
    /// The replica whose changes these are.
    var replica: ReplicaID { identity.replica }
    /// The sequence of the first change: 1, save for what follows a fork.
    var start: UInt64 { identity.start }
    /// The chain that this one branches off after change `start − 1`; nil for one that starts at 1.
    var parent: ReplicaID? { identity.parent }
    /// The row in `party` of its member.
    var party: Int64 { identity.party }
    var member: MemberID { identity.member }
    var node: NodeID { identity.node }
    var nodeName: String { identity.nodeName }
    /// The key under which its runs are signed.
    var key: PublicKey { identity.key }
    /// The fingerprint of the authority key that issued the node's certificate.
    var issuer: Digest { identity.issuer }

    /// The last change, by the chain's name.
    var head: Dot { Dot(name, sequence) }
    /// How many changes are held.
    var count: UInt64 { sequence + 1 - start }
    /// Whether nothing is held yet.
    var isEmpty: Bool { sequence < start }

    /// Whether a change of this number is held here.
    func holds(_ number: UInt64) -> Bool { number >= start && number <= sequence }
}

/// Whose chain it is, as the first change of its replica says, after an authority of the member vouched for it.
struct ChainOwner: Sendable {
    let certificate: Certificate
    let member: MemberID
    /// The fingerprint of the authority key that issued the certificate.
    let issuer: Digest

    var node: NodeID { NodeID(certificate: certificate) }
}

/// Where a segment begins in its replica's tree.
struct SegmentStart: Sendable {
    /// The change before the first, nil at the root.
    let predecessor: Dot?
    /// The sequence of the first change.
    let sequence: UInt64
    /// The hash of the change before, or of the chain's root.
    let hash: Digest
}
