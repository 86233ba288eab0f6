// Who may write is judged from the causal past of each change, and who is trusted from the effective roster.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite struct MembershipTests {
    @Test("a joiner writes only after its admission has arrived, and then everybody takes its changes")
    func joiner() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let namibia = try Party("NAM", "Namibia")
        let joiner = try await Site(namibia, world.charter, inviter: world.parties[0])
        #expect(
            await joiner.refusal(.create(kind: "contact", fields: [.set("name", text("x"))]))
                == .notYetAdmitted)
        #expect(try joiner.store.trustedAuthorities().map(\.member).contains(world.parties[0].id))
        try await a.write(.act(try world.parties[0].admission(of: namibia, to: a.space)))
        #expect(try a.store.roster(a.space).role(namibia.id) == .member)
        #expect(try a.store.trustedAuthorities().contains { $0.member == namibia.id && $0.code == "NAM" })
        try await a.send(to: joiner)
        let contact = try await joiner.contact("Nelao")
        try await joiner.send(to: a)
        try await a.send(to: b)
        #expect(try b.record(contact).owner == "NAM")
        #expect(try b.store.nodes(b.space).map(\.code).sorted() == ["ESP", "NAM"])
        try await expectEqual([a, b, joiner])
    }

    @Test("an inviter that is no founder is trusted until the roster names it")
    func inviter() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let (berlin, namibia) = (try Party("DEU", "Germany"), try Party("NAM", "Namibia"))
        let joiner = try await Site(namibia, world.charter, inviter: berlin)
        #expect(try joiner.store.trustedAuthorities().map(\.code).sorted() == ["DEU", "ESP"])
        #expect(try joiner.store.space(joiner.space).inviter?.code == "DEU")
        try await a.write(.act(try world.parties[0].admission(of: berlin, to: a.space)))
        try await a.send(to: joiner)
        #expect(try joiner.store.space(joiner.space).inviter == nil)
        #expect(try joiner.store.trustedAuthorities().map(\.code).sorted() == ["DEU", "ESP"])
        await #expect(throws: ConcordError.self) { try await joiner.store.addSpace(world.charter) }
    }

    @Test("an observer reads and does not write")
    func observer() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let oslo = try Party("NOR", "Norway")
        let b = try await Site(oslo, world.charter)
        try await a.write(.act(try world.parties[0].admission(of: oslo, to: a.space, as: .observer)))
        try await a.send(to: b)
        #expect(try b.store.roster(b.space).role(oslo.id) == .observer)
        #expect(
            await b.refusal(.create(kind: "contact", fields: [.set("name", text("x"))])) == .notInStanding)
    }

    @Test("an admission counts when as many members as the charter asks have endorsed it")
    func threshold() async throws {
        let world = try World("ESP", "DEU", admission: 2)
        let (a, b) = (try await world.site(0), try await world.site(1))
        let namibia = try Party("NAM", "Namibia")
        let c = try await Site(namibia, world.charter)
        let first = try world.parties[0].admission(of: namibia, to: a.space)
        let key = world.parties[1].key
        try await a.write(.act(first))
        try await exchange(a, b)
        #expect(try b.store.roster(b.space).role(namibia.id) == nil)
        try await a.send(to: c)
        #expect(
            await c.refusal(.create(kind: "contact", fields: [.set("name", text("x"))])) == .notYetAdmitted)
        try await b.write(.act(try SignedAct(act: first.act, key: key)))
        try await exchange(a, b)
        #expect(try a.store.roster(a.space).role(namibia.id) == .member)
        try await a.send(to: c)
        _ = try await c.contact("Nelao")
        try await c.send(to: b)
        try await exchange(a, b, c)
        try await expectEqual([a, b, c])
    }

    @Test(
        "an act that its subject signed, or that bears a forged signature, has no effect"
    )
    func invalidActs() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let namibia = try Party("NAM", "Namibia")
        // Its own signature under its own admission, and a founder's name over another's signature.
        let own = try namibia.admission(of: namibia, to: a.space)
        try await a.write(.act(own))
        try await a.write(
            .act(SignedAct(act: own.act, signer: world.parties[0].id, signature: own.signature)))
        try await exchange(a, b)
        #expect(try b.store.roster(b.space).role(namibia.id) == nil)
        let elsewhere = try World("ESP")
        let foreign = try world.parties[0].admission(of: namibia, to: elsewhere.charter.charter.space)
        #expect(await a.refusal(.act(foreign)) == .malformedAct)
        try await expectEqual([a, b])
    }

    @Test("two certificates of one authority's key are as good in either order of arrival")
    func twoCertificates() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let namibia = try Party("NAM", "Namibia")
        // A code that an authority certificate may have and a statement may not.
        let code = String(repeating: "é", count: 40)
        let other = try CertificateIssuer.authority(
            subject: CertificateSubject(memberCode: code, memberName: "Namibia", commonName: "second"),
            key: namibia.key, notBefore: 1_700_000_000, notAfter: 2_500_000_000)
        func admission(_ certificate: Certificate) throws -> Entry {
            let subject = try MemberStatement(code: "NAM", name: "Namibia", certificate: certificate.der)
            let act = Admission(
                space: a.space, subject: subject, role: .member, predecessor: nil, timestamp: 1)
            let signed = try SignedAct(act: act.encoded, key: world.parties[0].key)
            return Entry(record: nil, operations: [.act(signed)])
        }
        var first = try HandChain(try world.parties[0].node("one"), a.space)
        var second = try HandChain(try world.parties[0].node("two"), a.space)
        let one = [try first.bind(), try first.run(try admission(namibia.authority))]
        let two = [try second.bind(), try second.run(try admission(other))]
        var joiner = try HandChain(try namibia.node("windhoek"), a.space)
        let runs = [try joiner.bind(after: [first.head, second.head]), try joiner.contact("Nelao")]
        #expect(try await a.store.receive(one + two + runs, in: a.space).refusal == nil)
        #expect(try await b.store.receive(two + one + runs, in: b.space).refusal == nil)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Nelao"])
        try await expectEqual([a, b])
    }

    @Test("nobody introduces a key that is not theirs: an authority certificate is signed with its own key")
    func foreignKey() throws {
        let namibia = try Party("NAM", "Namibia")
        var der = namibia.authority.der
        der[der.count - 1] ^= 1
        let altered = try Certificate(der: der)
        #expect(altered.publicKey == namibia.key.publicKey)
        #expect(throws: ConcordError.self) { try MemberStatement(authority: altered) }
        #expect(throws: ConcordError.self) { try MemberStatement(code: "NAM", name: "x", certificate: der) }
    }
}
