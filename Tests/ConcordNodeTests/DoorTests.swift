// The enemy at the door: certificates that are good of their kind, presented over true TLS by whoever should not be let
// in; and receipts that nobody signed.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordTransport
import Logging
import Testing

@testable import ConcordNode

@Suite("The enemy at the door")
struct DoorTests {
    /// Madrid listens; Berlin and the enemy are founders like it, admission and suspension take two.
    private struct Scene {
        let (spain, germany, enemy): (TestMember, TestMember, TestMember)
        let madrid: PeerNode
        let space: SpaceID

        init() async throws {
            (spain, germany, enemy) = (try TestMember("ESP"), try TestMember("DEU"), try TestMember("XXX"))
            let charter = try spain.charter(with: [germany, enemy], admission: 2)
            madrid = try await PeerNode(spain, charter)
            space = charter.charter.space
            await madrid.start()
        }

        /// Madrid's log takes in acts, signed by these members.
        func decide(_ act: some FormalAct, by members: TestMember...) async throws {
            for member in members { try await carry(try member.sign(act)) }
        }

        func carry(_ signed: SignedAct) async throws {
            _ = try await madrid.store.write(
                [.act(signed)], in: space, by: try madrid.home.signer(), author: "test", now: testNow)
            await madrid.manager.refreshTrust()
        }

        /// What comes of it when somebody dials Madrid with this certificate: nil, if it is let in.
        func knock(_ node: Certificate, _ authority: Certificate, _ key: PrivateKey) async throws
            -> TransportError.Reason?
        {
            let context = try TLSContext(
                TLSConfiguration(certificate: node, authority: authority, key: key) { _ in .accept })
            do {
                let connection = try await Dialler.dial(
                    host: madrid.address.host, port: madrid.address.port, context: context,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                for try await _ in connection.frames() { break }
                await connection.close()
                return nil
            } catch let error as TransportError {
                return error.reason
            }
        }

        func knock(_ member: TestMember) async throws -> TransportError.Reason? {
            try await knock(member.node, member.authority, member.nodeKey)
        }

        /// Another node of a member.
        func node(_ name: String, of member: TestMember) throws -> (certificate: Certificate, key: PrivateKey)
        {
            let key = try PrivateKey.generate()
            let certificate = try CertificateIssuer.node(
                commonName: name, publicKey: key.publicKey, purpose: .signing, issuer: member.authority,
                issuerKey: member.authorityKey, notBefore: Validity.start(testNow),
                notAfter: Validity.end(testNow, years: 3))
            return (certificate, key)
        }
    }

    @Test("an authority that is not on the roster, also one with the right name, is refused")
    func stranger() async throws {
        let scene = try await Scene()
        #expect(try await scene.knock(scene.germany) == nil)
        #expect(try await scene.knock(try TestMember("NOR")) == .refusedByPeer(.unknownAuthority))
        // The same code, names and dates as Germany's, and another key.
        #expect(try await scene.knock(try TestMember("DEU")) == .refusedByPeer(.unknownAuthority))
        // Germany's own certificate beside a node that it never certified.
        let trusted = TrustedAuthorities()
        _ = trusted.replace(with: try scene.madrid.store.trustedAuthorities())
        let beside = PeerCertificates(node: try TestMember("DEU").node, presented: [scene.germany.authority])
        #expect(trusted.verdict(on: beside, now: testNow / 1000) == .refuse(reason: .malformed))
        try await scene.madrid.stop()
    }

    @Test("a suspended member is refused, and let in again when it is reinstated")
    func suspended() async throws {
        let scene = try await Scene()
        let act = Suspension(
            space: scene.space, subject: scene.enemy.id, keeps: VersionVector(), reason: "",
            timestamp: testNow)
        try await scene.decide(act, by: scene.spain)
        #expect(try await scene.knock(scene.enemy) == nil, "one of two signatures")
        try await scene.decide(act, by: scene.germany)
        #expect(try await scene.knock(scene.enemy) == .refusedByPeer(.suspended))
        let other = try scene.node("other", of: scene.enemy)
        #expect(
            try await scene.knock(other.certificate, scene.enemy.authority, other.key)
                == .refusedByPeer(.suspended))
        let back = Reinstatement(
            space: scene.space, subject: scene.enemy.id, suspensions: [act.hash], timestamp: testNow)
        try await scene.decide(back, by: scene.spain, scene.germany)
        #expect(try await scene.knock(scene.enemy) == nil)
        try await scene.madrid.stop()
    }

    @Test("a revoked node is refused, its member's others are not, and nobody revokes another's")
    func revoked() async throws {
        let scene = try await Scene()
        func revocation(_ node: Certificate) -> Revocation {
            Revocation(
                space: scene.space, node: NodeID(certificate: node), keeps: VersionVector(), reason: "lost",
                timestamp: testNow)
        }
        try await scene.decide(revocation(scene.germany.node), by: scene.germany)
        #expect(try await scene.knock(scene.germany) == .refusedByPeer(.suspended))
        let other = try scene.node("other", of: scene.germany)
        #expect(try await scene.knock(other.certificate, scene.germany.authority, other.key) == nil)
        // By the enemy's signature it is the enemy's node that is revoked, whose key that may be.
        try await scene.decide(revocation(other.certificate), by: scene.enemy)
        #expect(try await scene.knock(other.certificate, scene.germany.authority, other.key) == nil)
        try await scene.madrid.stop()
    }

