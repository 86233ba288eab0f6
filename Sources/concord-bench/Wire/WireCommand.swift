// What changes cost on the wire, by kind of load.

import ArgumentParser
import ShapedLink

/// Measures bytes on the wire.
struct WireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire", abstract: "Measures what changes cost on the wire.",
        discussion: """
            Two daemons of this build, and between them a proxy that counts what passes. Bytes of values are those that \
            people wrote. Bytes of changes are those in the log, signatures those that stand there; frames are what the \
            two say to each other, with lengths, without TLS. What TLS adds is the difference to the payload of TCP; \
            TCP and IP add some 52 bytes a segment.
            """)

    @Option(help: "Records in bulk.")
    var records = 2000

    @Option(help: "Changes of one field each.")
    var edits = 1000

    @Option(help: "Edits of a text.")
    var texts = 200

    @Option(help: "Changes one at a time.")
    var single = 50

    @Option(help: "The link: rate, round trip and loss, as in 40ms. From 20 ms on frames are packed.")
    var shape = "0ms"

    @Option(help: "Seconds of idling.")
    var idle = 60

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard LinkShape(shape) != nil else {
            throw ValidationError("--shape is written like 64kbit,600ms,2%, and parts may be left out")
        }
        guard [records, edits, texts, single].allSatisfy({ (1...1_000_000).contains($0) }),
            (1...86_400).contains(idle)
        else { throw ValidationError("There is at least one of everything, at most a million.") }
    }

    func run() async throws {
        guard let shape = LinkShape(shape) else { return }
        let meter = try await WireMeter(shape)
        let found = try await meter.measure(
            records: records, edits: edits, texts: texts, single: single, idleSeconds: idle)
        try output.print(found, [found.table])
    }
}
