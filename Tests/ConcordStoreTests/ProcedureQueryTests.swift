import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("What written procedure asks of the store")
struct ProcedureQueryTests {
    @Test("endorsements stand with their carriers, in the order of the log, whoever carried them")
    func endorsements() async throws {
        let world = try World("ESP", "DEU", admission: 2)
        let (a, b) = (try await world.site(0), try await world.site(1))
        let namibia = try Party("NAM", "Namibia")
        let first = try world.parties[0].admission(of: namibia, to: a.space)
        let second = try SignedAct(act: first.act, key: world.parties[1].key)
        let carrier = try await a.write(.act(first), at: 5_000).dot
        try await a.send(to: b)
        #expect(try b.store.endorsements(b.space).map(\.carrier) == [carrier])
        // Each node carries what it was handed, also a signature of another member.
        let other = try await b.write(.act(second), at: 6_000).dot
        try await exchange(a, b)
        for site in [a, b] {
            let held = try site.store.endorsements(site.space)
            #expect(held.map(\.carrier) == [carrier, other])
            #expect(held.map(\.endorsement.signer) == world.parties.map(\.id))
            #expect(Set(held.map(\.endorsement.hash)) == [first.hash])
            #expect(held.map(\.at) == [5_000, 6_000])
            #expect(held.map(\.isEffective) == [true, true])
        }
    }

    @Test("an endorsement of somebody who was not on the roster is none")
    func invalid() async throws {
        let world = try World("ESP", "DEU")
        let a = try await world.site(0)
        let namibia = try Party("NAM", "Namibia")
        try await a.write(.act(try namibia.admission(of: namibia, to: a.space)))
        #expect(try a.store.endorsements(a.space).isEmpty)
    }

    @Test("how far others built on a replica is what effective changes of other members knew of it")
    func builtUpon() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let mission = try await Site(world.parties[0], world.charter, node: "mission")
        _ = try await a.contact("Ana")
        let replica = try #require(try a.store.ownHead(a.space)).replica
        #expect(try a.store.builtUpon(a.space).isEmpty)
        // Another node of the same member does not count, another member does.
        try await a.send(to: mission)
        _ = try await mission.contact("Berta")
        try await mission.send(to: a)
        #expect(try a.store.builtUpon(a.space)[replica] == nil)
        try await a.send(to: b)
        _ = try await b.meeting("Berlin")
        _ = try await a.contact("Clara")
        try await exchange(a, b)
        let head = try #require(try a.store.ownHead(a.space))
        let (here, there) = (try a.store.builtUpon(a.space), try b.store.builtUpon(b.space))
        #expect(here[replica] == head.sequence - 1)
        #expect(here == there)
    }

    @Test("what the rules refused is listed with its author and the reason, the latest first")
    func refused() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let contact = try await a.contact("Ana")
        try await a.send(to: b)
        let head = try #require(try b.store.held(b.space).heads.first)
        let known = (dot: head.dot, hash: try #require(try a.store.ownHead(a.space)).hash)
        // What no honest node writes: another member's contact, and a record that nobody made.
        var hostile = try HandChain(try world.parties[1].node("mission"), b.space)
        let edit: [ConcordModel.Operation] = [
            .set(field: "name", value: text("Eve"), replacing: []),
            .set(field: "email", value: text("eve@example.org"), replacing: []),
        ]
        let invented = RecordID(Bytes16(high: 0x7000, low: 0x8000_0000_0000_0001))
        let runs = [
            try hostile.bind(after: [known]), try hostile.run(Entry(record: contact, operations: edit)),
            try hostile.run(Entry(record: invented, operations: [.delete(seen: VersionVector())])),
        ]
        #expect(try await b.store.receive(runs, in: b.space).refusal == nil)
        let refused = try b.store.refused(limit: 10)
        #expect(refused.map(\.record) == [invented.description, contact.description])
        #expect(refused.map(\.operations) == [["delete"], ["set"]])
        #expect(refused.map(\.member) == ["DEU", "DEU"])
        #expect(refused.map(\.node) == ["mission", "mission"])
        #expect(refused.allSatisfy { !$0.own && $0.space == b.space.description && $0.author == "hand" })
        #expect(refused[0].reason.contains("not known to the author"))
        #expect(refused[1].reason == "the record belongs to another member")
        #expect(try b.store.refused(space: b.space, limit: 1).count == 1)
        #expect(try b.record(contact).title == "Ana")
        #expect(try a.store.refused(limit: 10).isEmpty)
    }

    @Test("the latest time is that of the change with the latest clock among the last")
    func latestTime() async throws {
        let a = try await World("ESP").site(0)
        #expect(try a.store.latestTime(of: 10) == nil)
        _ = try await a.contact("Ana", at: 9_000)
        _ = try await a.contact("Berta", at: 2_000)
        let latest = try #require(try a.store.latestTime(of: 10))
        #expect(latest.at == 9_000)
        #expect(latest.member == "ESP")
        #expect(latest.node == "hq")
        #expect(try a.store.latestTime(of: 1)?.at == 2_000)
    }
}
