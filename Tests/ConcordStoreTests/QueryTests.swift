// Lists, prefixes, search, the log, and the tables that concern one node alone.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite struct QueryTests {
    private func site() async throws -> Site { try await World("ESP", "DEU").site(0) }

    @Test("lists are narrowed by kind, owner, value, parent and number")
    func lists() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        let ana = try await a.contact("Ana")
        try await a.write(
            .update(ana, [.add("areas", text("mediation")), .set("role", text("focal point"))]))
        _ = try await b.contact("Bert")
        let meeting = try await a.meeting("Founding")
        try await a.write(.update(meeting, [.set("speakers", .integer(12))]))
        try await exchange(a, b)
        func titles(_ query: RecordQuery) throws -> [String] {
            try b.store.records(query).map(\.title).sorted()
        }
        #expect(try titles(RecordQuery()) == ["Ana", "Bert", "Founding"])
        #expect(try titles(RecordQuery(space: b.space, kind: "contact")) == ["Ana", "Bert"])
        #expect(try titles(RecordQuery(owner: "DEU")) == ["Bert"])
        #expect(
            try titles(RecordQuery(whereEquals: [FieldCondition(field: "areas", value: "mediation")])) == [
                "Ana"
            ])
        #expect(
            try titles(RecordQuery(whereEquals: [FieldCondition(field: "speakers", value: "12")])) == [
                "Founding"
            ])
        #expect(try titles(RecordQuery(whereEquals: [FieldCondition(field: "role", value: "'")])) == [])
        #expect(try b.store.records(RecordQuery(limit: 1, offset: 1)).count == 1)
        #expect(throws: ConcordError.self) { try b.store.records(RecordQuery(kind: "planet")) }
        #expect(throws: ConcordError.self) {
            try b.store.records(RecordQuery(whereEquals: [FieldCondition(field: "x\"", value: "1")]))
        }
        #expect(try b.store.counts(b.space).kinds == ["contact": 2, "meeting": 1])
    }

    @Test("an id may be shortened while it is unique")
    func prefixes() async throws {
        let a = try await site()
        let first = try await a.contact("Ana", at: 1_700_000_000_000)
        _ = try await a.contact("Eva", at: 1_700_000_000_001)
        #expect(try a.store.record(idPrefix: first.description.uppercased()).title == "Ana")
        #expect(try a.store.record(idPrefix: String(first.description.prefix(13))).title == "Ana")
        let codes = ["0", "zz", "", first.description + "0", "018b"].map { prefix in
            #expect(throws: ConcordError.self) { try a.store.record(idPrefix: prefix) }?.code
        }
        #expect(
            codes == [
                .ambiguousIdentifier, .unknownRecord, .unknownRecord, .unknownRecord, .ambiguousIdentifier,
            ])
    }

    @Test("search finds words without regard to case and accents, and takes any text as words")
    func search() async throws {
        let a = try await site()
        let ana = try await a.contact("Ana Núñez")
        try await a.write(.update(ana, [.add("areas", text("National action plan"))]))
        _ = try await a.meeting("On action")
        func found(_ text: String) async throws -> [String] {
            try await a.store.search(text).map(\.record.title)
        }
        #expect(try await found("nunez") == ["Ana Núñez"])
        #expect(try await found("ACTION plan") == ["Ana Núñez"])
        #expect(try await a.store.search("action", kind: "meeting").map(\.record.title) == ["On action"])
        for text in ["\"", "a AND", "NEAR(", "* - ^", "", "()", "name:x", "' OR 1"] {
            #expect(try await found(text) == [])
        }
        #expect(try await a.store.search("plan").first?.snippet.contains("plan") == true)
        try await a.write(.delete(ana))
        #expect(try await found("nunez") == [])
        try await a.write(.restore(ana), .update(ana, [.set("name", text("Anna"))]))
        #expect(try await found("anna") == ["Anna"])
        #expect(try await found("nunez") == [])
        #expect(try await a.store.indexSearch(maximum: 10) == 0)
    }

    @Test("the log says who did what, on which record, and whether it had effect")
    func log() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0, node: "madrid"), try await world.site(1))
        let ana = try await a.contact("Ana", at: 5_000)
        try await a.write(.update(ana, [.set("phone", text("1"))]), at: 6_000, by: "eva")
        _ = try await a.meeting("Founding", at: 7_000)
        try await exchange(a, b)
        let log = try b.store.log(LogQuery(record: ana))
        #expect(log.map(\.author) == ["eva", "ana"])
        #expect(log[0].operations.map(\.operation) == ["set"])
        #expect(log[0].operations[0].value == .string("1"))
        #expect(log[1].operations.map(\.operation) == ["create", "set"])
        #expect(log.allSatisfy { $0.effective && $0.member == "ESP" && $0.node == "madrid" })
        #expect(log.flatMap(\.operations).allSatisfy { $0.allowed && $0.record == ana.description })
        #expect(try b.store.log(LogQuery(since: 6_000)).count == 2)
        #expect(try b.store.log(LogQuery(member: "DEU")).count == 0)
        #expect(try b.store.log(LogQuery(space: b.space, limit: 2)).count == 2)
        #expect(try b.store.log(LogQuery()).last?.operations.map(\.operation) == ["bind"])
    }

    @Test("peers, addresses, pauses and the last backup are remembered")
    func local() async throws {
        let a = try await site()
        var peer = KnownPeer(
            node: NodeID(SHA256.hash([1])), member: a.party.id, name: "berlin", addresses: ["b:1", "c:2"])
        try await a.store.rememberPeer(peer)
        peer.lastHeard = 7
        peer.lastError = PeerError(code: "E-3015", message: "gone", at: 8)
        try await a.store.rememberPeer(peer)
        #expect(try a.store.peers() == [peer])
        try await a.store.forgetPeer(peer.node)
        #expect(try a.store.peers() == [])
        try await a.store.addAddress("x:1")
        try await a.store.addAddress("x:1")
        #expect(try a.store.manualAddresses() == ["x:1"])
        #expect(try await a.store.removeAddress("x:1"))
        #expect(try await a.store.removeAddress("x:1") == false)
        try await a.store.setPaused(a.party.id, true)
        try await a.store.setPaused(nil, true)
        #expect(try a.store.pausedMembers() == PausedMembers(all: true, members: [a.party.id]))
        try await a.store.setPaused(nil, false)
        #expect(try a.store.pausedMembers() == PausedMembers(all: false, members: []))
        #expect(try a.store.backupRecord() == nil)
        try await a.store.recordBackup(.init(at: 5))
        try await a.store.recordRefusedBackup(at: 7)
        #expect(try a.store.backupRecord() == BackupRecord(at: 5), "the last good one")
        #expect(try a.store.refusedBackup() == 7)
        try await a.store.recordBackup(.init(at: 9, path: "/b", bytes: 3))
        #expect(try a.store.backupRecord() == BackupRecord(at: 9, path: "/b", bytes: 3))
        #expect(try a.store.refusedBackup() == nil)
        let held = try a.store.held(a.space)
        #expect(held.vector.isEmpty)
    }
}
