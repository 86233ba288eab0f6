// Plays a script in the oracle alone: nodes are sets of changes. What must hold of every history, whatever
// the store does, is checked on the way: that shows whether the rules make sense, where the stores show
// whether they are kept.

import Testing

@testable import TestSupport

/// A script under way among nodes that are nothing but sets of changes.
final class AbstractHistory {
    let script: HistoryScript
    let oracle: Oracle
    private(set) var held: [OracleSet]
    private var tips: [String?]
    private var acts: [OracleAct] = []
    private var rotations = 0
    private var clock: Int64 = 0
    private(set) var tally: [String: Int] = [:]

    init(_ script: HistoryScript) {
        self.script = script
        let founders = Set((0..<script.founders).map(Self.name))
        oracle = Oracle(
            OracleCharter(
                space: "space", founders: founders, admission: script.admission,
                suspension: script.suspension, ownedKinds: HistoryKind.owned, sharedKinds: HistoryKind.shared)
        )
        held = script.seats.map { _ in OracleSet() }
        tips = script.seats.map { _ in nil }
    }

    static func name(_ member: Int) -> String { String(UnicodeScalar(UInt8(65 + member))) }

    private func node(_ seat: Int) -> Oracle.Node {
        let member = Self.name(script.seats[seat].member)
        return Oracle.Node(member: member, name: "\(member)\(script.seats[seat].node)")
    }

    func play() {
        for step in script.steps { play(step) }
    }

    private func play(_ step: HistoryStep) {
        switch step {
        case .sync(let from, let to, let limit):
            let lacking = held[from].filter { !held[to].contains($0) }
            for index in lacking.prefix(limit ?? .max) { held[to].insert(index) }
        case .write(let seat, let edits, let manner):
            write(seat, manner) { craft, dot in
                let value = "\(dot)"
                let intents = craft.intents(edits, value: value)
                let entries = craft.entries(intents, dot: dot, value: value) { kind, _, entry in
                    "\(kind) \(dot).\(entry)"
                }
                return entries.flatMap(\.operations)
            }
        case .act(let seat, let procedure, let signers, let manner):
            write(seat, manner) { craft, _ in
                guard let act = act(procedure, craft) else { return [] }
                return signers.map(Self.name).compactMap { signed(act, by: $0, craft) }
            }
        }
    }

    private func act(_ procedure: HistoryProcedure, _ craft: HistoryCraft) -> OracleAct? {
        if case .again(let pick) = procedure { return pick(Array(acts.suffix(5))) }
        let content = craft.content(of: procedure, among: script.members, name: Self.name, seat: node) {
            member in
            rotations += 1
            return "\(member) key \(rotations)"
        }
        guard let content else { return nil }
        let act = OracleAct("act \(acts.count)", content)
        acts.append(act)
        return act
    }

    private func signed(_ act: OracleAct, by signer: String, _ craft: HistoryCraft) -> OracleOperation? {
        if craft.manner == nil, !craft.accepts(signer, under: act.content) { return nil }
        var key: String? = craft.view.roster[signer]?.keys.min() ?? signer
        if case .rotate(_, let replaces, _) = act.content { key = replaces }
        if craft.manner?.forgesSignature == true { key = nil }
        return .act(OracleSignedAct(act, by: signer, key: key))
    }

    private func write(
        _ seat: Int, _ manner: HistoryManner?, _ operations: (HistoryCraft, OracleDot) -> [OracleOperation]
    ) {
        let node = node(seat)
        if manner == nil,
            !oracle.mayWrite(node.member, node: node.name, replica: node.name, holding: held[seat])
        {
            return
        }
        let craft = HistoryCraft(oracle, holding: held[seat], member: node.member, manner: manner)
        let own = held[seat].filter { oracle.changes[$0].replica == node.name }
        var previous = tips[seat]
        if let fork = manner?.fork, let index = fork(own) { previous = oracle.changes[index].hash }
        let dot = OracleDot(node.name, (previous.map { oracle.change($0)!.dot.sequence } ?? 0) + 1)
        let made = operations(craft, dot)
        if made.isEmpty { return }
        clock += Int64(seat % 3)
        let change = OracleChange(
            hash: "\(oracle.changes.count &* 7919 % 100_003)", dot: dot, member: node.member, node: node.name,
            previous: previous, dependencies: craft.dependencies(after: previous), timestamp: clock,
            operations: made)
        let before = oracle.effect(of: held[seat]).effective
        let index = oracle.learn(change)
        held[seat].insert(index)
        if previous == tips[seat] { tips[seat] = change.hash }
        count(change, manner)
        if manner == nil { checkHonest(index, seat, before) }
    }

