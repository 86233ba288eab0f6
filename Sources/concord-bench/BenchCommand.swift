// Measures Concord: how fast texts merge, on editing histories of real people, and what daemons take to exchange.

import ArgumentParser

/// Measures Concord.
@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord-bench",
        abstract: "Measures Concord, and checks the results.",
        subcommands: [
            SyncCommand.self, LinkCommand.self, TextCommand.self, OrderingCommand.self,
            MergeMemoryCommand.self,
        ])
}

/// Why something could not be measured, or went wrong when it was.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
