// What the local API needs from the part of the daemon that exchanges with peers.

import ConcordAPI
import ConcordModel

/// Peers and status, behind the local API. Everything that is thrown to the caller is a ``ConcordError``.
public protocol PeerServices: Sendable {
    /// What is in step, with whom not and why, what needs a person.
    func status() async throws -> StatusDocument
    /// The peers, and what a person decided about them.
    func peers() async throws -> PeersDocument
    /// Dials one more address from now on, also after a restart.
    func addAddress(_ address: NodeAddress) async throws
    /// Forgets an address that was added by hand.
    func removeAddress(_ address: NodeAddress) async throws
    /// Stops exchange with the member of this code or id prefix, with everybody for nil, until
    /// ``resume(member:)``.
    func pause(member: String?) async throws
    /// Takes up exchange again.
    func resume(member: String?) async throws
    /// Where peers reach this node: what the configuration says, else where it listens.
    func advertisedAddresses() async -> [String]
    /// A space was founded or joined, or an act was written: who may connect, and what is shared, may have
    /// changed.
    func spacesChanged() async
    /// Another branch of a replica was taken in from elsewhere than a session: names of chains have changed.
    func tookBranch(of replica: ReplicaID, in space: SpaceID) async
    /// Others hold changes of this node's own replica that it does not have, as was learned elsewhere than in a session.
    func isElsewhere(_ replica: ReplicaID, in space: SpaceID) async
    /// Receipts came from elsewhere than a session, carried by a member.
    func learned(_ receipts: [Receipt], in space: SpaceID, from bearer: MemberID) async
}
