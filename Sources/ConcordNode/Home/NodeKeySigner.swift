// The node's signing key, as the store asks for it when it writes changes.

import ConcordCrypto
import ConcordModel
import ConcordStore

/// Signs changes with a node's key.
public struct NodeKeySigner: NodeSigner {
    let identity: NodeIdentity
    let key: PrivateKey

    /// A signer of this identity.
    public init(identity: NodeIdentity, key: PrivateKey) {
        self.identity = identity
        self.key = key
    }

    /// The certificate that replicas of this node carry in their first change.
    public var certificate: Certificate { identity.nodeCertificate }
    /// The member in whose name the node writes.
    public var member: MemberID { identity.memberID }

    /// The signature of a change's hash.
    public func sign(_ hash: Digest) throws -> Signature { try key.sign(hash, as: .change) }

    /// The signature of a receipt's hash.
    func signReceipt(_ hash: Digest) throws -> Signature { try key.sign(hash, as: .receipt) }
}

extension NodeHome {
    /// The signer of this node's changes.
    ///
    /// - Throws: as ``load(_:)``.
    public func signer(_ sources: KeySources = KeySources()) throws -> NodeKeySigner {
        let (identity, keys) = try load(sources)
        return NodeKeySigner(identity: identity, key: keys.signing)
    }
}
