// The enemy writes and endorses beyond its standing: suspended, observing, revoked, not there yet, or dated back. What
// it makes then is held and relayed, and has no effect.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite("The enemy writes beyond its standing")
struct StandingTests {
    /// A contact of the enemy that everybody holds.
    private func began(_ scene: Scene) async throws -> HandChain {
        var (chain, bind) = try scene.enemyChain()
        try await scene.deliver([bind, try chain.contact("Before")])
        try await scene.settle()
        return chain
    }

    private func ends(_ chain: HandChain) -> VersionVector { VersionVector([chain.head.dot]) }

    @Test("writes beyond its suspension")
    func writesSuspended() async throws {
        let scene = try await Scene()
        var chain = try await began(scene)
        try await scene.suspendEnemy(keeping: ends(chain))
        // As if it did not know, and knowing it.
        let blind = try chain.contact("Blind")
        let seeing = try chain.forge(
            Draft(chain.creation(of: "contact", "Seeing").entry, after: [try scene.a.head()]))
        var (second, bind) = try scene.enemyChain(node: "second")
        #expect(try await scene.deliver([blind, seeing, bind, try second.contact("Elsewhere")]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Before"])
        #expect(try scene.a.store.roster(scene.space).role(scene.enemy.id) == nil)
    }

    @Test("dates back: as if it had written before its suspension")
    func datesBack() async throws {
        let scene = try await Scene()
        var chain = try await began(scene)
        let old = chain.head
        try await scene.suspendEnemy(keeping: ends(chain))
        // No dependencies, an old timestamp; another branch of what was; another replica of the same node.
        let late = try chain.forge(Draft(chain.creation(of: "contact", "Late", at: 1).entry, at: 1))
        chain.head = (Dot(chain.replica, 1), old.hash)
        var other = chain
        other.head = old
        let branch = try other.forge(Draft(.unknown(header: [0x81, 0x0a], value: [0x80])))
        var (second, bind) = try scene.enemyChain()
        let more = try second.forge(Draft(second.creation(of: "contact", "Older", at: 0).entry, at: 0))
        try await scene.deliver([late, bind, more, branch])
        try await scene.settle()
        #expect(try scene.titles() == ["Before"])
    }

