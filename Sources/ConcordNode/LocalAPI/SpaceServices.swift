// What the local API can do about spaces: founding, joining, and written procedure.

import ConcordAPI
import ConcordModel

/// Spaces and who belongs to them, behind the local API. Everything that is thrown to the caller is a ``ConcordError``.
/// `space` is an id, a unique prefix of one, or a name; `author` is the label that the changes carry.
public protocol SpaceServices: Sendable {
    /// The spaces that are held.
    func spaces() async throws -> SpacesDocument
    /// Holds a space that this node's member founds. Throws E-4011 for a charter of others, E-4009 if it is
    /// held.
    func found(_ charter: SignedCharter) async throws -> FoundedDocument
    /// Holds a space to which this node was invited, and dials the inviter. Throws E-4009 if it is held.
    func join(_ invite: Invite) async throws -> JoinedDocument
    /// An invite that this node signs. Throws E-4001, or E-4005 if its member is not in standing.
    func invite(to space: String) async throws -> Invite
    /// The digest of what is visible in a space.
    func digest(of space: String) async throws -> DigestDocument
    /// The roster of a space, with offices and pending procedures.
    func members(of space: String?) async throws -> MembersDocument
    /// The acts that wait for signatures.
    func procedures(in space: String) async throws -> ProceduresDocument
    /// Writes a change that carries a signed act, and says what became of the act. Throws E-4003 for one that cannot
    /// be read or whose signature does not verify, E-4005 or E-4012 if the signer may not sign it, E-4008 for a
    /// subject or signer that is not on the roster, E-4007 or E-4013 for a needless one, E-4011 for a key that was
    /// replaced, E-4014 if too few members are left who may sign it.
    func write(_ act: SignedAct, in space: String, author: String) async throws -> ActDocument
}
