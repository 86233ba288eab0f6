// Measures how costs grow: with the changes that a replica holds, and with the replicas that wrote them. What should not
// grow is measured one by one: a write, a catch-up after a short absence, opening.

import ArgumentParser

/// Measures growth.
struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measures how costs grow with the changes held and with the replicas.",
        discussion: """
            The store alone, in this process: durable and verified as in a daemon. Half of the changes create a contact, \
            half change one field. After each size the same small things are done: one change is written, a peer that \
            missed 100 changes is served, the digest is asked for, the replica is opened anew.
            """)

    @Option(help: "The greatest number of changes; smaller sizes are powers of ten from 1,000 on.")
    var changes = 100_000

    @Option(help: "The greatest number of replicas.")
    var replicas = 200

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard changes >= 1000, replicas >= 3 else {
            throw ValidationError("--changes is at least 1000, --replicas at least 3")
        }
    }

    func run() async throws {
        let growth = try await ScaleMeasurement.changes(upTo: changes)
        let spread = try await ScaleMeasurement.replicas(upTo: replicas)
        try output.print(
            ScaleMeasurement(changes: growth, replicas: spread),
            [ScaleMeasurement.table(growth), ScaleMeasurement.table(spread)])
    }
}
