import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@testable import ConcordNode

@Suite("Invites")
struct InviteTests {
    private let spain: TestMember
    private let germany: TestMember
    private let namibia: TestMember
    private let charter: SignedCharter

    init() throws {
        spain = try TestMember("ESP", name: "Spain")
        germany = try TestMember("DEU", name: "Germany")
        namibia = try TestMember("NAM", name: "Namibia")
        charter = try spain.charter()
    }

    private func invite(
        by member: TestMember, acts: [SignedAct] = [], authorities: [[UInt8]]? = nil,
        node: Certificate? = nil,
        key: PrivateKey? = nil, addresses: [String] = ["madrid.example.org:7443"]
    ) throws -> Invite {
        try Invite(
            charter: charter, authority: member.authority, node: node ?? member.node, addresses: addresses,
            acts: acts, authorities: authorities ?? [member.authority.der], timestamp: testNow,
            key: key ?? member.nodeKey)
    }

    @Test("an invite by a founder comes back as it was made")
    func roundTrip() throws {
        let invite = try invite(by: spain)
        let read = try Invite(encoded: invite.encoded)
        #expect(read == invite)
        #expect(read.space == charter.charter.space)
        #expect(read.inviter == spain.id)
        #expect(read.addresses == ["madrid.example.org:7443"])
        #expect(read.timestamp == testNow)
        #expect(read.roster.role(spain.id) == .member)
    }

    @Test("an admitted member can invite, and the acts show that it may")
    func admittedInviter() throws {
        let first = try spain.admission(of: germany, to: charter.charter.space)
        let second = try germany.admission(of: namibia, to: charter.charter.space)
        let invite = try invite(
            by: namibia, acts: [first, second],
            authorities: [spain.authority.der, germany.authority.der, namibia.authority.der])
        let read = try Invite(encoded: invite.encoded)
        #expect(read.roster.entries.count == 3)
        #expect(Invite.ordered([second, first], charter: charter.charter) == [first, second])
    }

    @Test("acts that never become valid are left out")
    func orderedDrops() throws {
        let stray = try germany.admission(of: namibia, to: charter.charter.space)
        #expect(Invite.ordered([stray], charter: charter.charter).isEmpty)
    }

    @Test("an invite by somebody who is not a member is refused")
    func stranger() async throws {
        await expectError(.malformedInvite) { try invite(by: germany) }
        let observer = try spain.admission(of: germany, to: charter.charter.space, as: .observer)
        await expectError(.malformedInvite) { try invite(by: germany, acts: [observer]) }
    }

    @Test("an act of a stranger, or of another space, is refused")
    func foreignAct() async throws {
        let stray = try germany.admission(of: namibia, to: charter.charter.space)
        await expectError(.malformedInvite) { try invite(by: spain, acts: [stray]) }
        let elsewhere = try spain.charter("Elsewhere").charter.space
        let misplaced = try spain.admission(of: germany, to: elsewhere)
        await expectError(.malformedInvite) { try invite(by: spain, acts: [misplaced]) }
    }

    @Test("an authority that nobody admitted cannot be handed over")
    func smuggledAuthority() async {
        await expectError(.malformedInvite) {
            try invite(by: spain, authorities: [spain.authority.der, germany.authority.der])
        }
    }

    @Test("a node that the authority did not certify cannot invite")
    func foreignNode() async throws {
        await expectError(.malformedInvite) {
            try invite(by: spain, node: germany.node, key: germany.nodeKey)
        }
        await expectError(.malformedInvite) { try invite(by: spain, key: germany.nodeKey) }
        let agreement = try CertificateIssuer.node(
            commonName: "madrid", publicKey: spain.nodeKey.publicKey, purpose: .agreement,
            issuer: spain.authority,
            issuerKey: spain.authorityKey, notBefore: Validity.start(testNow),
            notAfter: Validity.end(testNow, years: 3))
        await expectError(.malformedInvite) { try invite(by: spain, node: agreement) }
    }

    @Test("addresses that could steer a terminal, and too many of them, are refused")
    func badAddresses() async {
        for address in ["", "a b:1", "\u{1b}[2J:1", String(repeating: "a", count: 300)] {
            await expectError(.malformedInvite) { try invite(by: spain, addresses: [address]) }
        }
        await expectError(.malformedInvite) {
            try invite(
                by: spain, addresses: [String](repeating: "madrid:1", count: Limits.inviteAddresses + 1))
        }
    }

    @Test("every single altered byte is noticed")
    func altered() throws {
        let encoded = try invite(by: spain).encoded
        for offset in stride(from: 0, to: encoded.count, by: 17) {
            var bytes = encoded
            bytes[offset] ^= 1
            let error = #expect(throws: ConcordError.self, "byte \(offset)") { try Invite(encoded: bytes) }
            let codes: [ErrorCode] = [.malformedInvite, .malformedCharter, .malformedCertificate]
            #expect(
                error.map { codes.contains($0.code) } == true, "byte \(offset): \(String(describing: error))")
        }
    }

    @Test("what is cut short, too long, followed by more or something else is refused")
    func shape() async throws {
        let encoded = try invite(by: spain).encoded
        for length in [0, 1, 10, encoded.count / 2, encoded.count - 1] {
            await expectError(.malformedInvite) { try Invite(encoded: Array(encoded[..<length])) }
        }
        await expectError(.malformedInvite) { try Invite(encoded: encoded + [0]) }
        await expectError(.malformedInvite) { try Invite(encoded: charter.encoded) }
        await expectError(.malformedInvite) {
            try Invite(encoded: [UInt8](repeating: 0, count: Limits.inviteBytes + 1))
        }
    }
}
