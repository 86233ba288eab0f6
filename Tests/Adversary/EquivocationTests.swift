// The enemy signs several changes of one number. All that the honest hold stays, the branches count only where somebody
// in standing built upon them, and nobody is cut off from anybody by it.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Synchronization
import Testing

@testable import TestSupport

@Suite("The enemy equivocates")
struct EquivocationTests {
    @Test("equivocates: two branches, each shown to another")
    func twoBranches() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let left = try chain.contact("Left")
        chain.head = fork
        let right = try chain.contact("Right")
        #expect(try await scene.a.store.receive([bind, left], in: scene.space).refusal == nil)
        #expect(try await scene.b.store.receive([bind, right], in: scene.space).refusal == nil)
        let outcome = try await scene.a.store.receive([right], in: scene.space)
        #expect(outcome.forked == chain.replica && outcome.refusal == nil)
        try await scene.settle()
        #expect(try scene.titles() == [], "neither counts")
    }

    @Test("equivocates: three branches, and again at an earlier change")
    func threeBranches() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        var places = [chain.head]
        var runs = [bind]
        for name in ["1", "2", "3"] {
            runs.append(try chain.contact(name))
            places.append(chain.head)
        }
        for (place, name) in [(2, "2a"), (2, "2b"), (1, "1a"), (0, "0a")] {
            chain.head = places[place]
            runs += [try chain.contact(name), try chain.contact(name + "+")]
        }
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        #expect(try scene.a.store.held(scene.space).heads.count == 5)
        #expect(try scene.titles() == [], "everything is beyond the lowest fork")
    }

    @Test("equivocates at the first change of its chain")
    func firstChange() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let left = try chain.contact("Left")
        chain.head = (Dot(chain.replica, 0), Change.chainRoot(space: scene.space, replica: chain.replica))
        let other = try chain.bind(label: "the other")
        let right = try chain.contact("Right")
        chain.head = (Dot(chain.replica, 0), Change.chainRoot(space: scene.space, replica: chain.replica))
        let third = try chain.bind(label: "a third")
        #expect(try await scene.deliver([bind, left, other, right, third]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == [])
    }

    @Test("equivocates, and honest members built upon both branches")
    func builtUponBoth() async throws {
        let scene = try await Scene()
        let (a, b) = (scene.a, scene.b)
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let (left, leftEntry) = chain.creation(of: "meeting", "Left")
        let leftRun = try chain.forge(Draft(leftEntry))
        let leftTail = try chain.contact("Left tail")
        chain.head = fork
        let (right, rightEntry) = chain.creation(of: "meeting", "Right")
        let rightRun = try chain.forge(Draft(rightEntry))
        #expect(left == right, "one number, one kind, one place: one id")
        _ = try await a.store.receive([bind, leftRun], in: scene.space)
        _ = try await b.store.receive([bind, rightRun], in: scene.space)
        try await a.write(.update(left, [.set("city", text("Madrid"))]))
        try await b.write(.update(right, [.set("city", text("Berlin"))]))
        try await scene.deliver([leftTail])
        try await scene.settle()
        #expect(try a.record(left).conflicts.map(\.field) == ["city", "title"])
        #expect(try scene.titles().count == 1, "what nobody built upon does not count")
    }

    @Test("equivocates so often that honest members could not pass on what they built upon")
    func tooManyBranches() async throws {
        let scene = try await Scene()
        let (a, b) = (scene.a, scene.b)
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let (meeting, entry) = chain.creation(of: "meeting", "Shown to B alone")
        let shown = try chain.forge(Draft(entry))
        _ = try await b.store.receive([bind, shown], in: scene.space)
        try await b.write(.update(meeting, [.set("city", text("Berlin"))]))
        var codes: Set<ErrorCode> = []
        for number in 0..<16 {
            chain.head = fork
            let branch = try chain.contact("Branch \(number)")
            codes.formUnion(
                try await a.store.receive(number == 0 ? [bind, branch] : [branch], in: scene.space)
                    .refusal.map { [$0.code] } ?? [])
        }
        #expect(codes.subtracting([.limitExceeded]).isEmpty)
        try await converge([a, b])
        #expect(try a.record(meeting).fields["city"] == .string("Berlin"))
    }

    @Test("writes with our stolen key under our own replica, at the very moment at which we do")
    func stolenKey() async throws {
        let scene = try await Scene()
        let a = scene.a
        _ = try await a.contact("Ana")
        try await scene.settle()
        // The thief has the key and knows the chain.
        var thief = try HandChain(a.signer, scene.space)
        thief.head = try a.head()
        let replica = thief.head.dot.replica
        let record = RecordID(
            space: scene.space, kind: "contact", dot: Dot(replica, thief.head.dot.sequence + 1), index: 0,
            timestamp: 5)
        let entry = Entry(
            record: record,
            operations: [
                .create(kind: "contact", parent: nil), .set(field: "name", value: text("Eve"), replacing: []),
            ])
        let stolen = try thief.forge(Draft(entry), as: replica)
        // While A's own write stands in its transaction, the thief's change is verified against what was before. Giving
        // way gives that its time; whichever comes first, both are two changes of one number afterwards.
        let signer = WaitingSigner(a.signer)
        async let written = a.store.write(
            [.create(kind: "contact", fields: [.set("name", text("Eva"))])], in: scene.space, by: signer,
            author: "",
            now: 1)
        while !signer.isWaiting { await Task.yield() }
        async let outcome = a.store.receive([stolen], in: scene.space)
        for _ in 0..<20_000 { await Task.yield() }
        signer.goOn()
        _ = try await (written, outcome)
        #expect(try a.store.nodes(scene.space).contains { $0.replica == replica && $0.forkedAt != nil })
        try await scene.settle()
        #expect(try scene.titles() == ["Ana"])
        _ = try await a.contact("Under a new replica")
        try await scene.settle()
    }

    // MARK: The names of branches

    /// A fork that A holds, and the name of the branch that ends at the chain's head.
    private func forked(_ scene: Scene) async throws -> (chain: HandChain, branch: ReplicaID) {
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let left = try chain.contact("Left")
        chain.head = fork
        let right = try chain.contact("Right")
        try await scene.deliver([bind, left, right])
        try await scene.settle()
        return (chain, ReplicaID(branchBeginningWith: chain.head.hash))
    }

    @Test("takes the name of a branch for a replica and writes on under it")
    func writesUnderBranchName() async throws {
        let scene = try await Scene()
        var (chain, branch) = try await forked(scene)
        let before = try scene.a.store.held(scene.space).hash
        let (_, entry) = chain.creation(of: "contact", "Nobody's")
        let run = try chain.forge(Draft(entry), as: branch)
        try await scene.deliver([run])
        #expect(try scene.a.store.held(scene.space).hash == before, "there is no such replica")
        try await scene.settle()
    }

    @Test("depends on a change by the name of its branch")
    func dependsOnBranchName() async throws {
        let scene = try await Scene()
        let (chain, branch) = try await forked(scene)
        let before = try scene.a.store.held(scene.space).hash
        let (_, bind) = try scene.enemyChain(
            node: "second", after: [(Dot(branch, chain.head.dot.sequence), chain.head.hash)])
        try await scene.deliver([bind])
        #expect(try scene.a.store.held(scene.space).hash == before)
        try await scene.settle()
        // A fork elsewhere has everything derived anew.
        var (other, begin) = try scene.enemyChain(node: "third")
        let place = other.head
        let one = try other.contact("One")
        other.head = place
        try await scene.deliver([begin, one, try other.contact("Two")])
        try await scene.settle()
    }

    @Test("names values by the name of a branch")
    func namesValuesByBranchName() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let left = try chain.contact("Left")
        chain.head = fork
        let (meeting, entry) = chain.creation(of: "meeting", "Right")
        let right = try chain.forge(Draft(entry))
        try await scene.deliver([bind, left, right])
        try await scene.settle()
        let branch = Dot(ReplicaID(branchBeginningWith: chain.head.hash), chain.head.dot.sequence)
        // A second chain of the enemy builds upon the branch, and so brings it into effect.
        var (second, begin) = try scene.enemyChain(node: "second", after: [chain.head])
        let write = try second.forge(Draft(setting(meeting, "title", "Replaced", replacing: [branch])))
        let delete = try second.forge(
            Draft(Entry(record: meeting, operations: [.delete(seen: VersionVector([branch]))])))
        #expect(try await scene.deliver([begin, write, delete]).isEmpty)
        try await scene.settle()
        #expect(try scene.a.record(meeting).conflicts.map(\.field) == ["title"], "it replaced nothing")
    }
}

/// A node's key that signs when it is told to.
private final class WaitingSigner: NodeSigner {
    let certificate: Certificate
    let member: MemberID
    private let signer: Signer
    private let waiting = Mutex(false)
    private let mayGoOn = DispatchSemaphore(value: 0)

    init(_ signer: Signer) {
        (self.signer, certificate, member) = (signer, signer.certificate, signer.member)
    }

    var isWaiting: Bool { waiting.withLock { $0 } }

    func goOn() { mayGoOn.signal() }

    func sign(_ hash: Digest) throws -> Signature {
        waiting.withLock { $0 = true }
        mayGoOn.wait()
        mayGoOn.signal()
        return try signer.sign(hash)
    }
}
