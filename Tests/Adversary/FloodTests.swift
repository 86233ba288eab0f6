// The enemy sends too much: what passes a limit is refused with E-3002, what does not is taken, and what waits is
// bounded.

import CBOR
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Testing

@testable import TestSupport

@Suite("The enemy floods")
struct FloodTests {
    private let merge = ConcordModel.Operation.unknown(header: [0x81, 0x0a], value: [0x80])

    @Test("floods: a run, a change, a value, a name, an act that is too large")
    func tooLarge() async throws {
        let scene = try await Scene()
        let (begun, bind) = try scene.enemyChain()
        var chain = begun
        func big(_ bytes: Int) -> Value { text(String(repeating: "x", count: bytes)) }
        func sets(_ count: Int, _ bytes: Int) -> Entry {
            let fields = (0..<count).map { number in
                ConcordModel.Operation.set(field: UTF8Text("f\(number)"), value: big(bytes), replacing: [])
            }
            let record = chain.creation(of: "contact")
            return Entry(record: record.record, operations: record.entry.operations + fields)
        }
        let act = [UInt8](repeating: 0, count: Limits.actBytes + 1)
        let drafts: [(String, [Draft])] = [
            ("value", [Draft(sets(1, Limits.valueBytes + 1))]),
            (
                "name",
                [
                    Draft(
                        chain.creation(of: UTF8Text(String(repeating: "k", count: Limits.nameBytes + 1)))
                            .entry)
                ]
            ),
            ("change", [Draft(sets(17, Limits.valueBytes))]),
            ("operations", [Draft(sets(Limits.changeOperations, 1))]),
            ("act", [Draft(.act(try SignedAct(act: act, key: scene.enemy.key)))]),
        ]
        for (name, draft) in drafts {
            chain = begun
            let codes = try await scene.deliver([bind, try chain.forge(draft)])
            #expect(codes == [.limitExceeded], "\(name)")
        }
        chain = begun
        var long: [Draft] = []
        var ahead = chain
        for _ in 0..<2 {
            let record = ahead.creation(of: "contact")
            let fields = (0..<9).map { number in
                ConcordModel.Operation.set(
                    field: UTF8Text("f\(number)"), value: big(Limits.valueBytes), replacing: [])
            }
            long.append(Draft(Entry(record: record.record, operations: record.entry.operations + fields)))
            ahead.head = (ahead.next, ahead.head.hash)
        }
        #expect(try await scene.deliver([try chain.forge(long)]) == [.limitExceeded], "run")
        try await scene.settle()
    }

    @Test("floods: dependencies, named dots, vectors beyond their limits")
    func tooManyNames() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        let (begun, bind) = try scene.enemyChain(after: [try scene.a.head()])
        func dots(_ count: Int) -> [Dot] {
            (0..<count).map { Dot(ReplicaID(Bytes16(high: UInt64($0), low: 0)), 1) }
        }
        let parents = (0...Limits.dependencies).map { number -> Place in
            (Dot(ReplicaID(Bytes16(high: UInt64(number), low: 0)), 1), SHA256.hash([UInt8(number)]))
        }
        let names = dots(Limits.namedDots + 1)
        let drafts = [
            Draft(merge, after: parents),
            Draft(setting(meeting, "city", "x", replacing: names)),
            Draft(Entry(record: meeting, operations: [.restore(deletes: names)])),
            Draft(
                Entry(
                    record: meeting,
                    operations: [.delete(seen: VersionVector(dots(Limits.versionVectorEntries + 1)))])),
        ]
        for draft in drafts {
            var chain = begun
            #expect(try await scene.deliver([bind, try chain.forge(draft)]) == [.limitExceeded])
        }
        // As much as is allowed does no harm.
        var chain = begun
        let most = [
            Draft(setting(meeting, "city", "x", replacing: dots(Limits.namedDots))),
            Draft(Entry(record: meeting, operations: [.delete(seen: VersionVector(dots(4000)))])),
        ]
        for draft in most { #expect(try await scene.deliver([try chain.forge(draft)]).isEmpty) }
        try await scene.settle()
        #expect(try scene.b.record(meeting).shown)
    }

