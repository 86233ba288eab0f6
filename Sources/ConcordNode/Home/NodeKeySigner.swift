// The node's signing key, as the store asks for it when it writes changes.

import ConcordCrypto
import ConcordModel
import ConcordStore

/// Signs changes with a node's key.
public struct NodeKeySigner: NodeSigner {
    /// The certificate that replicas of this node carry in their first change.
    public let certificate: Certificate
    /// The member in whose name the node writes.
    public let member: MemberID
    let key: PrivateKey

    /// A signer of this identity.
    public init(identity: NodeIdentity, key: PrivateKey) {
        certificate = identity.nodeCertificate
        member = identity.memberID
        self.key = key
    }

    /// The signature of a change's hash.
    public func sign(_ hash: Digest) throws -> Signature { try key.sign(hash, as: .change) }
}

extension NodeHome {
    /// The signer of this node's changes.
    ///
    /// - Throws: as ``identity()``.
    public func signer() throws -> NodeKeySigner {
        NodeKeySigner(identity: try identity(), key: try signingKey())
    }
}
