// The enemy tampers with the written procedure: votes that are not there, acts of other spaces, acts that are none,
// authorities that are nobody's.

import CBOR
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("The enemy tampers with acts")
struct ActTests {
    @Test("endorses its own admission, endorses twice, and with another's name")
    func stuffsTheBallot() async throws {
        let scene = try await Scene(admission: 2)
        let puppet = try Party("PUP", "Puppet")
        var (chain, bind) = try scene.enemyChain()
        let vote = try scene.enemy.admission(of: puppet, to: scene.space)
        let again = try SignedAct(act: vote.act, key: scene.enemy.key)
        let own = try SignedAct(act: vote.act, key: puppet.key)
        let named = SignedAct(act: vote.act, signer: scene.a.party.id, signature: vote.signature)
        let wrong = try SignedAct(act: vote.act, signer: scene.a.party.id, key: puppet.key)
        let runs = [
            bind, try chain.carry(vote, again, own, named, wrong), try chain.carry(vote),
            try chain.carry(again),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        #expect(try scene.a.store.roster(scene.space).entry(puppet.id) == nil)
        // A second true vote is all that it lacked.
        try await scene.b.write(.act(try SignedAct(act: vote.act, key: scene.b.party.key)))
        try await scene.settle()
        #expect(try scene.a.store.roster(scene.space).role(puppet.id) == .member)
    }

    @Test("carries an honest vote with altered bytes")
    func altersAct() async throws {
        let scene = try await Scene(admission: 1)
        let guest = try Party("GST", "Guest")
        let vote = try scene.a.party.admission(of: guest, to: scene.space)
        var (chain, bind) = try scene.enemyChain()
        var runs = [bind]
        for place in stride(from: 0, to: vote.act.count, by: 7) {
            var act = vote.act
            act[place] ^= 0x01
            runs.append(try chain.carry(SignedAct(act: act, signer: vote.signer, signature: vote.signature)))
        }
        let before = try scene.a.store.roster(scene.space)
        #expect(try await scene.a.store.receive(runs, in: scene.space).refusal == nil)
        try await scene.settle()
        #expect(try scene.a.store.roster(scene.space) == before)
        #expect(try scene.c.store.signedActs(scene.space).isEmpty)
    }

    @Test("replays an act of another space")
    func foreignAct() async throws {
        let scene = try await Scene(admission: 1)
        let guest = try Party("GST", "Guest")
        let elsewhere = try World("ESP").charter.charter.space
        let foreign = try scene.a.party.admission(of: guest, to: elsewhere)
        let suspension = Suspension(
            space: elsewhere, subject: scene.c.party.id, keeps: VersionVector(), reason: "", timestamp: 1)
        var (chain, bind) = try scene.enemyChain()
        let votes = try scene.signed(suspension, by: [scene.a.party, scene.b.party])
        #expect(try await scene.deliver([bind, try chain.carry(foreign, votes[0], votes[1])]).isEmpty)
        try await scene.settle()
        let roster = try scene.a.store.roster(scene.space)
        #expect(roster.entry(guest.id) == nil && roster.role(scene.c.party.id) == .member)
    }

    @Test("carries malformed acts of every kind: they are kept and count for nothing")
    func malformedActs() async throws {
        let scene = try await Scene(admission: 1)
        let (space, me) = (scene.space, scene.enemy.id)
        let guest = try MemberStatement(authority: try Party("GST", "Guest").authority)
        let document = RecordID(Bytes16(high: 1, low: 2))
        let next = try Party("XXX", "Next")
        let acts: [[UInt8]] = [
            Admission(space: space, subject: guest, role: .member, predecessor: me, timestamp: 1).encoded,
            Suspension(space: space, subject: me, keeps: VersionVector(), reason: "r", timestamp: 1).encoded,
            Reinstatement(space: space, subject: me, suspensions: [space.digest], timestamp: 1).encoded,
            Revocation(
                space: space, node: NodeID(space.digest), keeps: VersionVector(), reason: "", timestamp: 1
            ).encoded,
            Departure(
                space: space, subject: me, standing: [space.digest], keeps: VersionVector(), timestamp: 1
            ).encoded,
            try Rotation(
                space: space, subject: me, replaces: me.digest, certificate: next.authority.der,
                key: next.key,
                timestamp: 1
            ).encoded,
            Appointment(space: space, office: "chair", holders: [me], replaces: [], timestamp: 1).encoded,
            TextEndorsement(space: space, document: document, text: space.digest, timestamp: 1).encoded,
            Erasure(
                space: space, subject: me, record: document, changes: [Dot(ReplicaID(document.value), 1)],
                reason: "",
                timestamp: 1
            ).encoded,
        ]
        var random = SeededGenerator(seed: 3)
        var (chain, bind) = try scene.enemyChain()
        var runs = [bind]
        for act in acts {
            var broken = [Array(act.dropLast()), act + [0], []]
            // One byte is changed so that the act cannot be read any more; signed as it stands.
            for _ in 0..<12 {
                var altered = act
                altered[Int.random(in: 0..<act.count, using: &random)] ^= UInt8.random(
                    in: 1...255, using: &random)
                broken.append(altered)
            }
            let unreadable = broken.filter { (try? Act(encoded: $0)) == nil }
            #expect(unreadable.count >= 3)
            let signed = try unreadable.map {
                ConcordModel.Operation.act(try SignedAct(act: $0, key: scene.enemy.key))
            }
            runs.append(try chain.forge(Draft(Entry(record: nil, operations: signed))))
        }
        let before = try scene.a.store.roster(space)
        #expect(try await scene.deliver(runs).isEmpty, "they are kept")
        try await scene.deliver([try chain.contact("After all that")])
        try await scene.settle()
        #expect(try scene.a.store.roster(space) == before)
        #expect(try scene.titles() == ["After all that"])
    }

    @Test("carries a random act that no member signed")
    func unsignedActs() async throws {
        let scene = try await Scene(suspension: 2)
        let act = Suspension(
            space: scene.space, subject: scene.a.party.id, keeps: VersionVector(), reason: "", timestamp: 1)
        var (chain, bind) = try scene.enemyChain()
        let mine = try SignedAct(act: act.encoded, key: scene.enemy.key)
        let theirs = [scene.b.party.id, scene.c.party.id, MemberID(scene.space.digest)].map {
            SignedAct(act: act.encoded, signer: $0, signature: mine.signature)
        }
        #expect(
            try await scene.deliver([bind, try chain.carry(mine, theirs[0], theirs[1], theirs[2])]).isEmpty)
        _ = try await scene.a.contact("Still here")
        try await scene.settle()
        #expect(try scene.titles() == ["Still here"])
    }

