// Plays a script with real stores: honest nodes write through them, hostile ones sign by hand what they like
// and pass it on. Every store is compared with the oracle, which reads nothing but the stores' logs.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import TestSupport

/// A script under way among real stores.
final class StoreHistory {
    private final class Seat {
        let site: Site
        let hand: StoreHand?
        /// The hash of the last change of the hand's main branch.
        var tip: String?

        init(_ site: Site, hand: StoreHand?) {
            self.site = site
            self.hand = hand
        }
    }

    let script: HistoryScript
    let log: StoreLog
    private let charter: SignedCharter
    private let parties: [Party]
    private let seats: [Seat]
    private var procedures: HistoryProcedures
    private var clock: Int64 = 1
    private(set) var tally: [String: Int] = [:]
    /// Whether anything was reported.
    private(set) var isBroken = false

    var oracle: Oracle { log.oracle }
    var sites: [Site] { seats.map(\.site) }

    init(_ script: HistoryScript) async throws {
        self.script = script
        let parties = try (0..<script.members).map { try Party("M\($0)", "Member \($0)") }
        self.parties = parties
        let founders = try parties.prefix(script.founders).map {
            try MemberStatement(authority: $0.authority)
        }
        charter = try SignedCharter(
            charter: Charter(
                name: "History", timestamp: 1, founders: founders,
                admissionThreshold: UInt64(script.admission),
                suspensionThreshold: UInt64(script.suspension)), key: parties[0].key)
        log = try StoreLog(charter.charter)
        var seats: [Seat] = []
        for seat in script.seats {
            let site = try await Site(parties[seat.member], charter, node: "n\(seat.node)")
            seats.append(Seat(site, hand: seat.isHostile ? try StoreHand(site.signer, site.space) : nil))
        }
        self.seats = seats
        procedures = HistoryProcedures(space: charter.charter.space, parties: parties)
    }

    /// Something that differs from what it should be, with what is needed to repeat it.
    func report(_ what: String) {
        isBroken = true
        Issue.record("history \(script.seed): \(what)")
    }

    func play() async throws {
        for (number, step) in script.steps.enumerated() where !isBroken {
            try await play(step)
            if number % 6 == 0 { try compare(number % seats.count) }
        }
    }

    /// Compares one store with the oracle.
    func compare(_ seat: Int) throws { try compare(seats[seat].site.store, "store \(seat)") }

    func compare(_ store: ReplicaStore, _ name: String) throws {
        let differences = try StoreComparison(log, store, charter.charter.space).differences()
        if !differences.isEmpty {
            report("\(name): " + differences.prefix(6).joined(separator: "\n  "))
        }
        tally["comparisons", default: 0] += 1
    }

    private func play(_ step: HistoryStep) async throws {
        clock += Int64(tally["steps", default: 0] % 3)
        tally["steps", default: 0] += 1
        switch step {
        case .sync(let from, let to, let limit): try await sync(from, to, limit)
        case .write(let seat, let edits, let manner):
            if let manner, seats[seat].hand != nil {
                try await writeByHand(seat, manner) { craft, dot in
                    let value = "\(tally["steps", default: 0])"
                    let intents = craft.twins(dot) + craft.intents(edits, value: value)
                    return craft.entries(intents, dot: dot, value: value) { kind, _, entry in
                        RecordID(
                            space: charter.charter.space, kind: UTF8Text(kind), dot: dot.real, index: entry,
                            timestamp: craft.time(of: dot) ?? clock
                        ).description
                    }.map(\.real)
                }
            } else {
                let craft = try craft(seat, nil)
                let intents = craft.intents(edits, value: "\(tally["steps", default: 0])")
                try await write(seat, craft.draft(intents), craft)
            }
        case .act(let seat, let procedure, let signers, let manner):
            if let manner, seats[seat].hand != nil {
                try await writeByHand(seat, manner) { craft, _ in
                    let acts = try signed(procedure, signers, craft)
                    return acts.isEmpty ? [] : [Entry(record: nil, operations: acts.map { .act($0) })]
                }
            } else {
                let craft = try craft(seat, nil)
                try await write(seat, try signed(procedure, signers, craft).map { .act($0) }, craft)
            }
        }
    }

