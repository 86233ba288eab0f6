// Receipts of nodes that exist for the tests alone, with real keys: the form of a receipt has a certificate in it.

import ConcordCrypto
import ConcordModel
import SyncSupport

/// A member with an authority and one node.
struct TestNode: Sendable {
    let authority: Certificate
    let certificate: Certificate
    let key: PrivateKey

    var member: MemberID { MemberID(authority: authority) }
    var node: NodeID { NodeID(certificate: certificate) }

    /// Makes both, with fresh keys.
    init() throws {
        let authorityKey = try PrivateKey.generate()
        key = try PrivateKey.generate()
        let subject = CertificateSubject(
            memberCode: "ESP", memberName: "Kingdom of Spain", commonName: "ESP authority")
        authority = try CertificateIssuer.authority(
            subject: subject, key: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
        certificate = try CertificateIssuer.node(
            commonName: "Madrid", publicKey: key.publicKey, purpose: .signing, issuer: authority,
            issuerKey: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
    }

    func receipt(space: SpaceID, at timestamp: Int64, holds: VersionVector = VersionVector()) throws
        -> Receipt
    {
        try Receipt(
            space: space, member: member, holds: holds, timestamp: timestamp, certificate: certificate,
            key: key)
    }
}

private let testNodes: [TestNode] = (0..<8).map { _ in
    do { return try TestNode() } catch { preconditionFailure("no keys for the tests: \(error)") }
}

/// The receipt of one of eight nodes.
func testReceipt(_ node: Int, space: SpaceID = testSpace(1), at timestamp: Int64) -> Receipt {
    do {
        return try testNodes[node].receipt(
            space: space, at: timestamp, holds: VersionVector([Dot(testReplica(node + 1), 7)]))
    } catch { preconditionFailure("no receipt for the tests: \(error)") }
}
