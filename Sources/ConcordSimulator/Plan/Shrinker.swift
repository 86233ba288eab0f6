// Makes a failing scenario small: first with fewer nodes, then without ever smaller ranges of what happens in it (delta
// debugging, Zeller and Hildebrandt 2002), as long as the same invariant fails. It works on the list of decisions, not on
// the seed: what is left happens as it did before.

/// Shrinks scenarios.
public struct Shrinker: Sendable {
    private let options: SimulationOptions
    private let output: @Sendable (String) -> Void

    /// A shrinker of runs with these options.
    public init(_ options: SimulationOptions, output: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.output = output
    }

    /// The smallest scenario that was found to fail as this one does; nil if it does not fail.
    public func shrink(_ scenario: Scenario) async -> (scenario: Scenario, violation: Violation)? {
        guard let violation = await violation(scenario) else { return nil }
        output("fails with \(scenario.decisions.count) decisions: \(violation.invariant.rawValue)")
        var smallest = scenario
        while let smaller = smallest.withoutLastNode(), await fails(smaller, violation) { smallest = smaller }
        var size = max(1, smallest.decisions.count / 2)
        while true {
            let before = smallest.decisions.count
            smallest = await withoutRanges(of: size, smallest, violation)
            output("\(smallest.decisions.count) decisions are left")
            if size == 1, smallest.decisions.count == before { break }
            size = max(1, min(size / 2, smallest.decisions.count / 2))
            if smallest.decisions.isEmpty { break }
        }
        return (smallest, await self.violation(smallest) ?? violation)
    }

    private func withoutRanges(
        of size: Int, _ scenario: Scenario, _ violation: Violation
    ) async -> Scenario {
        var smallest = scenario
        var start = 0
        while start < smallest.decisions.count {
            var fewer = smallest.decisions
            fewer.removeSubrange(start..<min(start + size, fewer.count))
            let candidate = smallest.with(fewer)
            if await fails(candidate, violation) { smallest = candidate } else { start += size }
        }
        return smallest
    }

    private func fails(_ scenario: Scenario, _ violation: Violation) async -> Bool {
        await self.violation(scenario)?.invariant == violation.invariant
    }

    /// What fails in a scenario.
    public func violation(_ scenario: Scenario) async -> Violation? {
        var quiet = options
        quiet.log = .short
        return await SimulationRunner.run(scenario, quiet) { _ in }.violation
    }

    /// Runs a scenario and writes every event.
    public func replay(_ scenario: Scenario) async -> Violation? {
        var full = options
        full.log = .full
        let output = output
        return await SimulationRunner.run(scenario, full) { output($0) }.violation
    }
}
