// What a node asks its member's authority for: one certificate request for each of its two keys, as two blocks of
// PEM in one file. Each is signed by its own key. One fingerprint covers both, so that the two sides compare one
// number by another road and nobody can exchange one of the requests on the way.

import ConcordCrypto
import ConcordModel

/// The two requests of a node, found to belong together.
public struct NodeRequest: Hashable, Sendable {
    /// For the key that signs changes and authenticates TLS connections.
    public let signing: CertificateRequest
    /// For the key that opens bundles.
    public let agreement: CertificateRequest

    /// The node that asks.
    public var subject: CertificateSubject { signing.subject }

    /// The SHA-256 of both requests in DER, the one for signing first.
    public var fingerprint: Digest { SHA256.hash(signing.der + agreement.der) }

    /// The node whose id the certificate will bear.
    public var nodeID: NodeID { NodeID(signing.publicKey.fingerprint) }

    /// Asks for certificates for these keys of a node.
    ///
    /// - Throws: ``ConcordError`` E-1003 for names that cannot be certified, E-2007 if a key may not sign.
    public init(member: String, name: String, node: String, keys: NodeKeys) throws {
        try MemberCode.check(member)
        let subject = CertificateSubject(memberCode: member, memberName: name, commonName: node)
        (signing, agreement) = try ConcordError.mappingCrypto("the request of node \(node)") {
            (
                try CertificateRequest(subject: subject, purpose: .signing, key: keys.signing),
                try CertificateRequest(subject: subject, purpose: .agreement, key: keys.agreement)
            )
        }
    }

    /// The requests in PEM text, in any order.
    ///
    /// - Parameter place: Where the text was found, for messages.
    /// - Throws: ``ConcordError`` E-2009.
    public init(pem: String, place: String) throws {
        let all = try ConcordError.mappingCrypto(place) { try CertificateRequest.all(pem: pem) }
        guard all.count == 2, let signing = all.first(where: { $0.purpose == .signing }),
            let agreement = all.first(where: { $0.purpose == .agreement })
        else {
            throw ConcordError(
                .malformedCertificateRequest,
                "\(place) does not hold one request for a signing key and one for an agreement key",
                action: "give the file that `concord node request` wrote")
        }
        guard signing.subject == agreement.subject, signing.publicKey != agreement.publicKey else {
            throw ConcordError(
                .malformedCertificateRequest,
                "\(place): the two requests name different nodes, or one key for both uses")
        }
        (self.signing, self.agreement) = (signing, agreement)
    }

    /// Both requests as one PEM text, the one for signing first.
    public func pem() throws -> String {
        try ConcordError.mappingCrypto("the request of node \(subject.commonName)") {
            try signing.pem() + agreement.pem()
        }
    }

    /// Throws E-4011 unless this is the request of a node of the authority's member.
    public func requireMember(of authority: Certificate) throws {
        guard authority.subject.isMember(of: subject) else {
            throw ConcordError(
                .wrongAuthority,
                "the request is that of a node of \(subject.memberCode) \(subject.memberName), the authority "
                    + "that of \(authority.subject.memberCode) \(authority.subject.memberName)",
                action:
                    "give the authority of \(subject.memberCode), or ask for a request with the right names")
        }
    }
}
