// Measures the store alone: rows that are written here, rows and changes that are taken in from elsewhere, beside plain
// SQLite with the same rows, in the same process and run.

import ArgumentParser
import ConcordModel
import ConcordStore
import Foundation

/// Measures writing and merging rows.
struct RowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "Writes and merges contacts, beside plain SQLite with the same rows.",
        discussion: """
            Everything is durable (synchronous=FULL) and verified: each record and each change of a field is a signed \
            change of its own. The digest of the visible state is computed within the time; the search index is caught \
            up afterwards, and shown apart.
            """)

    @Option(help: "How many contacts.")
    var rows = 100_000

    @Option(help: "How many changes of one field, spread over the contacts in random order.")
    var changes = 100_000

    @Option(help: "How often everything is run; each figure is the fastest.")
    var runs = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rows > 0, changes > 0, runs > 0 else { throw ValidationError("every number is at least 1") }
    }

    func run() async throws {
        var best = try await RowsMeasurement.of(rows: rows, changes: changes)
        for _ in 1..<runs { best.take(try await RowsMeasurement.of(rows: rows, changes: changes)) }
        try output.print(best, best.tables)
    }
}
