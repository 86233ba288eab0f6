// Runs seed after seed and reports in the way that people can act on: first the seed and what was drawn for it, and on
// failure the invariant, the last events and the command that repeats it.

import ConcordModel
import Foundation

/// Runs simulations.
public struct SimulationRunner: Sendable {
    /// What became of a run of several seeds.
    public struct Outcome: Sendable {
        /// The first seed that failed; in a run with a canary, the first whose canary was not noticed.
        public var failedSeed: UInt64?
        /// The invariant that did not hold; nil for a canary that was not noticed.
        public var violation: Violation?
        /// The invariants by which canaries were noticed.
        public var noticed: [Violation.Invariant] = []
        /// What happened, in numbers.
        public var figures = SimulationFigures()
        /// A hash over all events of all runs.
        public var trace: UInt64 = 0

        /// How many canaries were noticed.
        public var noticedCanaries: Int { noticed.count }
    }

    private let options: SimulationOptions

    /// A runner with these options.
    public init(_ options: SimulationOptions) { self.options = options }

    /// Runs all seeds and stops at the first that fails.
    ///
    /// - Parameter output: takes one line at a time.
    public func run(output: @escaping (String) -> Void) async -> Outcome {
        var outcome = Outcome()
        for number in 0..<max(1, options.count) {
            let seed = options.seed &+ UInt64(number)
            let scenario = Scenario(options, seed: seed)
            output("SEED \(seed): \(scenario.summary), steps \(options.steps)")
            let result = await Self.run(scenario, options, output)
            outcome.figures.add(result.figures)
            outcome.trace = outcome.trace &* 31 ^ result.trace
            if options.canary, result.canaryFired, let violation = result.violation {
                outcome.noticed.append(violation.invariant)
                output("CAUGHT \(violation.invariant.rawValue): \(violation.detail)")
                continue
            }
            guard result.violation != nil || options.canary && result.canaryFired else { continue }
            outcome.failedSeed = seed
            outcome.violation = result.violation
            let command = options.command(seed: seed)
            report(result, seed, command, output)
            if result.violation != nil { output("  make it small with: \(command) --shrink") }
            return outcome
        }
        if options.canary, outcome.noticed.isEmpty {
            outcome.failedSeed = options.seed
            output("FAILED: no canary was noticed; most runs need more --steps to let one go")
            return outcome
        }
        output("PASSED \(outcome.figures.summary)")
        if options.canary {
            let silent = options.count - outcome.noticed.count
            output("\(outcome.noticed.count) canaries noticed, \(silent) silent")
        }
        return outcome
    }

    /// Runs one scenario, and reports as of a seed, with every event if the options ask for that.
    ///
    /// - Parameters:
    ///   - command: what repeats it.
    ///   - output: takes one line at a time.
    public func replay(
        _ scenario: Scenario, command: String, output: @escaping (String) -> Void
    ) async -> Outcome {
        var outcome = Outcome()
        output("SEED \(scenario.seed): \(scenario.summary), decisions \(scenario.decisions.count)")
        let result = await Self.run(scenario, options, output)
        outcome.figures = result.figures
        outcome.trace = result.trace
        guard let violation = result.violation else {
            output("PASSED \(outcome.figures.summary)")
            return outcome
        }
        outcome.failedSeed = scenario.seed
        outcome.violation = violation
        report(result, scenario.seed, command, output)
        return outcome
    }

    /// What became of one run.
    struct Result: Sendable {
        var figures = SimulationFigures()
        var violation: Violation?
        var lastEvents: [String] = []
        var canaryFired = false
        var trace: UInt64 = 0
    }

    /// Runs a scenario.
    static func run(
        _ scenario: Scenario, _ options: SimulationOptions, _ output: @escaping (String) -> Void
    ) async -> Result {
        var result = Result()
        do {
            var simulation = try Simulation(scenario, options: options, output: output)
            do {
                try await simulation.run()
            } catch {
                result.violation = violation(error)
            }
            simulation.close()
            result.figures = simulation.finalFigures
            result.lastEvents = simulation.lastEvents
            result.canaryFired = simulation.canaryFired
            result.trace = simulation.trace
        } catch {
            result.violation = violation(error)
        }
        return result
    }

    private static func violation(_ error: any Error) -> Violation {
        error as? Violation ?? Violation(invariant: .storeWorks, detail: "\(error)")
    }

    private func report(_ result: Result, _ seed: UInt64, _ command: String, _ output: (String) -> Void) {
        if options.log == .short { for line in result.lastEvents { output(line) } }
        let word = result.violation?.invariant.rawValue ?? "the canary was not noticed"
        output("FAILED seed \(seed): \(word)")
        if let detail = result.violation?.detail { output("  \(detail)") }
        if let commit = options.commit { output("  at commit \(commit)") }
        output("  repeat with: \(command)")
    }
}

extension Simulation {
    /// What happened, with what the disks counted.
    var finalFigures: SimulationFigures {
        var figures = figures
        figures.milliseconds = now
        for node in nodes {
            let counts = node.disk.counts
            figures.diskFailures += Int(counts.failed)
            figures.droppedWrites += Int(counts.dropped_writes)
            figures.tornWrites += Int(counts.torn_writes)
        }
        return figures
    }

    /// Breaks what a canary breaks in what a node remembers, once there is enough of it.
    mutating func sing(_ node: Int) {
        guard swarm.canary == .inventedWrite, !canaryFired, figures.changes > 5,
            let last = nodes[node].written.last
        else { return }
        let dot = Dot(last.dot.replica, last.dot.sequence + 1_000)
        nodes[node].written.append(.init(dot: dot, hash: last.hash))
        canaryFired = true
    }
}
