// Random histories in the oracle alone.

import Testing

@testable import TestSupport

@Suite struct HistoryTests {
    static let size = HistorySize(
        founders: 2...5, applicants: 0...3, seats: 12, steps: 20...120, admission: 1...3,
        suspension: 1...3, hostility: [0, 15, 40])

    @Test(
        "in random histories what counts is closed, honest writes count at once, and every event occurs"
    )
    func properties() {
        var tally: [String: Int] = [:]
        for seed in UInt64(1)...60 {
            let history = AbstractHistory(HistoryScript(seed: seed, size: Self.size))
            history.play()
            for seat in history.held.indices { check(history, history.held[seat], &tally) }
            history.exchange()
            check(history, history.oracle.everything, &tally)
            var dice = HistoryDice(seed)
            tally["intrusions", default: 0] += history.intrude(&dice)
            tally.merge(history.tally, uniquingKeysWith: +)
        }
        for event in Self.events { #expect(tally[event, default: 0] > 0, "no \(event) in \(tally)") }
    }

    static let events = [
        "admit", "suspend", "reinstate", "revoke", "leave", "rotate", "hidden", "rescued", "forked",
        "suspended", "conflicts", "dead", "flagged", "refused", "observers", "intrusions",
    ]

    private func check(_ history: AbstractHistory, _ held: OracleSet, _ tally: inout [String: Int]) {
        let oracle = history.oracle
        let (effect, view) = (oracle.effect(of: held), oracle.view(of: held))
        for index in effect.effective {
            #expect(oracle.pasts[index].isSubset(of: effect.effective))
            let change = oracle.changes[index]
            if change.dot.sequence > effect.cuts[change.replica] ?? .max { tally["rescued", default: 0] += 1 }
        }
        tally["hidden", default: 0] += Array(held).count - Array(effect.effective).count
        tally["forked", default: 0] += oracle.forks(in: held).count
        tally["suspended", default: 0] += view.roster.values.count { !$0.suspensions.isEmpty }
        tally["observers", default: 0] += view.roster.values.count { $0.role == .observer }
        tally["refused", default: 0] += view.refused.count
        for record in view.records.values {
            tally["conflicts", default: 0] += record.registers.values.count { $0.count > 1 }
            tally["dead", default: 0] += record.isLive ? 0 : 1
            tally["flagged", default: 0] += record.isLive && !record.openDeletes.isEmpty ? 1 : 0
            for values in record.registers.values { #expect(!values.isEmpty) }
        }
    }
}
