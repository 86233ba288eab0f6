// What is received is believed only as far as signatures and hashes go.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import TestSupport

@Suite struct ReceivingTests {
    private func pair() async throws -> (Site, Site) {
        let world = try World("ESP", "DEU")
        return (try await world.site(0), try await world.site(1))
    }

    @Test("an altered change is refused, and everything good before it is applied")
    func altered() async throws {
        let (a, b) = try await pair()
        _ = try await a.contact("Ana")
        let good = try a.allRuns()
        let before = try a.store.held(a.space).vector
        _ = try await a.contact("Eva")
        let run = try #require(try a.allRuns(excluding: before).first)
        var changes = run.changes
        let place = try #require(changes[0].indices.last { changes[0][$0] == UInt8(ascii: "E") })
        changes[0][place] = UInt8(ascii: "I")
        let forged = ChangeRun(
            replica: run.replica, firstSequence: run.firstSequence, previous: run.previous, changes: changes,
            signature: run.signature)
        let outcome = try await b.store.receive(good + [forged], in: b.space)
        #expect(outcome.refusal?.code == .badSignature)
        #expect(outcome.applied == 2)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Ana"])
        #expect(try await b.store.receive([run], in: b.space).applied == 1)
        try await expectEqual([a, b])
    }

    @Test("bytes that are no change are refused as malformed")
    func malformed() async throws {
        let (a, b) = try await pair()
        _ = try await a.contact("Ana")
        let run = try a.allRuns()[0]
        let junk = ChangeRun(
            replica: run.replica, firstSequence: 1, previous: run.previous, changes: [[0xff, 0x00]],
            signature: run.signature)
        #expect(try await b.store.receive([junk], in: b.space).refusal?.code == .malformedChange)
        let empty = ChangeRun(
            replica: run.replica, firstSequence: 1, previous: run.previous, changes: [],
            signature: run.signature)
        #expect(try await b.store.receive([empty], in: b.space).refusal?.code == .malformedChange)
        let far = ChangeRun(
            replica: run.replica, firstSequence: .max, previous: run.previous, changes: run.changes,
            signature: run.signature)
        #expect(try await b.store.receive([far], in: b.space).refusal?.code == .malformedChange)
        #expect(try b.store.held(b.space).vector.isEmpty)
    }

    @Test("what comes too early waits, and is applied when what it needs has come")
    func heldBack() async throws {
        let (a, b) = try await pair()
        var runs: [ChangeRun] = []
        for name in ["Ana", "Eva", "Ida"] {
            let before = try a.store.held(a.space).vector
            _ = try await a.contact(name)
            runs += try a.allRuns(excluding: before)
        }
        #expect(runs.map(\.changes.count) == [2, 1, 1])
        let late = try await b.store.receive([runs[2]], in: b.space)
        #expect(late.applied == 0)
        #expect(late.heldBack == 1)
        #expect(late.refusal == nil)
        let later = try await b.store.receive([runs[1], runs[0]], in: b.space)
        #expect(later.heldBack == 0)
        #expect(later.applied == 4)
        try await expectEqual([a, b])
    }

    @Test("an overlap with what is held is checked and passed over")
    func overlap() async throws {
        let (a, b) = try await pair()
        _ = try await a.contact("Ana")
        try await a.send(to: b)
        _ = try await a.contact("Eva")
        let outcome = try await b.store.receive(try a.allRuns(), in: b.space)
        #expect(outcome.applied == 1)
        #expect(outcome.refusal == nil)
        #expect(try await b.store.receive(try a.allRuns(), in: b.space).applied == 0)
        try await expectEqual([a, b])
    }

    @Test("of two different changes of one number both are held, and neither has effect")
    func equivocation() async throws {
        let (a, b) = try await pair()
        _ = try await a.contact("Ana")
        let folder = try Folder()
        let copy = folder.path + "/copy.db"
        try a.store.copyForTests(from: a.path, to: copy)
        let twin = Site(a, store: try ReplicaStore(path: copy), folder: folder)
        _ = try await a.contact("Eva")
        _ = try await twin.contact("Ida")
        try await a.send(to: b)
        let outcome = try await b.store.receive(try twin.allRuns(), in: b.space)
        #expect(try outcome.forked == a.store.ownHead(a.space)?.replica)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Ana"])
        #expect(try b.store.held(b.space).heads.count == 2)
        try await b.send(to: a)
        try await expectEqual([a, b])
    }

    @Test("a database that was set back takes in again what others hold of it, and writes under a new id")
    func setBack() async throws {
        let (a, b) = try await pair()
        _ = try await a.contact("Ana")
        let folder = try Folder()
        let copy = folder.path + "/copy.db"
        try a.store.copyForTests(from: a.path, to: copy)
        _ = try await a.contact("Eva")
        try await a.send(to: b)
        let old = Site(a, store: try ReplicaStore(path: copy), folder: folder)
        let before = try #require(try old.store.ownHead(old.space)?.replica)
        try await b.send(to: old)
        #expect(try old.store.ownHead(old.space) == nil)
        _ = try await old.contact("Ida")
        #expect(try old.store.ownHead(old.space)?.replica != before)
        try await old.send(to: b)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Ana", "Eva", "Ida"])
        try await expectEqual([old, b])
    }

    @Test("a run beyond the limit is refused, and joining runs never makes one")
    func longRuns() async throws {
        let world = try World("ESP", "DEU")
        let (a, b) = (try await world.site(0), try await world.site(1))
        var chain = try HandChain(try world.parties[1].node("mission"), a.space)
        func joined(_ runs: [ChangeRun]) throws -> ChangeRun {
            let (first, last) = (try #require(runs.first), try #require(runs.last))
            return ChangeRun(
                replica: first.replica, firstSequence: first.firstSequence, previous: first.previous,
                changes: runs.flatMap(\.changes), signature: last.signature)
        }
        let short = [try chain.bind(), try chain.contact(String(repeating: "a", count: 14_000))]
        let names = (0..<16).map { String(repeating: "\($0 % 10)", count: 16_000) }
        let long = try joined(try names.map { try chain.contact($0) })
        let more = try chain.contact("Ana")
        let tooLong = try joined(short + [long, more])
        #expect(try await a.store.receive([tooLong], in: a.space).refusal?.code == .limitExceeded)
        #expect(try await a.store.receive(short + [long, more], in: a.space).refusal == nil)
        let sent = try a.allRuns()
        #expect(sent.map(\.changes.count) == [2, 16, 1])
        #expect(sent.allSatisfy { $0.byteCount <= Limits.runBytes })
        #expect(try a.allRuns(maximumBytes: 1).map(\.changes.count) == [1, 1, 16, 1])
        try await a.send(to: b)
        try await expectEqual([a, b])
    }

    @Test("a chain of an authority that nobody admitted is refused")
    func unknownAuthority() async throws {
        let (a, _) = try await pair()
        let stranger = try Party("XYZ", "Stranger")
        var chain = try HandChain(try stranger.node("hq"), a.space)
        let runs = [try chain.bind(), try chain.contact("Eve")]
        #expect(try await a.store.receive(runs, in: a.space).refusal?.code == .unknownReplica)
    }
}

extension ReplicaStore {
    /// Copies the database with its write-ahead log as they lie there, as a crash would leave them.
    func copyForTests(from path: String, to copy: String) throws {
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
    }
}