    @Test("floods: runs that wait for what never comes")
    func waiting() async throws {
        let scene = try await Scene()
        let (_, bind) = try scene.enemyChain()
        let invented = Bytes16(high: 5, low: 5)
        let started = ContinuousClock.now
        var held = 0
        for frame in 0..<6 {
            let runs = (0..<4000).map { number in
                ChangeRun(
                    replica: ReplicaID(Bytes16(high: UInt64(frame), low: UInt64(number))), firstSequence: 2,
                    previous: invented, changes: [[0x80]], signature: bind.signature)
            }
            let outcome = try await scene.a.store.receive(runs, in: scene.space)
            #expect(outcome.applied == 0 && outcome.refusal == nil)
            held = outcome.heldBack
        }
        #expect(held < 17_000, "what waits is bounded, however small it is")
        #expect(ContinuousClock.now - started < .seconds(60), "and costs no more for being much")
        // What is true gets through, and what waits is forgotten rather than taken.
        let contact = try await scene.b.contact("Ana")
        try await scene.settle()
        #expect(try scene.a.record(contact).title == "Ana")
    }

    @Test("floods: a swarm of replicas of one node")
    func replicas() async throws {
        let scene = try await Scene()
        let node = try scene.enemy.node("hq")
        var runs: [ChangeRun] = []
        for number in 0..<70 {
            var chain = try HandChain(node, scene.space)
            runs += [try chain.bind(), try chain.contact("Swarm \(number)")]
        }
        for (site, order) in zip(scene.honest, [runs, runs.reversed(), runs]) {
            #expect(try await site.store.receive(order, in: scene.space).refusal == nil)
        }
        // An honest change takes all of it into its past, by merges of at most 64.
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        #expect(try scene.b.record(contact).title == "Ana")
        #expect(try scene.titles().count == 71)
        try await scene.suspendEnemy(keeping: VersionVector())
        #expect(try scene.titles().count == 71, "what honest members built upon stays")
    }

    @Test("floods: endorsements without end cost no more each than one")
    func endorsements() async throws {
        let scene = try await Scene()
        let (begun, bind) = try scene.enemyChain()
        var chain = begun
        var runs = [bind]
        for number in 0..<100 {
            let act = TextEndorsement(
                space: scene.space, document: RecordID(Bytes16(high: 1, low: UInt64(number))),
                text: scene.space.digest,
                timestamp: Int64(number))
            runs.append(try chain.carry(try SignedAct(act: act.encoded, key: scene.enemy.key)))
        }
        #expect(try await scene.a.store.receive(runs, in: scene.space).refusal == nil)
        try await scene.settle()
        #expect(try await epochBytes(scene.a) < 8 << 10, "what knows of n acts does not take n² of room")
    }

    @Test("floods: receipts, more than nodes can have signed")
    func receipts() async throws {
        let scene = try await Scene()
        let node = try scene.enemy.node("hq")
        let receipt = try Receipt(
            space: scene.space, member: scene.enemy.id, holds: VersionVector(), timestamp: 1,
            certificate: node.certificate,
            key: node.key)
        var victim = try await Victim(scene.a)
        try await victim.meet()
        let frame = Message.receipts(
            scene.space, Array(repeating: receipt, count: SyncLimits.receiptsPerFrame)
        ).encoded()
        for _ in 0...(SyncLimits.receiptsTaken / SyncLimits.receiptsPerFrame) {
            try await victim.hear(frame: frame)
        }
        #expect(victim.receipts.count == 1)
        #expect(victim.end?.code == ErrorCode.limitExceeded.rawValue && victim.end?.faultClass == .fault)
        try await scene.settle()
    }
}

/// How much the interned pasts of a store take.
private func epochBytes(_ site: Site) async throws -> Int {
    try await site.sum("SELECT SUM(LENGTH(carriers)) FROM epoch")
}
