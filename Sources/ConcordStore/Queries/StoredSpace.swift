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
    /// The last change that has effect.
    public let effective: UInt64
    /// Whether this database writes it.
    public let isOwn: Bool
}

/// An authority whose nodes may connect.
public struct TrustedAuthority: Hashable, Sendable {
    /// The member.
    public let member: MemberID
    /// Its authority certificate in DER.
    public let certificate: [UInt8]
    /// The member's code, for display.
    public let code: String
    /// The member's name, for display.
    public let name: String
    /// The spaces for whose sake it is trusted, ascending.
    public let spaces: [SpaceID]
}
