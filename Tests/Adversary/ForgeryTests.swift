// The enemy forges, replays and alters. Nothing of it is taken, and what is true is taken afterwards as if nothing had
// happened.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Testing

@testable import TestSupport

@Suite("The enemy forges and alters")
struct ForgeryTests {
    // MARK: Others' names

    @Test("forges another's change with a key of its own")
    func anothersChange() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        let head = try scene.a.head()
        var (chain, _) = try scene.enemyChain()
        chain.head = head
        let forged = try chain.forge(Draft(setting(contact, "name", "Eve")), as: head.dot.replica)
        #expect(try await scene.deliver([forged]) == [.badSignature])
        _ = try await scene.a.contact("Eva")
        try await scene.settle()
        #expect(try scene.titles() == ["Ana", "Eva"])
    }

    @Test("signs another branch of another's chain")
    func anothersBranch() async throws {
        let scene = try await Scene()
        _ = try await scene.a.contact("Ana")
        let first = try scene.a.head()
        _ = try await scene.a.contact("Eva")
        try await scene.settle()
        var (chain, _) = try scene.enemyChain()
        chain.head = first
        let forged = try chain.forge(
            Draft(.unknown(header: [0x81, 0x0a], value: [0x80])), as: first.dot.replica)
        #expect(try await scene.deliver([forged]) == [.badSignature])
        #expect(try scene.a.store.nodes(scene.space).allSatisfy { $0.forkedAt == nil })
        try await scene.settle()
    }

    @Test("begins a replica under another's id")
    func anothersReplica() async throws {
        let scene = try await Scene()
        let victim = try HandChain(scene.b.signer, scene.space)
        var (chain, _) = try scene.enemyChain()
        func begin(_ binding: Binding) throws -> ChangeRun {
            chain.head = (
                Dot(victim.replica, 0), Change.chainRoot(space: scene.space, replica: victim.replica)
            )
            return try chain.forge(Draft(.bind(binding)), as: victim.replica)
        }
        let (mine, theirs) = (chain.signer.certificate.der, victim.signer.certificate.der)
        // By its own certificate and member, by its own certificate and the victim's name, by the victim's binding.
        let own = Binding(certificate: mine, member: scene.enemy.id, nonce: victim.nonce)
        #expect(try await scene.deliver([try begin(own)]) == [.malformedChange])
        let named = Binding(certificate: mine, member: scene.b.party.id, nonce: victim.nonce)
        #expect(try await scene.deliver([try begin(named)]) == [.malformedChange])
        let copied = Binding(certificate: theirs, member: scene.b.party.id, nonce: victim.nonce)
        #expect(try await scene.deliver([try begin(copied)]) == [.badSignature])
        _ = try await scene.b.contact("Ida")
        try await scene.settle()
        #expect(try scene.titles() == ["Ida"])
    }

    @Test("begins a replica as another's node, with a certificate of its own making")
    func rightNameWrongKey() async throws {
        let scene = try await Scene()
        // Codes and names are anybody's: the same authority and node by name, and another key.
        let impostor = try Party("ESP", "State of ESP")
        let twin = try impostor.node("hq")
        let signer = Signer(certificate: twin.certificate, member: scene.a.party.id, key: twin.key)
        var chain = try HandChain(signer, scene.space)
        #expect(try await scene.deliver([try chain.bind(), try chain.contact("Eve")]) == [.unknownReplica])
        var honestName = try HandChain(twin, scene.space)
        #expect(try await scene.deliver([try honestName.bind()]) == [.unknownReplica])
        try await scene.settle()
        #expect(try scene.a.store.nodes(scene.space).isEmpty)
    }

    // MARK: Replays

    @Test("replays a run into another space")
    func foreignRun() async throws {
        let scene = try await Scene()
        let other = try Charter(
            name: "Another", timestamp: 2, founders: scene.world.charter.charter.founders,
            admissionThreshold: 2,
            suspensionThreshold: 2)
        let charter = try SignedCharter(charter: other, key: scene.enemy.key)
        let elsewhere = try await Site(scene.a.party, charter)
        _ = try await elsewhere.contact("Elsewhere")
        let run = try #require(try elsewhere.allRuns().first)
        #expect(try await scene.deliver([run]) == [.malformedChange])
        let root = Change.chainRoot(space: scene.space, replica: run.replica)
        #expect(try await scene.deliver([run.altered(previous: root.mark)]) == [.malformedChange])
        _ = try await scene.a.contact("Here")
        try await scene.settle()
        #expect(try scene.titles() == ["Here"])
    }

    @Test("replays an old run")
    func oldRun() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        let old = try scene.a.allRuns()
        try await scene.a.write(.update(contact, [.set("name", text("Eva"))]))
        try await scene.settle()
        for _ in 0..<3 {
            for site in scene.honest {
                let outcome = try await site.store.receive(old, in: scene.space)
                #expect(outcome.applied == 0 && outcome.heldBack == 0 && outcome.refusal == nil)
            }
        }
        try await scene.settle()
        #expect(try scene.titles() == ["Eva"])
    }

    // MARK: On the way

    /// One run of five changes of A, which B holds and nobody else.
    private func longRun(_ scene: Scene) async throws -> ChangeRun {
        let drafts = ["1", "2", "3", "4"].map { name -> ConcordStore.Draft in
            [.create(kind: "contact", fields: [.set("name", text(name))])]
        }
        _ = try await scene.a.store.write(drafts, in: scene.space, by: scene.a.signer, author: "", now: 1)
        try await scene.a.send(to: scene.b)
        let runs = try scene.a.allRuns()
        #expect(runs.count == 1 && runs[0].changes.count == 5)
        return runs[0]
    }

    @Test("reorders a run's changes")
    func reorders() async throws {
        let scene = try await Scene()
        let run = try await longRun(scene)
        var changes = run.changes
        changes.swapAt(2, 3)
        let outcome = try await scene.c.store.receive([run.altered(changes: changes)], in: scene.space)
        #expect(outcome.refusal != nil && outcome.applied == 0)
        // Neither the ids of the records nor the signature fit.
        #expect([.malformedChange, .badSignature].contains(outcome.refusal?.code))
        try await scene.settle()
    }

    @Test("truncates a run, or drops something from its middle or its beginning")
    func drops() async throws {
        let scene = try await Scene()
        let run = try await longRun(scene)
        let c = scene.c.store
        let short = run.altered(changes: Array(run.changes.dropLast()))
        #expect(try await c.receive([short], in: scene.space).refusal?.code == .badSignature)
        var changes = run.changes
        changes.remove(at: 2)
        let gap = try await c.receive([run.altered(changes: changes)], in: scene.space)
        #expect([.malformedChange, .badSignature].contains(gap.refusal?.code))
        let tail = run.altered(first: 3, changes: Array(run.changes.dropFirst(2)))
        #expect(
            try await c.receive([tail], in: scene.space).heldBack == 3, "it waits for what it does not follow"
        )
        #expect(try c.held(scene.space).vector.isEmpty)
        try await scene.settle()
        #expect(try scene.c.store.records(RecordQuery()).count == 4)
    }

    @Test("relays altered bytes: none of them, wherever it stands in the frame")
    func altersEachByte() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let run = try chain.contact("Ana")
        _ = try await scene.a.store.receive([bind], in: scene.space)
        let frame = Message.changes(scene.space, [run]).encoded()
        let digest = try await scene.a.store.heldWithDigest(scene.space).digest
        var codes: Set<ErrorCode> = []
        for place in frame.indices {
            var altered = frame
            altered[place] ^= place % 2 == 0 ? 0x01 : 0x80
            guard let message = try? Message(encoded: altered) else { continue }
            // What is no frame of changes of this space, a session answers by itself.
            guard case .changes(scene.space, let runs) = message else { continue }
            let outcome = try await scene.a.store.receive(runs, in: scene.space)
            #expect(outcome.applied == 0, "byte \(place) may be altered")
            #expect(outcome.refusal != nil || outcome.heldBack > 0, "byte \(place) passes without effect")
            if let code = outcome.refusal?.code { codes.insert(code) }
        }
        #expect(
            codes == [.malformedChange, .badSignature, .limitExceeded]
                || codes == [.malformedChange, .badSignature])
        #expect(try await scene.a.store.heldWithDigest(scene.space).digest == digest)
        #expect(try await scene.deliver([bind, run]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Ana"])
    }

    @Test("relays a binding with altered bytes")
    func altersBinding() async throws {
        let scene = try await Scene()
        let (_, bind) = try scene.enemyChain()
        for place in bind.changes[0].indices {
            var altered = bind.changes[0]
            altered[place] ^= 0x10
            let outcome = try await scene.a.store.receive([bind.altered(changes: [altered])], in: scene.space)
            #expect(
                outcome.applied == 0 && outcome.refusal != nil || outcome.heldBack > 0,
                "byte \(place) may be altered")
        }
        #expect(try await scene.deliver([bind]).isEmpty)
        try await scene.settle()
    }
}
