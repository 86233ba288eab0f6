// Runs seed after seed and reports in the way that people can act on: first the seed and the options, and on
// failure the invariant, the last events and the command that repeats it.

import ConcordModel
import Foundation

/// Runs simulations.
public struct SimulationRunner: Sendable {
    /// What became of a run of several seeds.
    public struct Outcome: Hashable, Sendable {
        /// The first seed that failed; in a run with a canary, the first whose canary was not noticed.
        public var failedSeed: UInt64?
        /// The invariant that did not hold; nil for a canary that was not noticed.
        public var violation: Violation?
        /// How many canaries were noticed.
        public var noticedCanaries = 0
        /// What happened, in numbers.
        public var figures = SimulationFigures()
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
            let swarm = Swarm(options, seed: seed)
            output("SEED \(seed): \(swarm.summary), steps \(options.steps)")
            let (result, isCaught) = await run(seed, output)
            outcome.figures.add(result.figures)
            if options.canary, isCaught {
                outcome.noticedCanaries += 1
                output("CAUGHT \(result.violation?.invariant.rawValue ?? "")")
                continue
            }
            guard result.violation != nil || options.canary && result.canaryFired else { continue }
            outcome.failedSeed = seed
            outcome.violation = result.violation
            report(result, seed, output)
            return outcome
        }
        if options.canary, outcome.noticedCanaries == 0 {
            outcome.failedSeed = options.seed
            output("FAILED: no canary was noticed; most runs need more --steps to let one go")
            return outcome
        }
        output("PASSED \(outcome.figures.summary)")
        if options.canary {
            output(
                "\(outcome.noticedCanaries) canaries noticed, \(options.count - outcome.noticedCanaries) silent"
            )
        }
        return outcome
    }

    private struct Result {
        var figures = SimulationFigures()
        var violation: Violation?
        var lastEvents: [String] = []
        var canaryFired = false
    }

    private func run(
        _ seed: UInt64, _ output: @escaping (String) -> Void
    ) async -> (Result, isCaught: Bool) {
        var result = Result()
        let folder = Self.temporaryFolder(seed)
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var simulation = try Simulation(seed: seed, options: options, folder: folder, output: output)
            do {
                try await simulation.run()
            } catch {
                result.violation = Self.violation(error)
            }
            result.figures = simulation.figures
            result.figures.milliseconds = simulation.now
            result.lastEvents = simulation.lastEvents
            result.canaryFired = simulation.canaryFired
        } catch {
            result.violation = Self.violation(error)
        }
        return (result, result.canaryFired && result.violation != nil)
    }

    private static func violation(_ error: any Error) -> Violation {
        error as? Violation ?? Violation(invariant: .storeWorks, detail: "\(error)")
    }

    /// A folder in memory where there is one: what is measured here is logic, and a disk would only make it
    /// slow.
    private static func temporaryFolder(_ seed: UInt64) -> URL {
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory)
            ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        // The name is unique, so that runs of one seed do not meet; it has no influence on them.
        return base.appendingPathComponent("concord-simulator-\(seed)-\(UUID().uuidString)")
    }

    private func report(_ result: Result, _ seed: UInt64, _ output: (String) -> Void) {
        if options.log == .short { for line in result.lastEvents { output(line) } }
        output(
            "FAILED seed \(seed): " + (result.violation?.invariant.rawValue ?? "the canary was not noticed"))
        if let detail = result.violation?.detail { output("  \(detail)") }
        output("  repeat with: \(options.command(seed: seed))")
    }
}
