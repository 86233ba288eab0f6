// Replicas that signed two changes of one number: by a lie, or because a database was set back or copied.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("Branches")
struct BranchTests {
    /// A node that forks after one contact: two stores under one replica.
    private func fork(
        _ world: World
    ) async throws -> (a: Site, twin: Site, b: Site, c: Site) {
        let (a, b, c) = (try await world.site(0), try await world.site(1), try await world.site(2))
        _ = try await a.contact("Ana")
        let folder = try Folder()
        let copy = folder.path + "/copy.db"
        try a.store.copyForTests(from: a.path, to: copy)
        let twin = Site(a, store: try ReplicaStore(path: copy), folder: folder)
        return (a, twin, b, c)
    }

    @Test("what others built upon stays on both branches, and all agree, whoever heard first of which")
    func builtUpon() async throws {
        let (a, twin, b, c) = try await fork(try World("ESP", "DEU", "FRA"))
        let left = try await a.meeting("Left")
        let right = try await twin.meeting("Right", at: 2_000)
        // B sees the first change of the left branch, C the right one; both build upon it.
        try await a.send(to: b)
        try await b.write(.update(left, [.set("city", .text("Berlin"))]))
        _ = try await a.contact("Tail of the left")
        try await twin.send(to: c)
        try await c.write(.update(right, [.set("city", .text("Paris"))]))
        try await a.send(to: b)
        try await exchange(b, c)
        let titles = try b.store.records(RecordQuery()).map(\.title).sorted()
        #expect(titles == ["Ana", "Left", "Right"])
        try await expectEqual([b, c])
        try await b.send(to: a)
        try await c.send(to: twin)
        try await expectEqual([a, b, c, twin])
    }

    @Test("two branches that create a record of one id share it, and show what both wrote")
    func oneRecord() async throws {
        let (a, twin, b, c) = try await fork(try World("ESP", "DEU", "FRA"))
        let left = try await a.meeting("Left")
        let right = try await twin.meeting("Right")
        #expect(left == right)
        try await a.send(to: b)
        try await b.write(.update(left, [.set("city", .text("Berlin"))]))
        try await twin.send(to: c)
        try await c.write(.update(right, [.set("city", .text("Paris"))]))
        try await exchange(b, c)
        #expect(try b.record(left).conflicts.map(\.field) == ["city", "title"])
        try await expectEqual([b, c])
        try await b.write(.resolve(left, field: "title", .take(1)))
        try await exchange(b, c)
        #expect(try c.record(left).conflicts.map(\.field) == ["city"])
        try await expectEqual([b, c])
    }

    @Test("a forked replica is written no more: the next change begins a new one")
    func newReplica() async throws {
        let (a, twin, b, _) = try await fork(try World("ESP", "DEU", "FRA"))
        _ = try await a.contact("Eva")
        _ = try await twin.contact("Ida")
        let forked = try #require(try a.store.ownHead(a.space)?.replica)
        try await twin.send(to: b)
        try await a.send(to: b)
        try await b.send(to: a)
        #expect(try a.store.ownHead(a.space) == nil)
        _ = try await a.contact("Ona")
        #expect(try a.store.ownHead(a.space)?.replica != forked)
        try await exchange(a, b)
        #expect(try b.store.records(RecordQuery()).map(\.title).sorted() == ["Ana", "Ona"])
        try await expectEqual([a, b])
    }

    @Test("a database that was set back and went on writing brings all that it wrote back into effect")
    func adoption() async throws {
        let (a, setBack, b, c) = try await fork(try World("ESP", "DEU", "FRA"))
        _ = try await a.contact("Eva")
        let ida = try await setBack.contact("Ida", at: 2_000)
        try await setBack.write(.update(ida, [.set("role", .text("focal point"))]))
        try await a.send(to: b)
        try await b.send(to: setBack)
        try await setBack.send(to: b)
        #expect(try b.store.records(RecordQuery()).map(\.title) == ["Ana"])
        let adopted = try await setBack.store.adoptOwnBranches(
            in: setBack.space, by: setBack.signer, author: "daemon", now: 3_000)
        #expect(adopted == 3)
        #expect(
            try await setBack.store.adoptOwnBranches(
                in: setBack.space, by: setBack.signer, author: "daemon", now: 3_000) == 0)
        _ = try await setBack.contact("Ona", at: 4_000)
        try await exchange(setBack, b, c)
        #expect(try c.store.records(RecordQuery()).map(\.title).sorted() == ["Ana", "Eva", "Ida", "Ona"])
        #expect(try c.record(ida).fields["role"] == .string("focal point"))
        try await expectEqual([setBack, b, c])
    }

    @Test("three branches, one of them forked again and an earlier fork learned later")
    func tree() async throws {
        let world = try World("ESP", "DEU", "FRA")
        let (b, c) = (try await world.site(1), try await world.site(2))
        var chain = try HandChain(try world.parties[0].node("mission"), b.space)
        var trunk = [try chain.bind()]
        var marks: [(dot: Dot, hash: Digest)] = [chain.head]
        for name in ["1", "2", "3", "4"] {
            trunk.append(try chain.contact(name))
            marks.append(chain.head)
        }
        chain.head = marks[3]
        let late = [try chain.contact("late"), try chain.contact("later")]
        chain.head = marks[1]
        let early = [try chain.contact("early")]
        chain.head = (Dot(chain.replica, 0), Change.chainRoot(space: b.space, replica: chain.replica))
        let root = [try chain.contactAfterOtherBeginning()]
        for runs in [trunk, late, early, root] { _ = try await b.store.receive(runs, in: b.space) }
        for runs in [root, early, late, trunk] {
            for _ in 0..<3 { _ = try await c.store.receive(runs, in: c.space) }
        }
        #expect(try b.store.held(b.space).heads.count == 4)
        #expect(try c.store.held(c.space).hash == b.store.held(b.space).hash)
        try await expectEqual([b, c])
        let third = try await world.site(0)
        try await b.send(to: third)
        try await expectEqual([b, c, third])
    }
}

extension HandChain {
    /// Another first change: the same binding with another seed.
    fileprivate mutating func contactAfterOtherBeginning() throws -> ChangeRun {
        try bind(label: "other hand")
    }
}
