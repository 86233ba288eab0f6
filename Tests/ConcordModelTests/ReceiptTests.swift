import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@Suite("Receipts")
struct ReceiptTests {
    private struct Member {
        let authorityKey: PrivateKey
        let authority: Certificate
        let key: PrivateKey
        let node: Certificate

        var id: MemberID { MemberID(authority: authority) }

        init(_ code: String, purpose: CertificateIssuer.NodePurpose = .signing) throws {
            authorityKey = try PrivateKey.generate()
            key = try PrivateKey.generate()
            let subject = CertificateSubject(
                memberCode: code, memberName: code, commonName: "\(code) authority")
            authority = try CertificateIssuer.authority(
                subject: subject, key: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
            node = try CertificateIssuer.node(
                commonName: "headquarters", publicKey: key.publicKey, purpose: purpose, issuer: authority,
                issuerKey: authorityKey, notBefore: 1_474_329_600, notAfter: 4_102_444_800)
        }

        func receipt(at timestamp: Int64 = 1_000) throws -> Receipt {
            try Receipt(
                space: SpaceID(SHA256.hash([1])), member: id, holds: ReceiptTests.vector,
                timestamp: timestamp, certificate: node,
                key: key)
        }
    }

    fileprivate static let vector = VersionVector([
        Dot(ReplicaID(Bytes16(high: 1, low: 1)), 3), Dot(ReplicaID(Bytes16(high: 1, low: 2)), 70_000),
    ])

    private func expectRefused(
        _ part: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        do {
            try body()
            Issue.record("nothing is refused", sourceLocation: sourceLocation)
        } catch let error as ConcordError {
            #expect(error.code == .badReceipt, sourceLocation: sourceLocation)
            #expect(part.isEmpty || error.message.contains(part), "\(error)", sourceLocation: sourceLocation)
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
        }
    }

    @Test("a receipt is read back as it was written, and verifies for the member's authority")
    func roundTrip() throws {
        let member = try Member("ESP")
        let receipt = try member.receipt()
        let read = try Receipt(encoded: receipt.encoded)
        #expect(read == receipt)
        #expect(read.encoded == receipt.encoded)
        #expect(read.node == NodeID(certificate: member.node) && read.holds == Self.vector)
        try read.verify(authorities: [member.authority.der], now: 0)
        let other = try Member("DEU")
        try read.verify(authorities: [other.authority.der, [1, 2], member.authority.der], now: 0)
    }

    @Test(
        "a receipt may show the node's certificate for key agreement, and only one of its member's for that purpose"
    )
    func agreement() throws {
        let (member, other) = (try Member("ESP"), try Member("DEU"))
        func shown(_ issuer: Member, _ purpose: CertificateIssuer.NodePurpose) throws -> Receipt {
            let certificate = try CertificateIssuer.node(
                commonName: "headquarters", publicKey: try PrivateKey.generate().publicKey, purpose: purpose,
                issuer: issuer.authority, issuerKey: issuer.authorityKey, notBefore: 1_474_329_600,
                notAfter: 1_500_000_000)
            return try Receipt(
                space: SpaceID(SHA256.hash([1])), member: member.id, holds: Self.vector, timestamp: 1_000,
                certificate: member.node, agreement: certificate
            ) { try member.key.sign($0, as: .receipt) }
        }
        let receipt = try shown(member, .agreement)
        let read = try Receipt(encoded: receipt.encoded)
        #expect(read == receipt && read.encoded == receipt.encoded && read.agreement != nil)
        // Dates do not count here: whoever encrypts looks at them.
        try read.verify(authorities: [member.authority.der], now: 2_000_000_000_000)
        for (issuer, purpose) in [(other, .agreement), (member, .signing)]
            as [(Member, CertificateIssuer.NodePurpose)]
        {
            let foreign = try shown(issuer, purpose)
            expectRefused("key agreement") {
                try foreign.verify(authorities: [member.authority.der], now: 2_000)
            }
        }
        let without = try member.receipt()
        #expect(without.agreement == nil && without.content.count < receipt.content.count)
    }

