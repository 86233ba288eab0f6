// Suspension, revocation, departure and reinstatement as real stores live them: rule C.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("Suspension")
struct SuspensionTests {
    private func sign(_ act: any FormalAct, by party: Party) throws -> RecordEdit {
        .act(try SignedAct(act: act.encoded, key: party.key))
    }

    /// What a store holds of a member's replicas.
    private func held(_ member: Party, at site: Site) throws -> VersionVector {
        VersionVector(
            try site.store.nodes(site.space).filter { $0.member == member.id }.map {
                Dot($0.replica, $0.sequence)
            })
    }

    @Test("what a suspended member writes later is held and hidden, and comes back with its reinstatement")
    func roundTrip() async throws {
        let world = try World("ESP", "DEU", "FRA", admission: 2)
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let before = try await c.contact("Before")
        try await exchange(a, b, c)
        let act = Suspension(
            space: a.space, subject: c.party.id, keeps: try held(c.party, at: a), reason: "why", timestamp: 7)
        try await a.write(try sign(act, by: a.party))
        #expect(try a.store.roster(a.space).role(c.party.id) == .member)
        try await a.send(to: b)
        try await b.write(try sign(act, by: b.party))
        #expect(try b.store.roster(b.space).role(c.party.id) == nil)
        // C has not heard of it.
        let after = try await c.contact("After")
        try await c.write(.update(before, [.set("name", .text("Changed"))]))
        try await c.send(to: b)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Before"])
        try await exchange(a, b, c)
        try await expectEqual([a, b, c])
        #expect(try c.store.records(RecordQuery()).map(\.title) == ["Before"])
        #expect(
            await c.refusal(.create(kind: "contact", fields: [.set("name", .text("No"))])) == .notInStanding)
        let back = Reinstatement(space: a.space, subject: c.party.id, suspensions: [act.hash], timestamp: 9)
        try await a.write(try sign(back, by: a.party))
        try await a.send(to: b)
        try await b.write(try sign(back, by: b.party))
        try await exchange(a, b, c)
        #expect(try a.record(after).title == "After")
        #expect(try a.record(before).title == "Changed")
        _ = try await c.contact("Again")
        try await exchange(a, b, c)
        try await expectEqual([a, b, c])
    }

    @Test("what others built upon stays, also beyond the cut-off")
    func builtUpon() async throws {
        let world = try World("ESP", "DEU", "FRA")
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        let meeting = try await c.meeting("Theirs")
        _ = try await c.contact("Tail")
        try await exchange(a, b, c)
        let act = Suspension(
            space: a.space, subject: c.party.id, keeps: VersionVector(), reason: "", timestamp: 7)
        // B builds upon the meeting without knowing of the suspension.
        try await b.write(.update(meeting, [.set("city", .text("Berlin"))]))
        try await a.write(try sign(act, by: a.party))
        try await b.send(to: a)
        try await a.send(to: b)
        try await b.write(try sign(act, by: b.party))
        try await exchange(a, b, c)
        // B's change depended on all that it had applied of C.
        #expect(try a.store.records(RecordQuery()).map(\.title).sorted() == ["Tail", "Theirs"])
        try await expectEqual([a, b, c])
    }

    @Test("a revoked node's changes end at the cut-off, and the member's other node writes on")
    func revocation() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let laptop = try await world.site(0, node: "laptop")
        let contact = try await laptop.contact("In the field")
        try await exchange(a, b, laptop)
        let keeps = VersionVector(
            try a.store.nodes(a.space).filter { $0.nodeName == "laptop" }.map { Dot($0.replica, $0.sequence) }
        )
        try await laptop.write(.update(contact, [.set("name", .text("By the thief"))]))
        try await laptop.send(to: b)
        let node = NodeID(certificate: laptop.signer.certificate)
        let act = Revocation(space: a.space, node: node, keeps: keeps, reason: "lost", timestamp: 7)
        try await a.write(try sign(act, by: a.party))
        try await exchange(a, b, laptop)
        #expect(try b.record(contact).title == "In the field")
        #expect(
            await laptop.refusal(.create(kind: "contact", fields: [.set("name", .text("No"))]))
                == .notInStanding)
        try await a.write(.update(contact, [.set("name", .text("By headquarters"))]))
        try await exchange(a, b, laptop)
        #expect(try laptop.record(contact).title == "By headquarters")
        try await expectEqual([a, b, laptop])
    }

    @Test("who left writes nothing more, and may be admitted again")
    func departure() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        _ = try await b.contact("Ours")
        try await exchange(a, b)
        let act = Departure(
            space: a.space, subject: b.party.id, standing: [a.space.digest], keeps: try held(b.party, at: b),
            timestamp: 7)
        try await b.write(try sign(act, by: b.party))
        #expect(
            await b.refusal(.create(kind: "contact", fields: [.set("name", .text("No"))])) == .notYetAdmitted)
        try await exchange(a, b)
        #expect(try a.store.roster(a.space).entry(b.party.id) == nil)
        #expect(try a.store.records(RecordQuery()).map(\.title) == ["Ours"])
        try await a.write(.act(try a.party.admission(of: b.party, to: a.space, at: 8)))
        try await exchange(a, b)
        _ = try await b.contact("Again")
        try await exchange(a, b)
        #expect(try a.store.records(RecordQuery()).map(\.title) == ["Ours", "Again"])
        try await expectEqual([a, b])
    }

    @Test("a rotated authority certifies new nodes, the old one no more, and old nodes write on")
    func rotation() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        _ = try await a.contact("Before")
        try await exchange(a, b)
        let next = try Party("ESP", "Spain")
        let act = try Rotation(
            space: a.space, subject: a.party.id, replaces: a.party.id.digest, certificate: next.authority.der,
            key: next.key, timestamp: 7)
        try await a.write(try sign(act, by: a.party))
        _ = try await a.contact("By the old node")
        try await exchange(a, b)
        // A node that the old authority certifies only now begins no replica.
        let late = try await world.site(0, node: "late")
        try await a.send(to: late)
        #expect(
            await late.refusal(.create(kind: "contact", fields: [.set("name", .text("No"))]))
                == .notInStanding)
        let new = Signer(try next.node("new"), for: a.party.id)
        let written = try await late.store.write(
            .create(kind: "contact", fields: [.set("name", .text("By the new node"))]), in: late.space,
            by: new,
            at: 9)
        try await exchange(a, b, late)
        #expect(try b.record(written.created[0]).owner == "ESP")
        #expect(try b.store.records(RecordQuery()).count == 3)
        try await expectEqual([a, b, late])
    }

    @Test("who takes over another's identity writes its records")
    func predecessor() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await b.contact("Ours")
        try await exchange(a, b)
        let heir = try Party("DEU", "Germany")
        let admission = Admission(
            space: a.space, subject: try MemberStatement(authority: heir.authority), role: .member,
            predecessor: b.party.id, timestamp: 7)
        try await a.write(try sign(admission, by: a.party))
        let c = try await Site(heir, world.charter, inviter: a.party)
        try await a.send(to: c)
        try await c.write(.update(contact, [.set("name", .text("Taken over"))]))
        try await exchange(a, b, c)
        #expect(try b.record(contact).title == "Taken over")
        try await expectEqual([a, b, c])
    }
}

extension Signer {
    /// The same node as one of another member: of an authority that succeeded the founding one.
    fileprivate init(_ signer: Signer, for member: MemberID) {
        self.init(certificate: signer.certificate, member: member, key: signer.key)
    }
}

extension ReplicaStore {
    fileprivate func write(
        _ edit: RecordEdit, in space: SpaceID, by signer: Signer, at now: Int64
    ) async throws -> WrittenChange {
        try await write([edit], in: space, by: signer, author: "ana", now: now)
    }
}
