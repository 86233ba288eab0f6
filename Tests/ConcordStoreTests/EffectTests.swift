// Changes without effect: held, relayed, and brought into effect only by what depends on them (rule C).
// Honest stores never write such changes, so these chains are made by hand.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

@Suite struct EffectTests {
    @Test("what an observer writes is held without effect, until a member depends on it")
    func hidden() async throws {
        let world = try World("ESP")
        let a = try await world.site(0)
        let spain = world.parties[0]
        let (norway, namibia) = (try Party("NOR", "Norway"), try Party("NAM", "Namibia"))
        let admitted = try await a.write(.act(try spain.admission(of: norway, to: a.space, as: .observer)))
        let admission = (dot: admitted.dot, hash: admitted.hash)
        // The observer carries Namibia's admission, which Spain has signed; Namibia builds on that.
        var observer = try HandChain(try norway.node("oslo"), a.space)
        var joiner = try HandChain(try namibia.node("windhoek"), a.space)
        let act = ConcordModel.Operation.act(try spain.admission(of: namibia, to: a.space))
        var runs = [try observer.bind(after: [admission]), try observer.contact("Hidden")]
        runs.append(try observer.run(Entry(record: nil, operations: [act])))
        runs += [try joiner.bind(after: [observer.head]), try joiner.contact("Nelao")]
        let outcome = try await a.store.receive(runs, in: a.space)
        #expect(outcome.refusal == nil)
        #expect(outcome.applied == 5)
        #expect(try a.store.records(RecordQuery()) == [])
        #expect(try a.store.roster(a.space).role(namibia.id) == nil)
        #expect(try a.store.log(LogQuery(member: "NAM")).allSatisfy { !$0.effective })
        // An honest write does not depend on any of it.
        _ = try await a.contact("Ana")
        #expect(try a.store.roster(a.space).role(namibia.id) == nil)
        try await expectEqual([a])
        let early = try await world.site(0, node: "early")
        try await a.send(to: early)
        try await expectEqual([a, early])
        // Another node of Spain depends on it: everything in its past comes into effect, and Namibia with it.
        var second = try HandChain(try spain.node("mission"), a.space)
        let rescue = try second.bind(after: [joiner.head])
        _ = try await a.store.receive([rescue], in: a.space)
        #expect(try a.store.roster(a.space).role(namibia.id) == .member)
        #expect(try a.store.records(RecordQuery()).map(\.title).sorted() == ["Ana", "Nelao"])
        #expect(try a.store.log(LogQuery(member: "NOR")).allSatisfy(\.effective))
        try await expectEqual([a])
        // From now on Namibia's changes are seeds of their own, and an honest write builds on them.
        _ = try await a.store.receive([try joiner.contact("Maria")], in: a.space)
        #expect(try a.store.records(RecordQuery()).count == 3)
        _ = try await a.contact("Eva")
        let fresh = try await world.site(0, node: "fresh")
        for run in try a.allRuns(maximumBytes: 1).reversed() {
            #expect(try await fresh.store.receive([run], in: fresh.space).refusal == nil)
        }
        try await a.send(to: early)
        try await expectEqual([a, early, fresh])
    }
}
