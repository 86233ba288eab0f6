// Measures Concord beside bare references in the same run, and checks that what it measured is right.

import ArgumentParser

/// Measures Concord.
@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord-bench",
        abstract: "Measures Concord, and checks the results.",
        subcommands: [
            SyncCommand.self, LinkCommand.self, WireCommand.self, MemoryCommand.self, RowsCommand.self,
            ScaleCommand.self,
            TextCommand.self, OrderingCommand.self,
            MergeMemoryCommand.self,
        ])
}

/// Why something could not be measured, or went wrong when it was.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
