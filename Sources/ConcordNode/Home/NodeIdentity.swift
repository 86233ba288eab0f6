// Who this node is, as its certificates say; and its keys, which are read only after their files' modes were
// checked.

import ConcordCrypto
import ConcordModel
import Glibc

/// A node's certificates, found to belong together.
public struct NodeIdentity: Sendable {
    /// By which the node signs changes and authenticates TLS connections.
    public let nodeCertificate: Certificate
    /// For which bundles are encrypted to the node.
    public let agreementCertificate: Certificate
    /// Its member's authority.
    public let authorityCertificate: Certificate

    /// The member's code, such as `ESP`.
    public var memberCode: String { authorityCertificate.subject.memberCode }
    /// The member's name.
    public var memberName: String { authorityCertificate.subject.memberName }
    /// The node's name.
    public var nodeName: String { nodeCertificate.subject.commonName }
    /// The member.
    public var memberID: MemberID { MemberID(authority: authorityCertificate) }
    /// The node.
    public var nodeID: NodeID { NodeID(certificate: nodeCertificate) }
}

extension NodeHome {
    /// Reads the node's certificates and checks that keys, certificates and authority belong together. Dates
    /// are not judged here: a node with an expired certificate still serves its own people.
    ///
    /// - Throws: ``ConcordError`` E-2005 if there is no identity, E-2008 if a key can be touched by others,
    ///   E-2003 or E-2004 if a file is not what it should be.
    public func identity() throws -> NodeIdentity {
        let files = identityFiles
        let identity = NodeIdentity(
            nodeCertificate: try certificate(files.nodeCertificate, purpose: .signing),
            agreementCertificate: try certificate(files.agreementCertificate, purpose: .agreement),
            authorityCertificate: try certificate(files.authorityCertificate, purpose: .authority))
        for certificate in [identity.nodeCertificate, identity.agreementCertificate] {
            guard certificate.isIssued(by: identity.authorityCertificate) else {
                throw ConcordError(
                    .malformedCertificate,
                    "the \(certificate.purpose.rawValue) certificate in \(identityFolder) is not issued by "
                        + "authority.pem beside it")
            }
        }
        try check(try signingKey(), files.nodeKey, belongsTo: identity.nodeCertificate)
        try check(try agreementKey(), files.agreementKey, belongsTo: identity.agreementCertificate)
        return identity
    }

    /// The key that signs changes and authenticates TLS connections.
    ///
    /// - Throws: ``ConcordError`` E-2003, E-2005 or E-2008.
    public func signingKey() throws -> PrivateKey { try key(identityFiles.nodeKey) }

    /// The key that opens bundles.
    ///
    /// - Throws: ``ConcordError`` E-2003, E-2005 or E-2008.
    public func agreementKey() throws -> PrivateKey { try key(identityFiles.agreementKey) }

    private func key(_ path: String) throws -> PrivateKey {
        try requireIdentity()
        let text = try FileSystem.readText(path, ownerOnly: true)
        return try ConcordError.mappingCrypto(path) { try PrivateKey(pem: text, passphrase: nil) }
    }

    private func certificate(_ path: String, purpose: CertificatePurpose) throws -> Certificate {
        try requireIdentity()
        let text = try FileSystem.readText(path)
        let certificate = try ConcordError.mappingCrypto(path) { try Certificate(pem: text) }
        guard certificate.purpose == purpose else {
            throw ConcordError(
                .malformedCertificate,
                "\(path) is a certificate for \(certificate.purpose.rawValue), not for \(purpose.rawValue)")
        }
        return certificate
    }

    private func check(_ key: PrivateKey, _ path: String, belongsTo certificate: Certificate) throws {
        guard key.publicKey == certificate.publicKey else {
            throw ConcordError(.malformedKey, "\(path) is not the key of the certificate beside it")
        }
    }

    private func requireIdentity() throws {
        guard hasIdentity else { throw ConcordError(.noIdentity, "\(path) holds no node identity") }
    }
}
