// The enemy abuses erasure: it has values removed that are not its own, takes them out on the way, or hides behind
// forms of a change of which nobody ever saw the values.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Testing

@testable import TestSupport

@Suite("The enemy abuses erasure")
struct ErasureTests {
    /// The run with the values on a record taken out.
    private func stripped(_ run: ChangeRun, _ record: RecordID) throws -> ChangeRun {
        run.altered(
            changes: try run.changes.map { bytes in
                let change = try Change(encoded: bytes)
                return change.erasing(entries: change.erasableEntries(on: [record])).encoded()
            })
    }

    @Test("erases what it may not erase: by an operation, by an act of its own, by a minority")
    func erasesAnothers() async throws {
        let scene = try await Scene(suspension: 2)
        let contact = try await scene.a.contact("Ana")
        let meeting = try await scene.a.meeting("Shared")
        try await scene.settle()
        let head = try scene.a.head()
        let dots = (1...head.dot.sequence).map { Dot(head.dot.replica, $0) }
        var (chain, bind) = try scene.enemyChain(after: [head])
        var runs = [bind]
        for record in [contact, meeting] {
            runs.append(
                try chain.forge(Draft(Entry(record: record, operations: [.erase(changes: dots, reason: "")])))
            )
            for subject in [scene.a.party.id, scene.enemy.id] {
                let act = Erasure(
                    space: scene.space, subject: subject, record: record, changes: dots, reason: "",
                    timestamp: 1)
                runs.append(
                    try chain.carry(
                        try SignedAct(act: act.encoded, key: scene.enemy.key),
                        try SignedAct(act: act.encoded, signer: scene.a.party.id, key: scene.enemy.key)))
            }
        }
        #expect(try await scene.deliver(runs).isEmpty)
        try await scene.settle()
        #expect(try scene.titles() == ["Ana", "Shared"])
    }