    // MARK: Authorities

    @Test("takes over another's records without being admitted as its successor")
    func takesOver() async throws {
        let scene = try await Scene(admission: 2)
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        let heir = try Party("ESP", "State of ESP")
        let act = Admission(
            space: scene.space, subject: try MemberStatement(authority: heir.authority), role: .member,
            predecessor: scene.a.party.id, timestamp: 1)
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let vote = try SignedAct(act: act.encoded, key: scene.enemy.key)
        let carried = try chain.carry(vote)
        var heirs = try HandChain(try heir.node("hq"), scene.space)
        let runs = [
            bind, carried, try heirs.bind(after: [chain.head]),
            try heirs.forge(Draft(setting(contact, "name", "Eve"))),
            try chain.forge(Draft(setting(contact, "name", "Eve"), after: [heirs.head])),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        // Admitted by two, but not as the successor: as that it was not admitted.
        let plain = try scene.b.party.admission(of: heir, to: scene.space)
        try await scene.b.write(.act(plain))
        try await scene.b.write(.act(try SignedAct(act: plain.act, key: scene.c.party.key)))
        try await scene.settle()
        let member = try heirs.forge(Draft(setting(contact, "name", "Eve"), after: [try scene.b.head()]))
        #expect(try await scene.deliver([member]).isEmpty)
        try await scene.settle()
        #expect(try scene.a.store.roster(scene.space).role(heir.id) == .member)
        #expect(try scene.titles() == ["Ana"])
        // As a stranger, by the enemy, and as a member.
        let reasons = try scene.a.store.refused(limit: 10).map(\.reason).sorted()
        let owned = "the record belongs to another member"
        #expect(reasons == ["the author was no member in standing", owned, owned])
    }

    @Test("invents a rotation that names its own key as another member's authority")
    func inventsRotation() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        try await scene.settle()
        let (victim, mine) = (scene.a.party.id, try Party("ESP", "State of ESP"))
        let rotation = try Rotation(
            space: scene.space, subject: victim, replaces: victim.digest, certificate: mine.authority.der,
            key: mine.key, timestamp: 1)
        var (chain, bind) = try scene.enemyChain()
        let acts = [
            try SignedAct(act: rotation.encoded, signer: victim, key: mine.key),
            try SignedAct(act: rotation.encoded, signer: scene.enemy.id, key: scene.enemy.key),
            try SignedAct(act: rotation.encoded, signer: victim, key: scene.enemy.key),
        ]
        let carried = try chain.carry(acts[0], acts[1], acts[2])
        let node = try mine.node("hq")
        var impostor = try HandChain(
            Signer(certificate: node.certificate, member: victim, key: node.key), scene.space)
        let binding = Binding(
            certificate: node.certificate.der, member: victim, issuer: mine.id.digest, nonce: impostor.nonce)
        let runs = [
            bind, carried,
            try impostor.forge(Draft(.bind(binding), after: [try scene.a.head(), chain.head])),
            try impostor.contact("By nobody"), try impostor.forge(Draft(setting(contact, "name", "Eve"))),
            try chain.forge(Draft(.unknown(header: [0x81, 0x0a], value: [0x80]), after: [impostor.head])),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Ana"])
        let entry = try #require(try scene.b.store.roster(scene.space).entry(victim))
        #expect(entry.authorityKeys == [victim.digest])
        // What the impostor then does is not the victim's doing.
        let fork = impostor.head
        let left = try impostor.contact("Left")
        impostor.head = fork
        try await scene.deliver([left, try impostor.contact("Right")])
        try await scene.settle()
        let forked = try scene.b.store.nodes(scene.space).filter { $0.forkedAt != nil }
        #expect(!forked.isEmpty && forked.allSatisfy { !$0.isVouchedFor })
    }

    @Test("rotates to a key that is another's: nobody names a key without holding it")
    func rotatesToAnothers() async throws {
        let scene = try await Scene()
        let victim = scene.a.party
        let proven = Rotation.proven(
            space: scene.space, subject: scene.enemy.id, replaces: scene.enemy.id.digest,
            key: victim.id.digest)
        func rotation(_ proof: Signature) throws -> Rotation {
            try Rotation(
                space: scene.space, subject: scene.enemy.id, replaces: scene.enemy.id.digest,
                certificate: victim.authority.der, proof: proof, timestamp: 1)
        }
        #expect(throws: ConcordError.self) { try rotation(try scene.enemy.key.sign(proven, as: .act)) }
        // With the bytes of a true rotation around it: it is kept as an act that cannot be read.
        let genuine = try rotation(try victim.key.sign(proven, as: .act))
        var bytes = genuine.encoded
        let place = try #require(bytes.firstRange(of: genuine.proof.bytes))
        bytes.replaceSubrange(place, with: try scene.enemy.key.sign(proven, as: .act).bytes)
        var (chain, bind) = try scene.enemyChain()
        let signed = try SignedAct(act: bytes, key: scene.enemy.key)
        #expect(
            try await scene.deliver([bind, try chain.carry(signed), try chain.contact("Unchanged")]).isEmpty)
        try await scene.settle()
        let roster = try scene.b.store.roster(scene.space)
        #expect(roster.members(withAuthority: victim.id.digest) == [victim.id])
        #expect(roster.entry(scene.enemy.id)?.authorityKeys == [scene.enemy.id.digest])
    }

    @Test("certifies a new node with an authority that was replaced")
    func replacedAuthority() async throws {
        let scene = try await Scene()
        let next = try Party("XXX", "Next")
        let rotation = try Rotation(
            space: scene.space, subject: scene.enemy.id, replaces: scene.enemy.id.digest,
            certificate: next.authority.der, key: next.key, timestamp: 1)
        var (chain, bind) = try scene.enemyChain()
        let carried = try chain.carry(try SignedAct(act: rotation.encoded, key: scene.enemy.key))
        var late = try HandChain(try scene.enemy.node("late"), scene.space)
        let runs = [
            bind, carried, try late.bind(after: [chain.head]), try late.contact("By the old authority"),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        // Nor does the old key sign acts.
        let puppet = try Party("PUP", "Puppet")
        let vote = try scene.enemy.admission(of: puppet, to: scene.space)
        #expect(
            try await scene.deliver([try chain.carry(vote), try chain.contact("By the old node")]).isEmpty)
        try await scene.b.write(.act(try SignedAct(act: vote.act, key: scene.b.party.key)))
        try await scene.settle()
        #expect(try scene.titles() == ["By the old node"])
        #expect(try scene.a.store.roster(scene.space).entry(puppet.id) == nil)
    }
}
