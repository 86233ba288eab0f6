// Writing the text of a document: a whole text goes in, and what differs from the version that its writer saw is
// recorded. Whatever goes wrong, what somebody wrote stays in a file.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel

/// `document write ID FILE`
struct WriteDocument: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Write a document's text from a file.",
        discussion: """
            Only what differs from the base is recorded, so that it merges with what others write meanwhile. The base is \
            the version from which the file was made. Without --base it is the current one: then everything that is \
            not in the file is deleted, also what others wrote since the file was made.
            """)
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @Argument(help: "The file, in UTF-8; - is standard input.") var file: String
    @Option(help: "The version that the file's author saw, as `text --json` and `write` print it.")
    var base: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let seen = try await common.text(of: id, at: base).document
        let typed = try LocalFile.readDocumentText(file, over: seen.text)
        try await common.write(typed, over: seen)
    }
}

/// `document edit ID`
struct EditDocument: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Edit a document's text in $VISUAL, $EDITOR or vi.",
        discussion: """
            What others write while the editor is open is merged with what you write. If the editor fails, or the text \
            cannot be written, nothing is lost: the file is kept and named.
            """)
    @Argument(help: "The id or a unique prefix of it.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let record = try await common.record(id, kind: DocumentKind.kind).document.record
        guard record.shown else {
            throw ConcordError(.recordNotShown, "the document, or a record above it, is deleted")
        }
        let seen = try await common.daemon.text(record.id).document
        let draft = try DraftFile(seen.text)
        do {
            try Editor(environment: Caller.environment).run(on: draft.path)
            let typed = try LocalFile.readDocumentText(draft.path, over: seen.text)
            try await common.write(typed, over: seen)
        } catch {
            guard draft.isChanged else {
                draft.remove()
                throw error
            }
            let reason = error as? ConcordError ?? ConcordError(.internalError, "\(error)")
            throw ConcordError(
                reason.code, "\(reason.message); what you wrote is kept in \(draft.path)",
                action: "concord document write \(seen.id) \(draft.path) --base \(seen.version)")
        }
        draft.remove()
    }
}

extension CommonOptions {
    /// Writes a text over the version that its writer saw, and says what became of it.
    func write(_ typed: TypedText, over seen: TextDocument) async throws {
        let answer = try await daemon.writeText(seen.id, typed.text, base: seen.version)
        for remark in typed.remarks { output.remark(remark) }
        output.answer(try answer.telling(typed), TextWrittenView.lines)
    }
}

extension Answer where Document: Sendable {
    /// The answer, whose JSON says as well what was changed in the file on the way in.
    func telling(_ typed: TypedText) throws -> Answer {
        guard case .object(var members) = try Output.value(json) else { return self }
        members["file"] = .object([
            "byteOrderMarkRemoved": .boolean(typed.lostByteOrderMark),
            "lineEndsConverted": .integer(Int64(typed.convertedLineEnds)),
        ])
        return Answer(document: document, json: try Output.encoded(members))
    }
}
