// What is done with documents and with no other records: endorsing their text. And sharing, which meetings know too.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

/// `document endorse ID`
struct EndorseDocument: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endorse", abstract: "Sign that the own member endorses a document's exact text.",
        discussion: """
            What is signed is the SHA-256 of the text as it stands now; what is printed names its version. When the \
            text changes, the endorsement stays with the text that was signed; `document show` says so.
            """)
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @OptionGroup var options: ActOptions

    func run() async throws {
        let record = try await options.common.record(id, kind: DocumentKind.kind).document.record
        guard record.shown else {
            throw ConcordError(.recordNotShown, "the document, or a record above it, is deleted")
        }
        let current = try await options.common.daemon.text(record.id).document
        guard !current.text.isEmpty else {
            throw ConcordError(
                .missingField, "the document has no text to endorse",
                action: "write one: concord document edit \(record.id)")
        }
        let flow = try await ActFlow(options, space: record.space)
        let hash = SHA256.hash(Array(current.text.utf8))
        guard let document = RecordID(text: record.id) else {
            throw ConcordError(.internalError, "the daemon's id of the record is not one: \(record.id)")
        }
        let act = TextEndorsement(
            space: flow.guide.space, document: document, text: hash, timestamp: WallClock.milliseconds())
        try await flow.finish(
            .endorsement(act),
            more: ActReport(lines: [
                "“\(record.title)”, version \(current.version), "
                    + "\(Quantity.plural(current.scalars, "character", "characters")); the text's SHA-256:",
                Quantity.fingerprint(hash.description),
            ]))
    }
}

/// `KIND share ID --to SPACE`
struct ShareRecord<Kind: RecordKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "share", abstract: "Copy a \(Kind.word) into another space, with what is below it.",
            discussion: """
                The copy says where it comes from: the space, the record and its version, who shared it and when. \
                Everybody in the other space reads that. What the record refers to is not copied.
                """)
    }

    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Option(help: ArgumentHelp("The other space: its name, id or a prefix of the id.", valueName: "space"))
    var to: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let record = try await common.record(id, kind: Kind.kind).document.record
        let target = try await common.space(to)
        common.output.answer(try await common.daemon.share(record.id, to: target.id)) { shared in
            var lines = [Confirmation.line("shared with “\(target.name)”", shared.record)]
            if shared.children > 0 {
                lines.append(
                    "Copied with it: \(Quantity.plural(shared.children, "record", "records")) below it.")
            }
            if !shared.leftOut.isEmpty {
                lines.append(
                    TerminalText.escaped(
                        "Left out, since it names records of the other space: "
                            + shared.leftOut.joined(separator: ", ") + "."
                    ))
            }
            return lines
        }
    }
}
