// What an authority gives to one of its nodes: a certificate for each of the node's two keys and, so that the node
// knows whose it is, the authority's own. They travel as one file of PEM, hold together, and are replaced together.
// Where the member has replaced its authority's key, the founding authority's certificate goes along: its key's
// fingerprint is and stays the member's id.

import ConcordCrypto
import ConcordModel

/// The certificates of a node, found to belong together. Dates are for the caller to judge.
public struct NodeCertificates: Hashable, Sendable {
    /// For the key by which the node signs changes and authenticates TLS connections.
    public let node: Certificate
    /// For the key for which bundles are encrypted to the node.
    public let agreement: Certificate
    /// Of the member's authority, which issued the others.
    public let authority: Certificate
    /// Of the member's founding authority, if that is another.
    public let founding: Certificate?

    /// The member.
    public var memberID: MemberID { MemberID(authority: founding ?? authority) }

    /// Checks that each certificate is for its purpose, and that the authority issued the node's.
    ///
    /// - Parameter place: Where they were found, for messages.
    /// - Throws: ``ConcordError`` E-2004.
    init(
        node: Certificate, agreement: Certificate, authority: Certificate, founding: Certificate?,
        place: String
    ) throws {
        for (certificate, purpose) in [
            (node, CertificatePurpose.signing), (agreement, .agreement), (authority, .authority),
            (founding ?? authority, .authority),
        ] where certificate.purpose != purpose {
            throw ConcordError(
                .malformedCertificate,
                "\(place): a certificate for \(certificate.purpose.rawValue) stands where one for "
                    + "\(purpose.rawValue) is expected")
        }
        for certificate in [node, agreement] {
            guard certificate.isIssued(by: authority) else {
                throw ConcordError(
                    .malformedCertificate,
                    "\(place): the \(certificate.purpose.rawValue) certificate is not issued by the authority "
                        + "beside it")
            }
        }
        guard node.subject.commonName == agreement.subject.commonName,
            [node, agreement].allSatisfy({ authority.subject.isMember(of: $0.subject) })
        else {
            throw ConcordError(
                .malformedCertificate, "\(place): the certificates name different nodes or members")
        }
        (self.node, self.agreement, self.authority) = (node, agreement, authority)
        self.founding = founding?.publicKey == authority.publicKey ? nil : founding
    }

    /// The certificates in PEM text: one for each purpose, and perhaps the founding authority's, in any order.
    ///
    /// - Throws: ``ConcordError`` E-2004.
    public init(pem: String, place: String) throws {
        let all = try ConcordError.mappingCrypto(place) { try Certificate.chain(pem: pem) }
        func those(for purpose: CertificatePurpose) -> [Certificate] { all.filter { $0.purpose == purpose } }
        let authorities = those(for: .authority)
        guard let node = those(for: .signing).first, let agreement = those(for: .agreement).first,
            let authority = authorities.first(where: node.isIssued) ?? authorities.first,
            all.count == 2 + authorities.count, authorities.count <= 2
        else {
            throw ConcordError(
                .malformedCertificate,
                "\(place) does not hold one certificate each for signing, for agreement and of the authority",
                action: "give the file that `concord node certify` wrote")
        }
        try self.init(
            node: node, agreement: agreement, authority: authority,
            founding: authorities.first { $0 != authority }, place: place)
    }

    /// All as one PEM text: signing, agreement, authority, founding authority.
    public func pem() throws -> String {
        try ConcordError.mappingCrypto("the certificates of node \(node.subject.commonName)") {
            try node.pem() + agreement.pem() + authority.pem() + (founding?.pem() ?? "")
        }
    }

    /// First second from which both of the node's certificates are valid, in seconds since 1970.
    public var notBefore: Int64 { max(node.notBefore, agreement.notBefore) }
    /// Last second to which both of the node's certificates are valid, in seconds since 1970.
    public var notAfter: Int64 { min(node.notAfter, agreement.notAfter) }
}

extension NodeCertificates {
    /// Certifies two keys as those of the authority's node `node`.
    ///
    /// - Parameters:
    ///   - founding: The member's founding authority, if that is another.
    ///   - lifetime: Milliseconds from now for which they are valid, but not beyond the authority's own end.
    ///   - now: Milliseconds since 1970.
    /// - Throws: ``ConcordError`` E-1003 for a name that cannot be certified or an authority that has ended,
    ///   E-4011 if the key is not the authority's.
    public static func issue(
        node: String, signing: PublicKey, agreement: PublicKey, authority: Certificate,
        authorityKey: PrivateKey,
        founding: Certificate? = nil, lifetime: Int64 = Validity.nodeMilliseconds,
        now: Int64 = WallClock.milliseconds()
    ) throws -> NodeCertificates {
        let keys = [signing, agreement, authority.publicKey]
        guard Set(keys).count == keys.count else {
            throw ConcordError(
                .malformedKey, "the node's two keys and the authority's must be three different ones",
                action: "make new keys with `concord node request`")
        }
        return try ConcordError.mappingCrypto("the certificates of node \(node)") {
            func issue(_ key: PublicKey, _ purpose: CertificateIssuer.NodePurpose) throws -> Certificate {
                try CertificateIssuer.node(
                    commonName: node, publicKey: key, purpose: purpose, issuer: authority,
                    issuerKey: authorityKey, notBefore: max(Validity.start(now), authority.notBefore),
                    notAfter: min((now + lifetime) / 1000, authority.notAfter))
            }
            return try NodeCertificates(
                node: try issue(signing, .signing), agreement: try issue(agreement, .agreement),
                authority: authority, founding: founding, place: "the certificates of node \(node)")
        }
    }

    /// Certifies what a node asks for, if it is a node of this authority's member.
    ///
    /// - Throws: ``ConcordError`` E-4011 for a request of another member, else as
    ///   ``issue(node:signing:agreement:authority:authorityKey:founding:lifetime:now:)``.
    public static func issue(
        for request: NodeRequest, authority: Certificate, authorityKey: PrivateKey,
        founding: Certificate? = nil,
        lifetime: Int64 = Validity.nodeMilliseconds, now: Int64 = WallClock.milliseconds()
    ) throws -> NodeCertificates {
        try request.requireMember(of: authority)
        return try issue(
            node: request.subject.commonName, signing: request.signing.publicKey,
            agreement: request.agreement.publicKey, authority: authority, authorityKey: authorityKey,
            founding: founding, lifetime: lifetime, now: now)
    }
}

extension CertificateSubject {
    /// Whether the other subject names the same member.
    func isMember(of other: CertificateSubject) -> Bool {
        memberCode == other.memberCode && memberName == other.memberName
    }
}
