// What the enemy merely says, in a session: to hold what it does not, to know our future, that others lie. Nothing
// follows for anybody but itself.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Testing

@testable import TestSupport

@Suite("The enemy makes claims in a session")
struct ClaimTests {
    private func written(_ scene: Scene) async throws -> (head: Place, replica: ReplicaID) {
        _ = try await scene.a.contact("Ana")
        try await scene.settle()
        let head = try scene.a.head()
        return (head, head.dot.replica)
    }

    @Test("acknowledges what it was never sent")
    func acknowledges() async throws {
        let scene = try await Scene()
        let (head, replica) = try await written(scene)
        _ = try await scene.b.contact("Eva")
        let theirs = try scene.b.head().dot
        var victim = try await Victim(scene.b)
        try await victim.meet()
        let invented = ReplicaID(Bytes16(high: 3, low: 3))
        let claim = VersionVector([
            Dot(replica, .max >> 1), Dot(theirs.replica, theirs.sequence), Dot(invented, 9),
        ])
        try await victim.hear(.acknowledge(scene.space, claim))
        #expect(victim.end == nil && victim.alarms.isEmpty)
        // What is written next goes out all the same, and the honest hold what they held.
        #expect(try scene.b.store.held(scene.space).vector[replica] == head.dot.sequence)
        try await victim.hear(
            .acknowledge(scene.space, VersionVector([Dot(theirs.replica, theirs.sequence + 1)])))
        #expect(victim.alarms.map(\.code) == [.ourReplicaElsewhere], "of our own future it knows nothing")
        try await scene.settle()
    }

    @Test("claims heads that do not exist")
    func inventsHeads() async throws {
        let scene = try await Scene()
        let (head, replica) = try await written(scene)
        let invented = ReplicaID(Bytes16(high: 3, low: 3))
        let heads = [
            ChainHead(Dot(invented, 7), mark: Bytes16(high: 1, low: 1)),
            ChainHead(Dot(replica, .max >> 1), mark: Bytes16(high: 1, low: 1)),
        ]
        var victim = try await Victim(scene.b)
        try await victim.meet(holding: heads)
        #expect(victim.end == nil && victim.alarms.isEmpty)
        try await victim.wait(500)
        try await victim.wait(60_000)
        #expect(victim.alarms.isEmpty)
        #expect(try scene.b.store.held(scene.space).heads == [ChainHead(head.dot, hash: head.hash)])
        try await scene.settle()
    }

    @Test("accuses another member of equivocation, without proof")
    func accuses() async throws {
        let scene = try await Scene()
        let (head, replica) = try await written(scene)
        // By a head of another mark, by a run that follows another change, by a dependency on another change.
        var victim = try await Victim(scene.b)
        try await victim.meet(holding: [ChainHead(head.dot, mark: Bytes16(high: 1, low: 1))])
        #expect(victim.alarms.isEmpty, "the word of a peer accuses nobody")

        var (chain, bind) = try scene.enemyChain()
        let follows = ChangeRun(
            replica: replica, firstSequence: head.dot.sequence + 1, previous: Bytes16(high: 1, low: 1),
            changes: [[0x80]], signature: bind.signature)
        let depends = try chain.forge(
            Draft(.unknown(header: [0x81, 0x0a], value: [0x80]), after: [(head.dot, SHA256.hash([1]))]))
        for run in [follows, depends] {
            var victim = try await Victim(scene.b)
            try await victim.meet()
            try await victim.hear(.changes(scene.space, [bind, run]))
            #expect(victim.alarms.isEmpty, "nor does a change that names what is not there")
            #expect(victim.end?.faultClass == .retry)
        }
        #expect(try scene.b.store.nodes(scene.space).allSatisfy { $0.forkedAt == nil })
        try await scene.deliver([bind])
        try await scene.settle()
    }

    @Test("proves its own equivocation: it alone is accused")
    func accusesItself() async throws {
        let scene = try await Scene()
        _ = try await written(scene)
        var (chain, bind) = try scene.enemyChain()
        let fork = chain.head
        let left = try chain.contact("Left")
        chain.head = fork
        let right = try chain.contact("Right")
        var victim = try await Victim(scene.b)
        try await victim.meet()
        try await victim.hear(.changes(scene.space, [bind, left]), .changes(scene.space, [right]))
        #expect(victim.alarms.map(\.code) == [.equivocation])
        #expect(victim.alarms.first?.message.contains(chain.replica.description) == true)
        #expect(victim.end?.code == ErrorCode.equivocation.rawValue && victim.end?.faultClass == .retry)
        try await scene.settle()
    }