    @Test("a replaced authority vouches for no new node")
    func replacedAuthority() async throws {
        let scene = try await Scene()
        let next = try TestMember("DEU")
        let rotation = try Rotation(
            space: scene.space, subject: scene.germany.id, replaces: scene.germany.id.digest,
            certificate: next.authority.der, key: next.authorityKey, timestamp: testNow)
        try await scene.decide(rotation, by: scene.germany)
        let late = try scene.node("late", of: scene.germany)
        #expect(
            try await scene.knock(late.certificate, scene.germany.authority, late.key)
                == .refusedByPeer(.unknownAuthority))
        #expect(try await scene.knock(next) == nil)
        try await scene.madrid.stop()
    }

    @Test("an invented rotation opens the door to nobody, and shuts it on nobody")
    func inventedRotation() async throws {
        let scene = try await Scene()
        let mine = try TestMember("DEU")
        let rotation = try Rotation(
            space: scene.space, subject: scene.germany.id, replaces: scene.germany.id.digest,
            certificate: mine.authority.der, key: mine.authorityKey, timestamp: testNow)
        for signed in [
            try SignedAct(act: rotation.encoded, signer: scene.germany.id, key: mine.authorityKey),
            try scene.enemy.sign(rotation),
        ] { try await scene.carry(signed) }
        #expect(try await scene.knock(mine) == .refusedByPeer(.unknownAuthority))
        #expect(try await scene.knock(scene.germany) == nil)
        try await scene.madrid.stop()
    }

    // MARK: Receipts

    @Test("forged receipts, receipts of others and receipts from the future are not kept")
    func receipts() async throws {
        let scene = try await Scene()
        let keeper = ReceiptKeeper(store: scene.madrid.store)
        let holds = VersionVector([Dot(ReplicaID(Bytes16(high: 1, low: 1)), 5)])
        func receipt(
            of member: TestMember, by signer: TestMember? = nil, at timestamp: Int64 = testNow,
            key: PrivateKey? = nil,
            in space: SpaceID? = nil
        ) throws -> Receipt {
            let signer = signer ?? member
            return try Receipt(
                space: space ?? scene.space, member: member.id, holds: holds, timestamp: timestamp,
                certificate: signer.node, key: key ?? signer.nodeKey)
        }
        func refused(_ receipts: Receipt...) async throws -> ErrorCode? {
            let kept = try await keeper.keep(receipts, in: scene.space, now: testNow)
            #expect(kept.new.isEmpty)
            return kept.refusal?.code
        }
        let (germany, enemy) = (scene.germany, scene.enemy)
        #expect(try await refused(receipt(of: germany, key: enemy.nodeKey)) == .badReceipt)
        #expect(try await refused(receipt(of: germany, by: enemy)) == .badReceipt)
        #expect(try await refused(receipt(of: try TestMember("NOR"))) == .badReceipt)
        #expect(try await refused(receipt(of: try TestMember("DEU"))) == .badReceipt)
        let future = testNow + Limits.receiptClockAhead + 1
        #expect(try await refused(receipt(of: enemy, at: future)) == .badReceipt)
        #expect(try await refused(receipt(of: germany, in: SpaceID(SHA256.hash([1])))) == .badReceipt)
        #expect(try keeper.all(of: scene.space).isEmpty)
        // A true one is kept, an older one and one that follows at once are not.
        let genuine = try receipt(of: germany)
        #expect(try await keeper.keep([genuine], in: scene.space, now: testNow).new == [genuine])
        #expect(try await refused(try receipt(of: germany, at: testNow - 1)) == nil)
        #expect(try await refused(try receipt(of: germany, at: testNow + 1)) == nil)
        #expect(try keeper.all(of: scene.space) == [genuine])
        try await scene.madrid.stop()
    }

    @Test("one member's nodes cannot fill the room of the others' receipts")
    func receiptFlood() async throws {
        let scene = try await Scene()
        let keeper = ReceiptKeeper(store: scene.madrid.store)
        let flood = try (0..<Limits.receiptsPerMember + 3).map { number in
            let node = try scene.node("n\(number)", of: scene.enemy)
            return try Receipt(
                space: scene.space, member: scene.enemy.id, holds: VersionVector(), timestamp: testNow,
                certificate: node.certificate, key: node.key)
        }
        let kept = try await keeper.keep(flood, in: scene.space, now: testNow)
        #expect(kept.new.count == Limits.receiptsPerMember && kept.refused == 3)
        #expect(kept.refusal?.code == .badReceipt)
        let genuine = try Receipt(
            space: scene.space, member: scene.germany.id, holds: VersionVector(), timestamp: testNow,
            certificate: scene.germany.node, key: scene.germany.nodeKey)
        #expect(try await keeper.keep([genuine], in: scene.space, now: testNow).new == [genuine])
        try await scene.madrid.stop()
    }
}
