import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordTransport
import Foundation
import Logging
import Testing

@testable import ConcordNode

@Suite("Certificates that end and are renewed")
struct CertificateRenewalTests {
    private let day: Int64 = 86_400_000

    private func certificates(_ member: TestMember, lifetime: Int64) throws -> NodeCertificates {
        try NodeCertificates.issue(
            node: "madrid", signing: try PrivateKey.generate().publicKey,
            agreement: try PrivateKey.generate().publicKey, authority: member.authority,
            authorityKey: member.authorityKey, lifetime: lifetime, now: testNow)
    }

    @Test("the end is warned of 30 days ahead, and named when it has come")
    func expiry() throws {
        let certificates = try certificates(try TestMember("ESP"), lifetime: 60 * day)
        func line(daysLeft days: Int64, _ milliseconds: Int64 = 0) -> StatusDocument.Attention? {
            let now = certificates.notAfter * 1000 + 999 - days * day - milliseconds
            let lines = CertificateExpiry.attention(certificates, now: now)
            #expect(lines.count <= 1)
            return lines.first
        }
        #expect(line(daysLeft: 60) == nil)
        #expect(line(daysLeft: 30, 1000) == nil)
        for (days, span) in [
            (30 as Int64, "in 30 days"), (2, "in 2 days"), (1, "in 1 day"), (0, "in less than a day"),
        ] {
            let warning = line(daysLeft: days)
            #expect(warning?.code == "E-2012" && warning?.severity == .person)
            #expect(warning?.message.hasSuffix(span) == true, "\(warning?.message ?? "")")
            #expect(warning?.action == "concord node renew")
        }
        let alarm = line(daysLeft: 0, -1)
        #expect(
            alarm?.code == "E-2041" && alarm?.severity == .person && alarm?.action == "concord node renew")
        #expect(ErrorCode.ourCertificateExpired.entry.action?.contains("concord node renew") == true)
    }

    @Test("a certificate does not outlive its authority")
    func capped() throws {
        let member = try TestMember("ESP")
        let certificates = try certificates(member, lifetime: 100 * 366 * day)
        #expect(certificates.notAfter == member.authority.notAfter)
    }

    @Test("new connections present the renewed certificate, while sessions that go on are not touched")
    func withoutDowntime() async throws {
        let (spain, germany) = (try TestMember("ESP"), try TestMember("DEU"))
        let charter = try spain.charter(with: [germany])
        let berlin = try await PeerNode(germany, charter)
        var madrid = try await PeerNode(spain, charter)
        // Of two connections the one that the smaller node dialled stays: what the test dials must not take over.
        while !(madrid.identity.nodeID < berlin.identity.nodeID) {
            madrid = try await PeerNode(spain, charter)
        }
        for node in [madrid, berlin] { await node.start() }
        try await madrid.manager.addAddress(berlin.address)
        func isConnected() async throws -> Bool {
            try await madrid.manager.peerDocuments().contains { $0.state == .connected }
        }
        try await eventually("the two are connected") { try await isConnected() }
        let before = await madrid.manager.links[berlin.identity.nodeID]?.since
        let connection = await madrid.manager.links[berlin.identity.nodeID]?.driver.connection

        let keeper = CertificateKeeper(
            home: madrid.home, identity: madrid.identity, keys: try madrid.home.load().keys,
            context: madrid.context, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: { testNow })
        let old = madrid.identity.nodeCertificate
        let asked = try await keeper.certificateRequest()
        let renewed = try NodeCertificates.issue(
            for: try NodeRequest(pem: asked.request, place: "the answer"), authority: spain.authority,
            authorityKey: spain.authorityKey, now: testNow)
        let document = try await keeper.installCertificates(pem: try renewed.pem())
        #expect(document.node == madrid.identity.nodeName && document.memberId == spain.id.description)
        #expect(madrid.identity.nodeCertificate == renewed.node && renewed.node != old)
        #expect(try madrid.home.identity().certificates == renewed)

        // As a server and as a client it is the new one that others see.
        let dialled = try await berlin.dial(madrid)
        #expect(dialled.peer.node == renewed.node)
        await dialled.close()
        #expect(await madrid.manager.links[berlin.identity.nodeID]?.driver.connection === connection)
        #expect(await madrid.manager.links[berlin.identity.nodeID]?.since == before)
        #expect(try await isConnected())

        // What does not fit changes nothing.
        let foreign = try certificates(spain, lifetime: day)
        await expectError(.certificateMismatch) {
            try await keeper.installCertificates(pem: try foreign.pem())
        }
        await expectError(.malformedCertificate) { try await keeper.installCertificates(pem: "nothing") }
        #expect(madrid.context.configuration.certificate == renewed.node)
        for node in [madrid, berlin] { try await node.stop() }
    }
}
