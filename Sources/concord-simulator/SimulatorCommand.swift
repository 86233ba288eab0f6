// The simulator as a program. See ConcordSimulator.

import ArgumentParser
import ConcordSimulator
import Foundation

/// Runs nodes on a simulated network.
@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord-simulator",
        abstract: "Runs nodes on a simulated network; every failure repeats from its seed.",
        subcommands: [WorldsCommand.self, PushCommand.self], defaultSubcommand: WorldsCommand.self)
}

/// Runs whole nodes on a simulated network and checks that nothing is lost and all converge.
struct WorldsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worlds",
        abstract:
            "Whole nodes, with simulated network, disk and clock, under faults. This is what runs unless said."
    )

    @Option(help: "The seed of the first run; drawn if it is not given.")
    var seed: UInt64?

    @Option(help: "How many seeds are run.")
    var count = 1

    @Option(help: "How many nodes take part, 2 to 5; drawn for each seed if it is not given.")
    var nodes: Int?

    @Option(help: "How often people write something while there are faults.")
    var steps = 120

    @Option(help: "What is written: short or full.")
    var log = SimulationOptions.Log.short

    @Flag(help: "Break an invariant on purpose; the run passes if that is noticed.")
    var canary = false

    func validate() throws {
        guard count > 0, steps > 0 else { throw ValidationError("--count and --steps are at least 1") }
        if let nodes, !(2...SimulationOptions.maximumNodes).contains(nodes) {
            throw ValidationError("--nodes is 2 to \(SimulationOptions.maximumNodes)")
        }
    }

    func run() async throws {
        let options = SimulationOptions(
            seed: seed ?? UInt64.random(in: 0..<1 << 32), count: count, nodes: nodes, steps: steps, log: log,
            canary: canary)
        let outcome = await SimulationRunner(options).run { line in
            // At once, also into a file: a run may take hours.
            FileHandle.standardOutput.write(Data((line + "\n").utf8))
        }
        guard outcome.failedSeed == nil else { throw ExitCode.failure }
    }
}

extension SimulationOptions.Log: ExpressibleByArgument {}
