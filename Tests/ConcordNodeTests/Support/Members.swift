// Members with an authority and a node, as tests need them; made once each, since every one costs three keys.

import ConcordCrypto
import ConcordModel

@testable import ConcordNode

/// Milliseconds since 1970 at which the tests' clock stands: 22 November 2026, 06:00 UTC.
let testNow: Int64 = 1_795_327_200_000

/// A member with one node.
struct TestMember: Sendable {
    let code: String
    let authorityKey: PrivateKey
    let authority: Certificate
    let nodeKey: PrivateKey
    let node: Certificate

    var id: MemberID { MemberID(authority: authority) }

    init(_ code: String, name: String? = nil, node nodeName: String? = nil) throws {
        self.code = code
        authorityKey = try PrivateKey.generate()
        authority = try CertificateIssuer.authority(
            subject: CertificateSubject(
                memberCode: code, memberName: name ?? code, commonName: "\(code) authority"),
            key: authorityKey, notBefore: Validity.start(testNow), notAfter: Validity.end(testNow, years: 20))
        nodeKey = try PrivateKey.generate()
        node = try CertificateIssuer.node(
            commonName: nodeName ?? "\(code.lowercased())-1", publicKey: nodeKey.publicKey, purpose: .signing,
            issuer: authority, issuerKey: authorityKey, notBefore: Validity.start(testNow),
            notAfter: Validity.end(testNow, years: 3))
    }

    /// A space founded by this member alone, or with others.
    func charter(
        _ name: String = "Focal Points", with others: [TestMember] = [], admission: UInt64 = 1,
        suspension: UInt64 = 2
    ) throws -> SignedCharter {
        let charter = try Charter(
            name: UTF8Text(name), timestamp: testNow,
            founders: try ([self] + others).map { try MemberStatement(authority: $0.authority) },
            admissionThreshold: admission, suspensionThreshold: suspension)
        return try SignedCharter(charter: charter, key: authorityKey)
    }

    /// This member's signature under the admission of another.
    func admission(of other: TestMember, to space: SpaceID, as role: Role = .member) throws -> SignedAct {
        let admission = Admission(
            space: space, subject: try MemberStatement(authority: other.authority), role: role,
            predecessor: nil,
            timestamp: testNow)
        return try SignedAct(act: admission.encoded, key: authorityKey)
    }

    /// This member's signature under an act.
    func sign(_ act: some FormalAct) throws -> SignedAct {
        try SignedAct(act: act.encoded, signer: id, key: authorityKey)
    }
}
