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
        subcommands: [WorldsCommand.self, ReplayCommand.self, PushCommand.self],
        defaultSubcommand: WorldsCommand.self)
}

/// Runs whole nodes on a simulated network and checks that nothing is lost and all converge.
struct WorldsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worlds",
        abstract:
            "Whole nodes, with simulated network, disks and clocks, under faults. This is what runs unless said."
    )

    @Option(help: "The seed of the first run, a number or a commit's hash; drawn if it is not given.")
    var seed: Seed?

    @Option(help: "How many seeds are run.")
    var count = 1

    @Option(
        help:
            "How many nodes take part, 2 to \(SimulationOptions.maximumNodes); drawn from 2 to 5 if not given."
    )
    var nodes: Int?

    @Option(help: "How often people write something while there are faults.")
    var steps = 120

    @Option(help: "What is written: short or full.")
    var log = SimulationOptions.Log.short

    @Flag(help: "Break an invariant on purpose; the run passes if that is noticed.")
    var canary = false

    @Option(help: "What to break on purpose; drawn if it is not given.")
    var broken: Canary?

    @Flag(help: "Make the first seed that fails small: fewer nodes, fewer events.")
    var shrink = false

    @Option(help: "The file into which the small scenario is written.")
    var out: String?

    func validate() throws {
        guard count > 0, steps > 0 else { throw ValidationError("--count and --steps are at least 1") }
        if let nodes, !(2...SimulationOptions.maximumNodes).contains(nodes) {
            throw ValidationError("--nodes is 2 to \(SimulationOptions.maximumNodes)")
        }
        guard out == nil || shrink else {
            throw ValidationError("--out names the file that --shrink writes: add --shrink")
        }
    }

    func run() async throws {
        let options = SimulationOptions(
            seed: seed?.number ?? UInt64.random(in: 0..<1 << 32), count: count, nodes: nodes, steps: steps,
            log: log, canary: canary, broken: broken, commit: Commit.present)
        let outcome = await SimulationRunner(options).run { write($0) }
        if count > 1 { for line in outcome.figures.table { write(line) } }
        guard let failed = outcome.failedSeed else { return }
        if shrink {
            if outcome.violation == nil {
                write("nothing is made small: no invariant failed, a canary was not noticed")
            } else {
                try await shrink(options, failed)
            }
        }
        throw ExitCode.failure
    }

    private func shrink(_ options: SimulationOptions, _ seed: UInt64) async throws {
        let shrinker = Shrinker(options) { write($0) }
        guard let (scenario, violation) = await shrinker.shrink(Scenario(options, seed: seed)) else {
            return write("nothing is made small: seed \(seed) does not fail when it is run again")
        }
        for decision in scenario.decisions {
            write("\(decision.at) \(decision.kind.rawValue) at node \(decision.node)")
        }
        _ = await shrinker.replay(scenario)
        write("FAILED \(violation.invariant.rawValue)")
        write("  \(violation.detail)")
        let file = out ?? "found-\(seed).json"
        try scenario.write(to: URL(fileURLWithPath: file))
        write("  repeat with: concord-simulator replay \(file)")
    }
}

/// Runs a scenario from a file.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "A scenario that --shrink wrote, event by event.")

    @Argument(help: "The file.")
    var file: String

    func run() async throws {
        let scenario = try read()
        let options = SimulationOptions(seed: scenario.seed, log: .full, commit: Commit.present)
        let outcome = await SimulationRunner(options).replay(
            scenario, command: "concord-simulator replay \(file)"
        ) { write($0) }
        for line in outcome.figures.table { write(line) }
        if outcome.failedSeed != nil { throw ExitCode.failure }
    }

    private func read() throws -> Scenario {
        do {
            return try Scenario(file: URL(fileURLWithPath: file))
        } catch is DecodingError {
            throw ValidationError(
                "\(file) holds no scenario of this version: name a file that --shrink --out wrote")
        } catch {
            throw ValidationError(
                "\(file) cannot be read: look whether it is there and may be read, or write one with "
                    + "--shrink --out \(file)")
        }
    }
}

/// The commit that the program is built from: that of the repository in which its file lies.
enum Commit {
    /// Its hash; nil if there is no repository, or no Git.
    static var present: String? {
        guard let folder = Bundle.main.executableURL?.deletingLastPathComponent() else { return nil }
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "-C", folder.path, "rev-parse", "HEAD"]
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return nil }
        return String(bytes: bytes, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A seed: a number, also hexadecimal with 0x, or the hash of a commit, of which the first digits count.
struct Seed: ExpressibleByArgument {
    let number: UInt64

    init?(argument: String) {
        let digits = argument.hasPrefix("0x") ? String(argument.dropFirst(2)) : nil
        let isHash = argument.count == 40 && argument.allSatisfy(\.isHexDigit)
        let found = digits.map { UInt64($0, radix: 16) } ?? (isHash ? nil : UInt64(argument))
        guard let number = found ?? (isHash ? UInt64(argument.prefix(12), radix: 16) : nil) else {
            return nil
        }
        self.number = number
    }
}

/// Writes a line at once, also into a file: a run may take hours.
private func write(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

extension SimulationOptions.Log: ExpressibleByArgument {}
extension Canary: ExpressibleByArgument {}