    /// What an honest node writes in good standing counts at once and depends on nothing hidden.
    private func checkHonest(_ index: Int, _ seat: Int, _ before: OracleSet) {
        let change = oracle.changes[index]
        let after = oracle.effect(of: held[seat]).effective
        let mayStill = oracle.mayWrite(
            change.member, node: change.node, replica: change.replica, holding: held[seat])
        #expect(after.contains(index) || !mayStill, "seed \(script.seed): \(change.dot) is hidden")
        var allowed = before
        for other in held[seat] where oracle.changes[other].replica == change.replica {
            allowed.insert(other)
        }
        #expect(oracle.pasts[index].isSubset(of: allowed), "seed \(script.seed): \(change.dot) rescues")
        for (place, operation) in change.operations.enumerated() where operation.record != nil {
            #expect(oracle.isAllowed(place, of: index), "seed \(script.seed): \(change.dot) is refused")
        }
    }

    private func count(_ change: OracleChange, _ manner: HistoryManner?) {
        tally["changes", default: 0] += 1
        if manner?.fork != nil { tally["forks tried", default: 0] += 1 }
        for signed in change.signedActs {
            let words = "\(signed.act.content)"
            tally[String(words.prefix { $0 != "(" }), default: 0] += 1
        }
    }

    /// Everybody holds everything.
    func exchange() {
        for seat in held.indices { held[seat] = oracle.everything }
    }

    /// Lets those who may not write do what they like with permissions and data, dated back or not.
    /// Restrictions and forks apart, which count from anybody, nothing that the others see may change.
    ///
    /// - Returns: how many changes they made.
    func intrude(_ dice: inout HistoryDice) -> Int {
        let everything = oracle.everything
        let (before, cuts) = (oracle.view(of: everything), oracle.effect(of: everything).cuts)
        let outside = script.seats.indices.filter { seat in
            let node = node(seat)
            let tip = tips[seat].map { oracle.change($0)!.dot.sequence } ?? 0
            return !oracle.mayWrite(node.member, node: node.name, replica: node.name, holding: everything)
                && tip >= cuts[node.name] ?? 0 && oracle.forks(in: everything)[node.name] == nil
        }
        let signers = (0..<script.members).map(Self.name).filter { !before.isInStanding($0) }
        guard !outside.isEmpty, !signers.isEmpty else { return 0 }
        for number in 0..<10 {
            let seat = outside[dice.number(0...(outside.count - 1))]
            let node = node(seat)
            var seen: Set<String> = []
            for _ in 0..<dice.number(0...2) {
                seen.insert(oracle.changes[dice.number(0...(oracle.changes.count - 1))].hash)
            }
            let previous = tips[seat]
            seen = seen.filter { hash in
                !oracle.closure([hash]).contains { oracle.changes[$0].replica == node.name }
            }
            let change = OracleChange(
                hash: "outside \(seat) \(number)",
                dot: OracleDot(node.name, (previous.map { oracle.change($0)!.dot.sequence } ?? 0) + 1),
                member: node.member, node: node.name, previous: previous, dependencies: seen.sorted(),
                timestamp: clock, operations: intrusion(before, signers, node.member, number, &dice))
            oracle.learn(change)
            tips[seat] = change.hash
        }
        let after = oracle.view(of: oracle.everything)
        #expect(after.effective == before.effective, "seed \(script.seed): an outsider's change counts")
        #expect(after.roster == before.roster, "seed \(script.seed): an outsider changed the roster")
        #expect(after.records == before.records, "seed \(script.seed): an outsider changed a record")
        return 10
    }

    private func intrusion(
        _ view: OracleView, _ signers: [String], _ member: String, _ number: Int, _ dice: inout HistoryDice
    ) -> [OracleOperation] {
        let record = dice.pick()(view.records.keys.sorted())
        if dice.chance(40), let record {
            return [.set(record: record, field: "notes", value: "outside", names: [])]
        }
        let suspensions = Set(view.roster.values.flatMap(\.suspensions))
        let contents: [OracleAct.Content] = [
            .admit(subject: signers[number % signers.count], as: .member, predecessor: nil),
            .reinstate(subject: signers[number % signers.count], suspensions: suspensions),
            .rotate(subject: member, replaces: member, key: "outside"),
        ]
        let act = OracleAct("outside act \(number % 4)", contents[dice.number(0...2)])
        return signers.map { .act(OracleSignedAct(act, by: $0)) }
    }
}