    @Test("a receipt with one byte altered is not read, or does not verify")
    func altered() throws {
        let member = try Member("ESP")
        let bytes = try member.receipt().encoded
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            guard let read = try? Receipt(encoded: altered) else { continue }
            #expect(throws: ConcordError.self, "byte \(index)") {
                try read.verify(authorities: [member.authority.der], now: 0)
            }
        }
        for count in stride(from: 0, to: bytes.count, by: 7) {
            expectRefused("") { _ = try Receipt(encoded: Array(bytes[..<count])) }
        }
        expectRefused("cannot be read") { _ = try Receipt(encoded: bytes + [0]) }
    }

    @Test("a receipt by another's node, by a wrong key, for another purpose or from the future is refused")
    func refused() throws {
        let (member, other) = (try Member("ESP"), try Member("DEU"))
        let receipt = try member.receipt()
        expectRefused("not certified") { try receipt.verify(authorities: [other.authority.der], now: 0) }
        expectRefused("not certified") { try receipt.verify(authorities: [], now: 0) }
        let forged = try Receipt(
            space: receipt.space, member: member.id, holds: Self.vector, timestamp: 1,
            certificate: member.node,
            key: other.key)
        expectRefused("signature") { try forged.verify(authorities: [member.authority.der], now: 0) }
        let wrongKind = try Receipt(
            space: receipt.space, member: member.id, holds: Self.vector, timestamp: 1,
            certificate: member.node
        ) { try member.key.sign($0, as: .change) }
        expectRefused("signature") { try wrongKind.verify(authorities: [member.authority.der], now: 0) }
        let agreement = try Member("FIN", purpose: .agreement)
        expectRefused("purpose") {
            try agreement.receipt().verify(authorities: [agreement.authority.der], now: 0)
        }
        let early = try member.receipt(at: Limits.receiptClockAhead + 11)
        expectRefused("ahead") { try early.verify(authorities: [member.authority.der], now: 10) }
        try early.verify(authorities: [member.authority.der], now: 11)
    }

    @Test("what is not in its one form is not read")
    func malformed() throws {
        let member = try Member("ESP")
        let receipt = try member.receipt()
        func encode(label: String = "concord receipt", _ dots: [Dot], signature: Int = 64) -> [UInt8] {
            var content = CBORWriter()
            content.array(5)
            content.text(label)
            content.digest(receipt.space.digest)
            content.digest(member.id.digest)
            content.dots(dots)
            content.unsigned(1_000)
            var writer = CBORWriter()
            writer.array(3)
            writer.byteString(content.bytes)
            writer.byteString(member.node.der)
            writer.byteString(Array(receipt.signature.bytes.prefix(signature)))
            return writer.bytes
        }
        let dots = Self.vector.dots
        #expect(try Receipt(encoded: encode(dots)) == receipt)
        expectRefused("not a receipt") { _ = try Receipt(encoded: encode(label: "concord act", dots)) }
        expectRefused("ascending") { _ = try Receipt(encoded: encode(dots.reversed())) }
        expectRefused("twice") {
            _ = try Receipt(encoded: encode([Dot(dots[0].replica, 1), Dot(dots[0].replica, 2)]))
        }
        expectRefused("cannot be read") { _ = try Receipt(encoded: encode(dots, signature: 63)) }
        expectRefused("cannot be read") {
            _ = try Receipt(
                encoded: encode(
                    (0...Limits.versionVectorEntries).map {
                        Dot(ReplicaID(Bytes16(high: 2, low: UInt64($0))), 1)
                    }))
        }
    }

    @Test(
        "the later receipt of a node replaces the earlier, and of two with one timestamp all choose the same")
    func replacement() throws {
        let member = try Member("ESP")
        let (early, late) = (try member.receipt(at: 5), try member.receipt(at: 6))
        #expect(late.replaces(early) && !early.replaces(late) && !early.replaces(early))
        let twin = try Receipt(
            space: early.space, member: member.id, holds: VersionVector(), timestamp: 5,
            certificate: member.node,
            key: member.key)
        #expect(twin.replaces(early) != early.replaces(twin))
    }
}
