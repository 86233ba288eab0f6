// Changes over a slow link: how close their way comes to what the link itself allows.

import ArgumentParser
import ShapedLink

/// Measures the exchange of two daemons over a slow link.
struct LinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Measures the exchange of two daemons over a slow link.",
        discussion: """
            Two daemons of this build, and between them a proxy that makes loopback as slow, long and lossy as is asked \
            for. Compared is with the time that the changes' own bytes, as they stand in the log, take on that link, and \
            two round trips.
            """)

    @Option(help: "The link: rate, round trip and loss, as in 64kbit,600ms,2%.")
    var shape = "64kbit,600ms,2%"

    @Option(help: "Changes of one field each.")
    var changes = 1000

    @Option(help: "Changes that are sent one at a time.")
    var single = 5

    @Option(help: "MiB of a file beside which changes are sent one at a time; 0 for none.")
    var file = 20

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard LinkShape(shape) != nil else {
            throw ValidationError("--shape is written like 64kbit,600ms,2%, and parts may be left out")
        }
        guard (1...100_000).contains(changes), (1...1000).contains(single), (0...1024).contains(file) else {
            throw ValidationError(
                "There is at least one change, at most 100,000, of them 1,000 one at a time; a file has 0 to 1,024 MiB."
            )
        }
    }

    func run() async throws {
        guard let shape = LinkShape(shape) else { return }
        let found = try await LinkMeter(shape, changes: changes, single: single, fileBytes: file << 20)
            .measure()
        try output.print(found, [found.table])
    }
}
