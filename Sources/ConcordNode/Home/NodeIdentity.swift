// Who this node is, as its certificates say. The keys of a node stay; its certificates are renewed, also while the
// daemon runs. So the identity is one object that all parts of the daemon share, and what they ask of it is what
// holds now.

import ConcordCrypto
import ConcordModel
import Synchronization

/// A node, by the certificates that it has at this moment.
public final class NodeIdentity: Sendable {
    private let current: Mutex<NodeCertificates>

    /// The node with these certificates.
    public init(_ certificates: NodeCertificates) { current = Mutex(certificates) }

    /// The certificates that hold now.
    public var certificates: NodeCertificates { current.withLock { $0 } }

    /// Takes renewed certificates, which must be for the same keys.
    func replace(with certificates: NodeCertificates) {
        precondition(
            certificates.node.publicKey == nodeCertificate.publicKey,
            "another key is another node, which needs a home of its own")
        current.withLock { $0 = certificates }
    }

    /// By which the node signs changes and authenticates TLS connections.
    public var nodeCertificate: Certificate { certificates.node }
    /// For which bundles are encrypted to the node.
    public var agreementCertificate: Certificate { certificates.agreement }
    /// Its member's authority.
    public var authorityCertificate: Certificate { certificates.authority }

    /// The member's code, such as `ESP`.
    public var memberCode: String { authorityCertificate.subject.memberCode }
    /// The member's name.
    public var memberName: String { authorityCertificate.subject.memberName }
    /// The node's name.
    public var nodeName: String { nodeCertificate.subject.commonName }
    /// The member.
    public var memberID: MemberID { certificates.memberID }
    /// The node.
    public var nodeID: NodeID { NodeID(certificate: nodeCertificate) }
}

extension NodeHome {
    /// Reads the node's certificates, without looking at its keys: they may be out of reach of who asks.
    ///
    /// - Throws: ``ConcordError`` E-2005 if there is no identity, E-2004 if a file is not what it should be.
    public func certificates() throws -> NodeIdentity {
        try requireIdentity()
        let files = identityFiles
        return NodeIdentity(
            try NodeCertificates(
                node: try certificate(files.nodeCertificate),
                agreement: try certificate(files.agreementCertificate),
                authority: try certificate(files.authorityCertificate),
                founding: FileSystem.exists(files.foundingCertificate)
                    ? try certificate(files.foundingCertificate) : nil,
                place: identityFolder))
    }

    /// Reads the node's certificates and keys, and checks that all belong together. Dates are not judged here:
    /// a node with an expired certificate still serves its own people.
    ///
    /// - Throws: ``ConcordError`` E-2005 if there is no identity, E-2008 if a key can be touched by others,
    ///   E-2003 or E-2004 if a file is not what it should be, E-2001 or E-2002 for a key's passphrase, E-2011 if
    ///   a key behind a URI cannot be reached.
    public func load(_ sources: KeySources = KeySources()) throws -> (identity: NodeIdentity, keys: NodeKeys)
    {
        let identity = try certificates()
        let keys = try NodeKeys(sources, files: identityFiles)
        for (key, role, certificate) in [
            (keys.signing, KeyRole.signing, identity.nodeCertificate),
            (keys.agreement, .agreement, identity.agreementCertificate),
        ] {
            guard key.publicKey == certificate.publicKey else {
                throw ConcordError(
                    .malformedKey,
                    "\(sources.place(of: role, files: identityFiles)) is not the key of the certificate in "
                        + identityFolder)
            }
        }
        return (identity, keys)
    }

    /// The node, after the checks of ``load(_:)``.
    public func identity(_ sources: KeySources = KeySources()) throws -> NodeIdentity {
        try load(sources).identity
    }

    /// The key that signs changes and authenticates TLS connections.
    ///
    /// - Throws: as ``load(_:)``, without the checks of certificates.
    public func signingKey(_ sources: KeySources = KeySources()) throws -> PrivateKey {
        try requireIdentity()
        return try sources.key(.signing, files: identityFiles)
    }

    /// The key that opens bundles.
    ///
    /// - Throws: as ``signingKey(_:)``.
    public func agreementKey(_ sources: KeySources = KeySources()) throws -> PrivateKey {
        try requireIdentity()
        return try sources.key(.agreement, files: identityFiles)
    }

    private func certificate(_ path: String) throws -> Certificate {
        let text = try FileSystem.readText(path)
        return try ConcordError.mappingCrypto(path) { try Certificate(pem: text) }
    }

    private func requireIdentity() throws {
        guard hasIdentity else { throw ConcordError(.noIdentity, "\(path) holds no node identity") }
    }
}