    @Test("erases its own values: they go, and what others wrote on the same record stays")
    func erasesItsOwn() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        let (meeting, entry) = chain.creation(of: "meeting", "Theirs")
        try await scene.deliver([bind, try chain.forge(Draft(entry))])
        try await scene.a.write(
            .update(meeting, [.set("city", text("Madrid")), .add("organizers", text("ESP"))]))
        try await scene.settle()
        // It adds an element that names, as replaced, the adds of others; erased, it does not say any more which.
        let seen = try scene.a.head()
        let grasp = Entry(
            record: meeting,
            operations: [.add(field: "organizers", element: text("XXX"), replacing: [seen.dot])])
        let greedy = try chain.forge(Draft(grasp, after: [seen]))
        let order = try chain.forge(
            Draft(Entry(record: meeting, operations: [.erase(changes: [chain.head.dot], reason: "")])))
        #expect(try await scene.deliver([greedy, order]).isEmpty)
        try await scene.settle()
        let record = try scene.b.record(meeting)
        #expect(record.fields["city"] == .string("Madrid") && record.title == "Theirs")
    }

    @Test("passes on an erased form with another salt, another inner hash, or another value")
    func wrongForm() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        let runs = try scene.a.allRuns()
        let run = try stripped(try #require(runs.first), contact)
        let bytes = try #require(run.changes.last)
        guard case .parts(let parts) = try Change(encoded: bytes).salts else {
            Issue.record("nothing was erased")
            return
        }
        var codes: Set<ErrorCode> = []
        for part in parts {
            let place = try #require(bytes.firstRange(of: part.bytes))
            for offset in [place.lowerBound, place.upperBound - 1] {
                var altered = bytes
                altered[offset] ^= 1
                let outcome = try await scene.b.store.receive(
                    [run.altered(changes: run.changes.dropLast() + [altered])], in: scene.space)
                #expect(outcome.applied == 0)
                if let code = outcome.refusal?.code { codes.insert(code) }
            }
        }
        #expect(codes == [.badSignature])
        try await scene.settle()
        #expect(try scene.titles() == ["Ana"])
    }

    @Test("takes values out of what it passes on: they come back from whoever has them")
    func stripsOnTheWay() async throws {
        let scene = try await Scene()
        let contact = try await scene.a.contact("Ana")
        let run = try #require(try scene.a.allRuns().first)
        _ = try await scene.b.store.receive([try stripped(run, contact)], in: scene.space)
        let told = try await scene.b.store.heldForPeer(scene.space)
        #expect(told.digest == nil, "nothing is compared that cannot be equal")
        let known = try await scene.a.store.compare(told.summary.heads, in: scene.space).known
        _ = try await scene.b.store.receive(try scene.a.allRuns(excluding: known), in: scene.space)
        #expect(try await scene.b.store.heldForPeer(scene.space).digest != nil)
        try await scene.settle()
    }

    // MARK: Values that nobody saw

    /// A signed run of changes that set one field each, of which only the erased form is shown.
    private func unseen(
        _ chain: inout HandChain, _ record: RecordID, _ operations: [[ConcordModel.Operation]]
    ) throws -> (shown: ChangeRun, full: ChangeRun) {
        let full = try chain.forge(operations.map { Draft(Entry(record: record, operations: $0)) })
        return (try stripped(full, record), full)
    }

    @Test("shows values only after the fact, in a form that breaks a rule")
    func malformedComesBack() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let twice = ConcordModel.Operation.add(field: "organizers", element: text("XXX"), replacing: [])
        let (shown, full) = try unseen(&chain, meeting, [[twice, twice]])
        #expect(try await scene.deliver([bind, shown]).isEmpty)
        #expect(try await scene.deliver([full]) == [.malformedChange])
        try await expectMissing(scene)
        // What was never shown can be ordered to go: then all is in order again.
        try await orderErasure(of: [chain.head.dot], on: meeting, scene)
        try await scene.settle()
    }

    @Test("shows values only after the fact, more than a run may have")
    func growsBack() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        func long(_ number: Int) -> [ConcordModel.Operation] {
            (0..<12).map { field in
                .set(
                    field: UTF8Text("f\(field)"), value: text(String(repeating: "\(number)", count: 15_000)),
                    replacing: [])
            }
        }
        let (shown, full) = try unseen(&chain, meeting, [long(1), long(2), long(3)])
        #expect(try await scene.deliver([full]).subtracting([.limitExceeded]).isEmpty)
        #expect(try await scene.deliver([bind, shown]).isEmpty)
        // Each change alone fits into a run; the run that one signature covers does not.
        var previous = shown.previous
        for (index, bytes) in full.changes.enumerated() {
            let alone = full.altered(
                first: full.firstSequence + UInt64(index), previous: previous, changes: [bytes])
            for site in scene.honest { _ = try await site.store.receive([alone], in: scene.space) }
            let dot = Dot(chain.replica, full.firstSequence + UInt64(index))
            previous = try await scene.a.place(dot).hash.mark
        }
        // Whatever came of it: everybody can still pass on all that it has.
        for run in try scene.a.allRuns() { #expect(run.byteCount <= Limits.frameBytes / 2) }
        let late = try await scene.world.site(1, node: "late")
        #expect(try await late.store.receive(try scene.a.allRuns(), in: scene.space).refusal == nil)
        let dots = (full.firstSequence...full.lastSequence).map { Dot(chain.replica, $0) }
        try await orderErasure(of: dots, on: meeting, scene)
        try await converge(scene.honest + [late])
    }

    @Test("never shows its values: who is in standing has them erased, and all verify again")
    func neverShows() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let title = ConcordModel.Operation.set(field: "city", value: text("Nowhere"), replacing: [])
        let (shown, _) = try unseen(&chain, meeting, [[title]])
        #expect(try await scene.deliver([bind, shown]).isEmpty)
        try await expectMissing(scene)
        // Others' writes go on as ever.
        try await scene.b.write(.update(meeting, [.set("title", text("Ours"))]))
        try await orderErasure(of: [chain.head.dot], on: meeting, scene)
        try await scene.settle()
        #expect(try scene.c.record(meeting).title == "Ours")
    }

    @Test("hides the end of its chain behind values that it never shows")
    func hidesTheEnd() async throws {
        let scene = try await Scene()
        let meeting = try await scene.a.meeting("Theirs")
        try await scene.settle()
        var (chain, bind) = try scene.enemyChain(after: [try scene.a.head()])
        let title = ConcordModel.Operation.set(field: "city", value: text("Nowhere"), replacing: [])
        let (shown, _) = try unseen(&chain, meeting, [[title]])
        let more = try chain.contact("Shown to A alone")
        _ = try await scene.a.store.receive([bind, shown, more], in: scene.space)
        _ = try await scene.b.store.receive([bind, shown], in: scene.space)
        let (here, there) = (
            try await scene.a.store.heldForPeer(scene.space), try await scene.b.store.heldForPeer(scene.space)
        )
        #expect(here.summary.hash != there.summary.hash, "they do not hold the same, and must find out")
        let dot = Dot(chain.replica, chain.head.dot.sequence - 1)
        try await orderErasure(of: [dot], on: meeting, scene)
        try await scene.settle()
    }

    @Test("erased forms that are larger than the change was pass on in frames")
    func largeErasedForm() async throws {
        let scene = try await Scene()
        var (chain, bind) = try scene.enemyChain()
        // One large value, which stays, and many small ones, of which the hashes are larger than they were.
        let small = (0..<900).map { chain.creation(of: "contact", index: $0).record }
        var entries = small.map { record in
            Entry(
                record: record,
                operations: [.create(kind: "contact", parent: nil)])
        }
        for index in 880..<896 {
            let kept = chain.creation(of: "contact", index: index)
            let operations =
                kept.entry.operations + [
                    .set(field: "notes", value: text(String(repeating: "n", count: 12_800)), replacing: [])
                ]
            entries[index] = Entry(record: kept.record, operations: operations)
        }
        let gone = chain.creation(of: "contact", "x", index: 899)
        entries[899] = gone.entry
        let run = try chain.forge(Draft(entries: entries))
        #expect(try #require(run.changes.first).count < Limits.changeBytes)
        let created = chain.head.dot
        let order = try chain.forge(
            Draft(Entry(record: gone.record, operations: [.erase(changes: [created], reason: "")])))
        #expect(try await scene.a.store.receive([bind, run, order], in: scene.space).refusal == nil)
        for run in try scene.a.allRuns() {
            guard
                case .changes(_, let sent)? = try? Message(
                    encoded: Message.changes(scene.space, [run]).encoded())
            else {
                Issue.record("what is held cannot be sent")
                continue
            }
            #expect(try await scene.b.store.receive(sent, in: scene.space).refusal == nil)
        }
        try await scene.settle()
    }

    // MARK: Parts

    /// All report, honestly, that values are missing.
    private func expectMissing(_ scene: Scene) async throws {
        for site in scene.honest {
            #expect(try await site.store.verify().problems.map(\.code) == [ErrorCode.erasureMissing.rawValue])
            #expect(try await site.store.heldForPeer(scene.space).digest == nil)
        }
    }

    private func orderErasure(of dots: [Dot], on record: RecordID, _ scene: Scene) async throws {
        let act = Erasure(
            space: scene.space, subject: scene.enemy.id, record: record, changes: dots, reason: "never shown",
            timestamp: 1)
        for signed in try scene.signed(act, by: [scene.a.party, scene.b.party]) {
            try await scene.a.write(.act(signed))
        }
    }
}
