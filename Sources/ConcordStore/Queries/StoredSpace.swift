// What the store says of spaces, chains and authorities.

import ConcordCrypto
import ConcordModel

/// A space that is held.
public struct StoredSpace: Hashable, Sendable {
    /// Its id.
    public let id: SpaceID
    /// Its charter.
    public let charter: SignedCharter
    /// Its name.
    public let name: String
    /// The replica under which this database writes; nil before its first change there.
    public let ownReplica: ReplicaID?
    /// How many changes are held.
    public let changes: Int64
    /// The place of the latest change in the order of arrival.
    public let position: Int64
    /// The authority that was named in the invite, until it stands on the roster.
    public let inviter: TrustedAuthority?
}

/// How much a space holds.
public struct SpaceCounts: Hashable, Sendable {
    /// Changes in the log.
    public let changes: Int64
    /// Records that are shown.
    public let records: Int64
    /// Shown records with a field in conflict, or edited while deleted.
    public let conflicts: Int64
    /// Shown records by kind.
    public let kinds: [String: Int64]
}

/// This database's own replica in a space, for `Hello`.
public struct OwnHead: Hashable, Sendable {
    /// The replica.
    public let replica: ReplicaID
    /// Its last change.
    public let sequence: UInt64
    /// That change's hash.
    public let hash: Digest
}

/// A chain that is held.
public struct KnownReplica: Hashable, Sendable {
    /// The replica.
    public let replica: ReplicaID
    /// The name of the chain: the replica's id, or that of a branch of it.
    public let chain: ReplicaID
    /// The sequence of the first change: 1, save for what follows a fork.
    public let start: UInt64
    /// The member whose authority vouched for its node.
    public let member: MemberID
    /// The member's code.
    public let code: String
    /// The node.
    public let node: NodeID
    /// The node's name.
    public let nodeName: String
    /// The last change that is held.
    public let sequence: UInt64
    /// The last change that has effect, 0 if none.
    public let effective: UInt64
    /// Whether this database writes it.
    public let isOwn: Bool
    /// The lowest number under which the replica signed two changes; nil if it did not.
    public let forkedAt: UInt64?
    /// Whether the authority that issued the node's certificate is, or was, one of the member's by the roster: others
    /// only say so, and nothing of what they write counts.
    public let isVouchedFor: Bool
    /// Whether the member revoked the node.
    public let isRevoked: Bool
    /// The last change that may have effect of itself, by a suspension, revocation or departure; nil if there is none.
    public let cutOff: UInt64?
}

/// What it follows from whose nodes may connect, as of some commit. Equal ones say that nothing of it has changed between;
/// different ones may, too, where a change was undone or read again.
public struct Standing: Equatable, Sendable {
    let marks: [StandingMark]

    public static func == (one: Standing, other: Standing) -> Bool {
        one.marks.elementsEqual(other.marks, by: ===)
    }
}

/// A member whose nodes may connect, and by which authority they are known.
public struct TrustedAuthority: Hashable, Sendable {
    /// The member.
    public let member: MemberID
    /// Its authority certificate in DER; the current one, if the key was rotated.
    public let certificate: [UInt8]
    /// The fingerprints of the authority keys by which its nodes are known.
    public var keys: Set<Digest> = []
    /// The fingerprints of authority keys that were replaced: they vouch only for ``knownNodes``.
    public var formerKeys: Set<Digest> = []
    /// The nodes of which a chain is held; filled where there are ``formerKeys``.
    public var knownNodes: Set<NodeID> = []
    /// The nodes that the member revoked.
    public var revokedNodes: Set<NodeID> = []
    /// The spaces in which it is suspended, ascending; they are not among ``spaces``.
    public var suspendedIn: [SpaceID] = []
    /// The member's code, for display.
    public let code: String
    /// The member's name, for display.
    public let name: String
    /// The spaces for whose sake it is trusted, ascending.
    public var spaces: [SpaceID]
}
