// The checks that not every run can judge: where what a check forbids may rightly happen, or where it takes too long for
// every run. How many runs judged each of them is counted, so that nobody takes a check for more than it is.

/// A check that some runs judge.
public enum ConditionalCheck: String, CaseIterable, Sendable {
    /// What people wrote is shown as they remember it.
    case memory = "what people remember"
    /// Once healed, nodes send what is lacking and little besides.
    case traffic = "traffic after healing"
    /// No number of a chain stands for two changes.
    case numbers = "one change for each number"
    /// What a change builds upon stands before it in every log.
    case order = "causal order of logs"
    /// A node acknowledges only what it holds.
    case acknowledgements = "acknowledgements against what is held"
    /// What a node lost by being set back, and others held, is held everywhere.
    case setBack = "what nodes lost that were set back"
    /// After its disk failed, a store remembers what its disk holds.
    case disk = "memory after a disk failed"
    /// What only the next version knows is held everywhere.
    case later = "what only the next version knows"
    /// A restored backup sees the same.
    case backup = "a restored backup"
    /// A fresh node that was given everything sees the same.
    case freshNode = "a fresh node"
}

extension Simulation {
    /// Whether this run judges a check.
    func judges(_ check: ConditionalCheck) -> Bool {
        switch check {
        case .memory: !swarm.hasHiding
        // Where there are branches they are sent again, and peers have other names for chains.
        case .traffic, .numbers, .order, .acknowledgements: !swarm.hasForks
        case .setBack: !demanded(by: judged).isEmpty
        case .disk: isDiskCompared
        case .later: figures.laterChanges > 0
        case .backup: scenario.seed % 8 == 0
        case .freshNode: scenario.seed % 4 == 1
        }
    }

    /// Counts what was judged, and who was excused.
    mutating func countJudgements() {
        for check in ConditionalCheck.allCases where judges(check) { figures.judged[check, default: 0] += 1 }
        figures.demanded = demanded(by: judged).count
        let excuses = excuses
        for number in nodes.indices {
            if let excuse = excuses[number] { figures.excused[excuse, default: 0] += 1 }
        }
    }
}