    private func craft(_ seat: Int, _ manner: HistoryManner?) throws -> HistoryCraft {
        let held = log.held(try log.read(seats[seat].site.path))
        let member = parties[script.seats[seat].member].id.description
        return HistoryCraft(oracle, holding: held, member: member, manner: manner)
    }

    private func signed(_ procedure: HistoryProcedure, _ signers: [Int], _ craft: HistoryCraft) throws
        -> [SignedAct]
    {
        let nodes = seats.map {
            Oracle.Node(
                member: $0.site.party.id.description,
                name: NodeID(certificate: $0.site.signer.certificate).description)
        }
        return try procedures.signed(procedure, signers, craft, nodes: nodes)
    }

    // MARK: Honest writing

    /// Writes through the store, which must agree with the oracle on whether it may, and on what to depend.
    private func write(_ seat: Int, _ draft: Draft, _ craft: HistoryCraft) async throws {
        if draft.isEmpty { return }
        let site = seats[seat].site
        let node = NodeID(certificate: site.signer.certificate).description
        let own = craft.held.filter {
            oracle.changes[$0].node == node && oracle.changes[$0].member == craft.member
        }
        let keys = craft.view.roster[craft.member]?.keys ?? []
        let may =
            oracle.mayWrite(craft.member, node: node, replica: "", holding: craft.held)
            && (!own.isEmpty || keys.contains(craft.member))
        do {
            _ = try await site.store.write(draft, in: site.space, by: site.signer, author: "ana", now: clock)
        } catch let error as ConcordError {
            let isStanding = error.code == .notInStanding || error.code == .notYetAdmitted
            if may || !isStanding {
                report("seat \(seat) cannot write \(draft): \(error.code) \(error.message)")
            }
            return
        }
        if !may { report("seat \(seat) wrote \(draft), for the oracle it may not") }
        tally["honest writes", default: 0] += 1
        let after = log.held(try log.read(site.path))
        let new = after.filter { !craft.held.contains($0) }
        guard let first = new.first else { return report("seat \(seat) wrote nothing") }
        let expected = craft.dependencies(after: own.last.map { oracle.changes[$0].hash })
        if Set(oracle.changes[first].dependencies) != Set(expected) {
            report("seat \(seat) depends on \(oracle.changes[first].dependencies), oracle \(expected)")
        }
        let effective = oracle.effect(of: after).effective
        let mayStill = oracle.mayWrite(craft.member, node: node, replica: "", holding: after)
        if mayStill, !new.allSatisfy(effective.contains) { report("seat \(seat) wrote what is hidden") }
    }

    // MARK: Hostile writing

    private func writeByHand(
        _ seat: Int, _ manner: HistoryManner, _ entries: (HistoryCraft, OracleDot) throws -> [Entry]
    ) async throws {
        guard let hand = seats[seat].hand else { return }
        var craft = try craft(seat, manner)
        var own = craft.held.filter { oracle.changes[$0].replica == hand.replica.description }
        var previous = seats[seat].tip
        if let fork = manner.fork, let start = fork(own.map { oracle.changes[$0].hash } + [nil]) {
            previous = start
            tally["forks tried", default: 0] += 1
        }
        if previous == nil {
            let label = "beginning \(own.count)"
            previous = try await pass(
                seat, [hand.binding], after: nil,
                craft.dependencies(after: nil, of: hand.replica.description), label)
            if previous == nil { return }
            if own.isEmpty { seats[seat].tip = previous }
            craft = try self.craft(seat, manner)
            own = craft.held.filter { oracle.changes[$0].replica == hand.replica.description }
        }
        guard let previous, let before = oracle.change(previous) else { return }
        let dot = OracleDot(hand.replica.description, before.dot.sequence + 1)
        let made = try entries(craft, dot)
        if made.isEmpty { return }
        guard isWellFormed(made, dot, craft.time(of: dot) ?? clock) else {
            tally["malformed", default: 0] += 1
            return
        }
        let hash = try await pass(
            seat, made, after: previous, craft.dependencies(after: previous), "hand \(own.count)",
            at: craft.time(of: dot))
        if previous == seats[seat].tip { seats[seat].tip = hash }
        tally["hostile writes", default: 0] += 1
    }

