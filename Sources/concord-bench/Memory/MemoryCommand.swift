// What a daemon takes of a machine: memory at rest and at work, processor time at rest.

import ArgumentParser

/// Measures what daemons take.
struct MemoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Measures what daemons take of memory and processor time.",
        discussion: """
            Two daemons of this build, of which one catches up with the other. Resident is all that is in memory, of it \
            anonymous is what belongs to no file, and the peak is the highest since the daemon's start.
            """)

    @Option(help: "Records.")
    var records = 10_000

    @Option(help: "Seconds of idling.")
    var idle = 30

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(records), (1...86_400).contains(idle) else {
            throw ValidationError("There is at least one record, at most a million, and a second of idling.")
        }
    }

    func run() async throws {
        let found = try await MemoryMeter().measure(records: records, idleSeconds: idle)
        try output.print(found, [found.table])
    }
}
