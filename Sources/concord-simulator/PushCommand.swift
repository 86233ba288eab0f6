// How changes spread in large networks. See ConcordSimulator/Push.

import ArgumentParser
import ConcordSimulator
import Foundation

/// Measures how changes spread in a network of many nodes, and holds that up against the bounds.
struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract:
            "How changes spread among many nodes: how often each is sent, how fast, for how many bytes.",
        discussion: "Exits with 1 if a bound is broken.")

    @Option(help: "How many nodes there are.")
    var nodes = 44

    @Option(
        help: "How many changes are written while nothing fails; half as many more while connections fail.")
    var changes = 40

    @Option(help: "How many of the nodes write.")
    var writers = 44

    @Option(help: "Milliseconds between two changes in the whole network, on average.")
    var interval: Int64 = 250

    @Option(help: "Everything follows from it.")
    var seed: UInt64 = 1

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard PushOptions.sizes.contains(nodes) else {
            throw ValidationError(
                "--nodes is \(PushOptions.sizes.lowerBound) to \(PushOptions.sizes.upperBound)")
        }
        guard (1...100_000).contains(changes), (1...nodes).contains(min(writers, nodes)), writers > 0 else {
            throw ValidationError("--changes is 1 to 100000, --writers at least 1")
        }
        guard (1...3_600_000).contains(interval) else { throw ValidationError("--interval is 1 to 3600000") }
    }

    func run() throws {
        let options = PushOptions(
            nodes: nodes, changes: changes, seed: seed, writers: writers, meanInterval: interval)
        var run = PushRun(options)
        let report = run.run { line in
            // What goes on is no part of the result.
            FileHandle.standardError.write(Data((line + "\n").utf8))
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            for line in report.table { print(line) }
            for line in report.broken { print("BROKEN \(line)") }
            print(report.broken.isEmpty ? "PASSED" : "FAILED; repeat with: \(options.command)")
        }
        guard report.broken.isEmpty else { throw ExitCode.failure }
    }
}
