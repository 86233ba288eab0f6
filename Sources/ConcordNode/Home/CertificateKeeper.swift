// The certificates of a running node. New ones are written to the home first, then presented: a daemon that is
// killed in between starts with the new ones. Nothing that goes on is interrupted, since a connection keeps the
// certificate with which it began, and the keys stay the same.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import Logging

/// Renews the certificates of a running node.
public actor CertificateKeeper: CertificateServices {
    private let home: NodeHome
    private let identity: NodeIdentity
    private let keys: NodeKeys
    private let context: TLSContext
    private let logger: Logger
    private let clock: @Sendable () -> Int64
    private let isOurs: @Sendable (Certificate) throws -> Bool

    /// A keeper of the certificates of `identity`, which `context` presents.
    ///
    /// - Parameters:
    ///   - clock: Milliseconds since 1970.
    ///   - isOurs: Whether a roster names this authority's key as one that the node's member has now.
    public init(
        home: NodeHome, identity: NodeIdentity, keys: NodeKeys, context: TLSContext, logger: Logger,
        clock: @escaping @Sendable () -> Int64 = WallClock.milliseconds,
        isOurs: @escaping @Sendable (Certificate) throws -> Bool = { _ in false }
    ) {
        self.isOurs = isOurs
        self.home = home
        self.identity = identity
        self.keys = keys
        self.context = context
        self.logger = logger
        self.clock = clock
    }

    public func certificateRequest() throws -> CertificateRequestDocument {
        try CertificateRequestDocument(identity.renewalRequest(keys))
    }

    public func installCertificates(pem: String) throws -> CertificatesDocument {
        let certificates = try NodeCertificates(pem: pem, place: "the request")
        try certificates.require(at: clock(), toRenew: identity.certificates, isOurs: isOurs)
        try home.replace(with: certificates)
        try ConcordError.mappingCrypto("the new certificates") {
            try context.replace(certificate: certificates.node, authority: certificates.authority)
        }
        identity.replace(with: certificates)
        logger.notice(
            "new certificates are presented from now on",
            metadata: ["until": "\(Timestamp.text(milliseconds: certificates.notAfter * 1000))"])
        return CertificatesDocument(certificates)
    }
}

extension CertificatesDocument {
    /// What these certificates say.
    public init(_ certificates: NodeCertificates) {
        let subject = certificates.node.subject
        self.init(
            member: subject.memberCode, memberName: subject.memberName, node: subject.commonName,
            nodeId: NodeID(certificate: certificates.node).description,
            agreementFingerprint: certificates.agreement.publicKey.fingerprint.description,
            memberId: certificates.memberID.description,
            validFrom: Timestamp.text(milliseconds: certificates.notBefore * 1000),
            validUntil: Timestamp.text(milliseconds: certificates.notAfter * 1000))
    }
}

extension CertificateRequestDocument {
    /// What this request says.
    public init(_ request: NodeRequest) throws {
        self.init(
            member: request.subject.memberCode, memberName: request.subject.memberName,
            node: request.subject.commonName, nodeId: request.nodeID.description,
            agreementFingerprint: request.agreement.publicKey.fingerprint.description,
            fingerprint: request.fingerprint.description, request: try request.pem())
    }
}