    @Test("dates its changes to the end of time, and to its beginning")
    func datesFar() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let (meeting, entry) = chain.creation(of: "meeting", "For ever", at: Limits.timestamp)
        let far = try chain.forge(Draft(entry, at: Limits.timestamp))
        let past = try chain.forge(Draft(setting(meeting, "city", "Nowhere"), at: 0))
        #expect(try await scene.deliver([bind, far, past]).isEmpty)
        try await scene.settle()
        // Dates decide nothing: who saw it, overwrites it.
        try await scene.b.write(
            .update(meeting, [.set("title", text("For now")), .set("city", text("Bonn"))]))
        try await scene.settle()
        let record = try scene.c.record(meeting)
        #expect(record.title == "For now" && record.conflicts.isEmpty)
        #expect(try scene.c.store.log(LogQuery()).count == 5)
        let tooFar = try chain.forge(Draft(setting(meeting, "city", "x"), at: Limits.timestamp + 1))
        // Six bytes hold no later moment: what is read is another change than the one that was signed.
        #expect(try await scene.deliver([tooFar]) == [.badSignature])
    }

    @Test("endorses beyond its suspension, and admits a puppet")
    func endorsesSuspended() async throws {
        let scene = try await Scene()
        var chain = try await began(scene)
        try await scene.suspendEnemy(keeping: ends(chain))
        let puppet = try Party("PUP", "Puppet")
        let admission = try scene.enemy.admission(of: puppet, to: scene.space)
        let blind = try chain.carry(admission)
        let seeing = try chain.carry(admission, after: [try scene.a.head()])
        try await scene.deliver([blind, seeing])
        // One true signature more does not make two, whoever carries the enemy's.
        try await scene.a.write(.act(try SignedAct(act: admission.act, key: scene.a.party.key)))
        try await scene.a.write(.act(admission))
        try await scene.settle()
        #expect(try scene.b.store.roster(scene.space).entry(puppet.id) == nil)
        var puppetChain = try HandChain(try puppet.node("hq"), scene.space)
        #expect(
            try await scene.deliver([try puppetChain.bind(), try puppetChain.contact("Puppet's")]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Before"])
    }

    @Test("lifts its own suspension: by itself, and by another's reinstatement that names it")
    func liftsItself() async throws {
        let scene = try await Scene(admission: 1)
        var chain = try await began(scene)
        let puppet = try Party("PUP", "Puppet")
        let admission = try scene.enemy.admission(of: puppet, to: scene.space)
        try await scene.deliver([try chain.carry(admission)])
        try await scene.settle()
        let kept = ends(chain)
        let act = Suspension(
            space: scene.space, subject: scene.enemy.id, keeps: kept, reason: "it lies", timestamp: 7)
        // Before it is suspended it knows what is coming.
        func back(_ subject: MemberID) throws -> SignedAct {
            let reinstatement = Reinstatement(
                space: scene.space, subject: subject, suspensions: [act.hash], timestamp: 1)
            return try SignedAct(act: reinstatement.encoded, key: scene.enemy.key)
        }
        let runs = [try chain.carry(try back(scene.enemy.id)), try chain.carry(try back(puppet.id))]
        try await scene.deliver(runs)
        #expect(try await scene.suspendEnemy(keeping: kept) == act.hash)
        try await scene.deliver([try chain.carry(try back(puppet.id)), try chain.contact("Free")])
        try await scene.settle()
        #expect(try scene.a.store.roster(scene.space).role(scene.enemy.id) == nil)
        #expect(try scene.titles() == ["Before"])
    }

    @Test("writes and endorses as an observer")
    func observer() async throws {
        let scene = try await Scene(admission: 2)
        let watcher = try Party("OBS", "Observer")
        for party in [scene.a.party, scene.b.party] {
            try await scene.a.write(.act(try party.admission(of: watcher, to: scene.space, as: .observer)))
        }
        try await scene.settle()
        var chain = try HandChain(try watcher.node("hq"), scene.space)
        let puppet = try Party("PUP", "Puppet")
        let admission = try watcher.admission(of: puppet, to: scene.space)
        let runs = [
            try chain.bind(after: [try scene.a.head()]), try chain.contact("Observed"),
            try chain.carry(admission),
        ]
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.b.write(.act(try SignedAct(act: admission.act, key: scene.b.party.key)))
        try await scene.settle()
        #expect(try scene.titles() == [])
        #expect(try scene.c.store.roster(scene.space).entry(puppet.id) == nil)
        // A member that builds upon it brings it into effect, and still none of its operations counts.
        let (_, bind) = try scene.enemyChain(after: [chain.head])
        #expect(try await scene.deliver([bind]).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == [])
        #expect(try scene.a.store.refused(limit: 10).map(\.member) == ["OBS"])
    }

    @Test("writes with a revoked node, and revokes another member's node")
    func revoked() async throws {
        let scene = try await Scene()
        var laptop = try await began(scene)
        var (chain, bind) = try scene.enemyChain(node: "second")
        func revocation(_ node: NodeID, _ keeps: VersionVector) throws -> SignedAct {
            let act = Revocation(space: scene.space, node: node, keeps: keeps, reason: "", timestamp: 7)
            return try SignedAct(act: act.encoded, key: scene.enemy.key)
        }
        let own = try revocation(NodeID(certificate: laptop.signer.certificate), ends(laptop))
        try await scene.deliver([bind, try chain.carry(own)])
        try await scene.settle()
        let thief = try laptop.contact("By the thief")
        let seeing = try laptop.forge(
            Draft(laptop.creation(of: "contact", "By the thief too").entry, after: [chain.head]))
        try await scene.deliver([thief, seeing])
        try await scene.settle()
        #expect(try scene.titles() == ["Before"])
        // The node of another is not the enemy's to revoke.
        _ = try await scene.a.contact("Ana")
        let victim = NodeID(certificate: scene.a.signer.certificate)
        try await scene.deliver([try chain.carry(try revocation(victim, VersionVector()))])
        try await scene.settle()
        #expect(try scene.titles() == ["Ana", "Before"])
        #expect(try scene.b.store.roster(scene.space).isRevoked(victim, of: scene.a.party.id) == false)
        _ = try await scene.a.contact("Eva")
    }

    @Test("comes back after leaving, by what it signed before")
    func left() async throws {
        let scene = try await Scene()
        var chain = try await began(scene)
        let leave = Departure(
            space: scene.space, subject: scene.enemy.id, standing: [scene.space.digest], keeps: ends(chain),
            timestamp: 7)
        try await scene.deliver([try chain.carry(try SignedAct(act: leave.encoded, key: scene.enemy.key))])
        let after = try chain.contact("After")
        let admission = try scene.enemy.admission(of: scene.enemy, to: scene.space)
        try await scene.deliver([after, try chain.carry(admission)])
        try await scene.settle()
        #expect(try scene.titles() == ["Before"])
        #expect(try scene.a.store.roster(scene.space).entry(scene.enemy.id) == nil)
    }
}
