// Measures how fast texts merge, on editing histories of real people, and checks that they merge right.

import ArgumentParser

/// Measures Concord.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord-bench",
        abstract: "Replays editing histories: how fast they merge, and whether into the right text.",
        subcommands: [TextCommand.self, OrderingCommand.self, MemoryCommand.self])
}

/// Why something could not be measured, or went wrong when it was.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