    /// Whether everybody would take a change with these entries. Only a twin can fail: what it makes is held
    /// already.
    private func isWellFormed(_ entries: [Entry], _ dot: OracleDot, _ timestamp: Int64) -> Bool {
        let change = Change(
            timestamp: timestamp, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
            entries: entries)
        return (try? change.checkWellFormed(space: charter.charter.space, dot: dot.real)) != nil
    }

    /// Hands a change to the hostile node's own store, from where it spreads.
    ///
    /// - Returns: its hash; nil if nothing that is held shows the authority of its member yet.
    private func pass(
        _ seat: Int, _ entries: [Entry], after previous: String?, _ dependencies: [String], _ label: String,
        at: Int64? = nil
    ) async throws -> String? {
        guard let hand = seats[seat].hand else { preconditionFailure("an honest node has no hand") }
        func place(_ hash: String) throws -> (dot: Dot, hash: Digest) {
            (try #require(oracle.change(hash)).dot.real, try #require(log.digests[hash]))
        }
        let (run, hash) = try hand.run(
            entries, after: try previous.map(place), dependencies: try dependencies.map(place),
            at: at ?? clock,
            label: label)
        let outcome = try await seats[seat].site.store.receive([run], in: charter.charter.space)
        if outcome.refusal?.code == .unknownReplica { return nil }
        if let refusal = outcome.refusal {
            report("a hostile change is refused: \(refusal.code) \(refusal.message)")
        }
        if outcome.heldBack > 0 { report("a hostile change is held back") }
        _ = try log.read(seats[seat].site.path)
        return hash.description
    }

    // MARK: Exchange

    private func sync(_ from: Int, _ to: Int, _ limit: Int?) async throws {
        let (sender, receiver) = (seats[from].site, seats[to].site)
        let known = try await sender.store.compare(
            try receiver.store.held(sender.space).heads, in: sender.space
        )
        .known
        let runs = try sender.allRuns(excluding: known, maximumBytes: limit == nil ? 1 << 20 : 1)
        let outcome = try await receiver.store.receive(Array(runs.prefix(limit ?? .max)), in: sender.space)
        if let refusal = outcome.refusal {
            report("\(to) refuses what \(from) sends: \(refusal.code) \(refusal.message)")
        }
    }

    /// Everybody gets everything, if need be in several rounds.
    func exchange() async throws {
        for _ in 0..<8 {
            var hashes: Set<Digest> = []
            for a in seats.indices {
                for b in seats.indices where a != b { try await sync(a, b, nil) }
            }
            for seat in seats { hashes.insert(try seat.site.store.held(charter.charter.space).hash) }
            if hashes.count == 1 { return }
        }
        report("the stores do not come to hold the same")
    }

    /// A store that takes in the same changes in another order, and must come to the same.
    func refill(_ generator: inout HistoryDice) async throws -> Site {
        let site = try await Site(parties[0], charter, node: "fresh")
        let ordered = try seats[0].site.allRuns(maximumBytes: generator.chance(50) ? 1 : 1 << 16)
        let target = try seats[0].site.store.held(charter.charter.space).hash
        for round in 0..<6 {
            // What follows a fork in a delivery is not looked at, so the last round goes one by one.
            let isLast = round == 5
            var rest = isLast ? ordered[...] : ordered.shuffled(using: &generator)[...]
            while !rest.isEmpty {
                let count = isLast || generator.chance(50) ? 1 : generator.number(1...20)
                let outcome = try await site.store.receive(Array(rest.prefix(count)), in: site.space)
                // In such an order a chain may come before what shows its member's authority.
                if let refusal = outcome.refusal, refusal.code != .unknownReplica {
                    report("a fresh store refuses \(refusal.code) \(refusal.message)")
                }
                rest = rest.dropFirst(count)
            }
            if try site.store.held(site.space).hash == target { return site }
        }
        report("a fresh store does not come to hold the same")
        return site
    }
}
