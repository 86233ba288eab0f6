// A check that cannot fail checks nothing: for each there is something that breaks on purpose, and that it must notice.

import ConcordSimulator
import Testing

@Suite("Canaries")
struct CanaryTests {
    /// What breaks, and by which invariants that may be noticed.
    private static let table: [(canary: Canary, invariants: Set<Violation.Invariant>)] = [
        (.falseAcknowledgement, [.acknowledgedIsDurable]),
        (.lostCommits, [.writesSurvive]),
        (.inventedWrite, [.writesSurvive, .nothingLost]),
        (.alteredEdit, [.editsShown]),
        (.alteredWord, [.editsShown]),
        (.inventedDeletion, [.editsShown]),
        (.storm, [.noStorm]),
        (.absence, [.converges]),
        (.alteredFrame, [.noFaults]),
        (.lostEverywhere, [.nothingLost]),
        (.reversedLog, [.causalOrder]),
    ]

    @Test("every canary stands in the table")
    func complete() {
        #expect(Set(Self.table.map(\.canary)) == Set(Canary.allCases))
    }

    @Test("what breaks on purpose is noticed by the check that is there for it", arguments: Canary.allCases)
    func noticed(canary: Canary) async throws {
        let lines = Lines()
        let outcome = await SimulationRunner(
            SimulationOptions(seed: 100, count: 4, nodes: 3, steps: 40, broken: canary)
        ).run { lines.append($0) }
        let report = lines.all.suffix(45).joined(separator: "\n")
        #expect(outcome.failedSeed == nil, "\(report)")
        #expect(outcome.noticedCanaries > 0, "\(report)")
        let expected = try #require(Self.table.first { $0.canary == canary }).invariants
        #expect(Set(outcome.noticed).isSubset(of: expected), "\(report)")
    }

    private final class Lines {
        private(set) var all: [String] = []

        func append(_ line: String) { all.append(line) }
    }
}
