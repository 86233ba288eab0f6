// How the store has a change signed without ever seeing a private key: the node lends it this.

import ConcordCrypto
import ConcordModel

/// A node's signing key, and the certificate by which its member's authority vouches for it.
public protocol NodeSigner: Sendable {
    /// The node's signing certificate; it stands in the first change of each of the node's replicas.
    var certificate: Certificate { get }
    /// The member whose authority issued ``certificate``.
    var member: MemberID { get }
    /// Signs the hash of a change, as ``SignaturePrefix/change``.
    func sign(_ hash: Digest) throws -> Signature
}