    @Test("claims our own replica's future, again and again")
    func claimsFuture() async throws {
        let scene = try await Scene()
        _ = try await written(scene)
        var victim = try await Victim(scene.a)
        try await victim.meet()
        for number in 0..<5 {
            let own = try #require(try scene.a.store.ownHead(scene.space))
            try await victim.hear(
                .acknowledge(scene.space, VersionVector([Dot(own.replica, own.sequence + 5)])))
            _ = try await scene.a.contact("After claim \(number)")
            try await victim.noteOwnReplica()
        }
        #expect(victim.retired.count == 1, "a session costs one replica, whatever is said in it")
        #expect(victim.alarms.map(\.code) == [.ourReplicaElsewhere])
        try await scene.settle()
        #expect(try scene.c.store.records(RecordQuery()).count == 6, "and nothing is lost by it")
    }

    @Test("claims to hold what we hold, and to see something else")
    func claimsDigest() async throws {
        let scene = try await Scene()
        _ = try await written(scene)
        let held = try scene.a.store.held(scene.space)
        var victim = try await Victim(scene.a)
        let hello = Hello(
            vocabularyLevel: Vocabulary.level, incarnation: Bytes16(high: 6, low: 6), clock: 0,
            nodeName: "enemy", addresses: [], spaces: [SpaceHead(space: scene.space)])
        let lie = Summary(heldHash: held.hash, digest: SHA256.hash([9]), changeCount: 7)
        try await victim.hear(.hello(hello), .summary(scene.space, lie), .summary(scene.space, lie))
        #expect(victim.alarms.map(\.code) == [.digestMismatch], "an alarm about this peer, once")
        #expect(victim.end == nil)
        try await scene.settle()
    }

    @Test("sends acknowledgements, heads and changes out of order")
    func disorder() async throws {
        let scene = try await Scene()
        let (_, bind) = try scene.enemyChain()
        let summary = Summary(heldHash: SHA256.hash([]), digest: nil, changeCount: 0)
        let vector = Message.acknowledge(scene.space, VersionVector([Dot(bind.replica, 1)]))
        for messages in [[Message.changes(scene.space, [bind])], [vector], [.vector(scene.space, [])]] {
            _ = try await scene.a.contact("Ana")
            var victim = try await Victim(scene.a)
            let hello = Hello(
                vocabularyLevel: Vocabulary.level, incarnation: Bytes16(high: 6, low: 6), clock: 0,
                nodeName: "enemy", addresses: [], spaces: [SpaceHead(space: scene.space)])
            try await victim.hear(.hello(hello))
            for message in messages { try await victim.hear(message) }
            #expect(victim.end?.code == ErrorCode.unexpectedMessage.rawValue)
            #expect(victim.end?.faultClass == .fault)
        }
        var victim = try await Victim(scene.a)
        try await victim.meet()
        try await victim.hear(.summary(scene.space, summary), .vector(scene.space, []))
        #expect(victim.end?.code == ErrorCode.unexpectedMessage.rawValue)
        let elsewhere = SpaceID(SHA256.hash([1]))
        var second = try await Victim(scene.a)
        try await second.meet()
        try await second.hear(.changes(elsewhere, [bind]))
        #expect(second.end?.code == ErrorCode.unknownSpace.rawValue)
        try await scene.settle()
    }

    @Test("is refused in the session for what the store refuses")
    func refusedInSession() async throws {
        let scene = try await Scene()
        let (_, bind) = try scene.enemyChain()
        let forged = bind.altered(signature: try scene.enemy.key.sign(SHA256.hash([1]), as: .change))
        var victim = try await Victim(scene.a)
        try await victim.meet()
        try await victim.hear(.changes(scene.space, [forged]))
        #expect(victim.end?.code == ErrorCode.badSignature.rawValue && victim.end?.faultClass == .fault)
        guard case .error(let code, _, _)? = victim.sent.last else {
            Issue.record("the enemy is not told")
            return
        }
        #expect(code.string == ErrorCode.badSignature.rawValue)
        try await scene.settle()
    }
}
