// Reading the text of a document: as it is or was, who wrote it, and how two versions differ.

import ArgumentParser
import ConcordAPI
import ConcordClient

/// `document text ID`
struct DocumentText: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "Print a document's text, exactly and with nothing added.",
        discussion: """
            What it prints can be changed in any editor and written back with `document write ID FILE --base \
            VERSION`; `--json` says the version. On a terminal, control characters other than line ends and tabs are \
            escaped.
            """)
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Option(help: "A version, as `text --json`, `history --edits` and `write` print it; 0 is the empty text.")
    var at: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let answer = try await common.text(of: id, at: at)
        if common.json {
            common.output.json(answer.json)
        } else {
            common.output.text(answer.document.text)
        }
    }
}

/// `document history ID`
struct DocumentHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show who wrote which passage of a document's text, and when.")
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Option(help: "The text at this version instead of the current one.") var at: String?
    @Flag(help: "List the edits instead, the latest first.") var edits = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let record = try await common.record(id, kind: DocumentKind.kind).document.record
        output.answer(try await common.daemon.textHistory(record.id, at: at)) {
            edits
                ? TextHistoryView.edits($0, style: output.style)
                : TextHistoryView.passages($0, style: output.style)
        }
    }
}

/// `document diff ID V1 [V2]`
struct DocumentDifference: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show the difference between two versions of a document's text, word by word.",
        discussion: "What went stands in [-…-], what came in {+…+}, with some lines around it.")
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Argument(help: ArgumentHelp("The earlier version; 0 is the empty text.", valueName: "v1")) var from:
        String
    @Argument(help: ArgumentHelp("The later version (default: the current one).", valueName: "v2"))
    var to: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let old = try await common.text(of: id, at: from).document
        let new = try await common.daemon.text(old.id, at: to).document
        if common.json {
            output.document(TextDifferenceDocument(id: old.id, from: old, to: new))
        } else {
            output.lines(WordDifferenceView.lines(from: old, to: new, style: output.style))
        }
    }
}

extension CommonOptions {
    /// The text of a document, by a prefix of its id; the current one if `version` is nil.
    func text(of id: String, at version: String? = nil) async throws -> Answer<TextDocument> {
        let record = try await record(id, kind: DocumentKind.kind).document.record
        return try await daemon.text(record.id, at: version)
    }
}
