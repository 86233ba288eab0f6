// All histories of a small size, without chance: whatever shape of graph, whatever operations, whoever writes.

import ConcordText
import Testing

/// Counts through all choices of a computation: each run of it makes the next combination.
private struct Choices {
    private var made: [(choice: Int, count: Int)] = []
    private var place = 0

    mutating func next(_ count: Int) -> Int {
        if place == made.count { made.append((0, count)) }
        place += 1
        return made[place - 1].choice
    }

    /// Goes on to the next combination; false if there is none.
    mutating func advance() -> Bool {
        place = 0
        while let last = made.popLast() {
            if last.choice + 1 < last.count {
                made.append((last.choice + 1, last.count))
                return true
            }
        }
        return false
    }
}

@Suite struct SmallScopeTests {
    /// Who writes: all orders of three agents, and one or two who write on several branches.
    private static let triples = [
        "abc", "acb", "bac", "bca", "cab", "cba", "aaa", "aab", "aba", "baa", "abb", "bab", "bba",
    ]
    /// The orders that can matter for four.
    private static let quadruples = ["abcd", "dcba", "badc", "cdab", "aabb", "abab", "aaaa"]

    @Test("every history of three edits of one scalar on a text of two", arguments: triples)
    func threeOnTwo(agents: String) throws {
        let base = TextEdit("r1", [.insert(2, at: 0)], "xy")
        try play(Array(agents).map(String.init), base)
    }

    @Test("every history of four edits that begin with nothing", arguments: quadruples)
    func fourOnNothing(agents: String) throws {
        try play(Array(agents).map(String.init), nil)
    }

    private func play(_ agents: [String], _ base: TextEdit?) throws {
        var choices = Choices()
        var count = 0
        repeat {
            var edits = base.map { [$0] } ?? []
            var oracle = TreeOracle(edits)
            for (number, agent) in agents.enumerated() {
                let parents = parents(edits, base, oracle, &choices)
                // Numbered against the order of the branches as well as along with it.
                let sequence = UInt64(number % 2 == 0 ? number + 10 : 10 - number)
                let length = oracle.length(at: parents)
                let operation = choices.next(2 * length + 1)
                let run: TextRun =
                    operation <= length
                    ? .insert(1, at: UInt64(operation)) : .delete(1, at: UInt64(operation - length - 1))
                let text = operation <= length ? String(number) : ""
                let edit = TextEdit(
                    TextEditID(TextAgent(named: agent), sequence), after: parents, [run], text)
                edits.append(edit)
                oracle.add(edit)
            }
            count += 1
            guard let fault = try fault(edits, oracle, UInt64(count)) else { continue }
            Issue.record("\(fault)\n\(source(edits))")
            return
        } while choices.advance()
        #expect(count > 500)
    }

    /// All sets of edits none of which implies another, the text of the base being below all.
    private func parents(
        _ edits: [TextEdit], _ base: TextEdit?, _ oracle: TreeOracle, _ choices: inout Choices
    ) -> [TextEditID] {
        var parents: [TextEditID] = []
        for edit in edits.reversed() where edit.id != base?.id {
            let isApart = !parents.contains {
                oracle.isKnown(edit.id, at: [$0]) || oracle.isKnown($0, at: [edit.id])
            }
            if isApart, choices.next(2) == 1 { parents.append(edit.id) }
        }
        return parents.isEmpty ? base.map { [$0.id] } ?? [] : parents
    }

    private func fault(_ edits: [TextEdit], _ oracle: TreeOracle, _ number: UInt64) throws -> String? {
        var dice = Seeded(number)
        var (together, apart) = (Subject(), Subject())
        try together.apply(edits)
        if let fault = try together.fault(oracle) { return fault }
        for edit in reordered(edits, &dice) { try apart.apply([edit]) }
        return try apart.fault(oracle)
    }
}
