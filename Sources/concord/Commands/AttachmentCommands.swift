// Files that belong to documents: attaching one, seeing which there are, and getting one, for which the command waits
// until it has come.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel

/// `document attach ID FILE`
struct AttachFile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach a file to a document; prints the attachment's id.",
        discussion: """
            Everybody in the space learns of it at once. The file itself goes to the nodes that keep attachments of its \
            size, and to the others when somebody there asks for it.
            """)
    @Argument(help: "The document's id or a unique prefix of it.") var id: String
    @Argument(help: "The file; - is standard input, and then takes --name.") var file: String
    @Option(help: "The attachment's name (default: the file's).") var name: String?
    @Option(help: ArgumentHelp("What kind of file it is, such as application/pdf.", valueName: "type"))
    var mediaType: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard file != "-" || name != nil else {
            throw ConcordError(.usage, "what comes from standard input has no name", action: "give --name")
        }
        let source = try FileSource(file)
        let answer = try await common.daemon.attach(
            to: id, name: name ?? source.name, mediaType: mediaType, size: source.size
        ) { try source.next() }
        common.output.answer(answer) { [TerminalText.escaped($0.id)] }
    }
}

enum AttachmentKind: RecordKind {
    static let kind = "attachment"
    static let word = "document's attachment"
    static let family = "attachment"
}

/// The family of `attachment`.
struct AttachmentCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "attachment", abstract: "Files that belong to documents; `document attach` adds one.",
        subcommands: [
            ListAttachments.self, GetAttachment.self, FetchAttachment.self, RemoveAttachment.self,
            RestoreAttachment.self, EraseRecord<AttachmentKind>.self, DropAttachment.self,
            PruneAttachments.self,
        ])
}

/// Which attachment is meant.
struct AttachmentOptions: ParsableArguments {
    @Argument(help: "The document's id or a unique prefix of it.") var document: String
    @Argument(help: "The attachment's name, or its id or a unique prefix of it.") var name: String
    @OptionGroup var common: CommonOptions

    /// The attachment.
    ///
    /// - Parameter isDeleted: whether one that was removed is meant.
    /// - Throws: ``ConcordError`` E-1021 if there is none, or several of that name.
    func attachment(isDeleted: Bool = false) async throws -> AttachmentDocument {
        let detail = try await common.record(document, kind: DocumentKind.kind).document
        let id = detail.record.id
        let shown = try await common.daemon.attachments(of: id).document.attachments
        let all =
            isDeleted
            ? try await common.daemon.records(
                RecordFilter(kind: Vocabulary.attachment.string, includesDeleted: true, parent: id)
            ).document.records.filter { record in !shown.contains { $0.id == record.id } }.map(\.id)
            : []
        var candidates = isDeleted ? [] : shown
        for id in all { candidates += try await common.daemon.attachments(of: id).document.attachments }
        let named = candidates.filter { UTF8Text($0.name) == UTF8Text(name) }
        let found = named.isEmpty ? candidates.filter { $0.id.hasPrefix(name.lowercased()) } : named
        guard let first = found.first else {
            throw ConcordError(.unknownAttachment, "the document has no attachment “\(name.prefix(64))”")
        }
        guard found.count == 1 else {
            throw ConcordError(
                .unknownAttachment, "the document has \(found.count) attachments “\(name.prefix(64))”")
        }
        return first
    }
}

/// `attachment list DOCUMENT`
struct ListAttachments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The attachments of a document, and whether their files are here.")
    @Argument(help: "The document's id or a unique prefix of it.") var document: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let record = try await common.record(document, kind: DocumentKind.kind).document.record
        output.answer(try await common.daemon.attachments(of: record.id)) {
            AttachmentView(style: output.style).table($0.attachments)
        }
    }
}

/// `attachment get DOCUMENT NAME --out FILE`
struct GetAttachment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Write an attachment to a file; waits for it if it is not here yet.",
        discussion: """
            When the command is interrupted, the node goes on fetching; what has come is kept, whatever happens. The file \
            appears under its name when it is whole and verified.
            """)
    @OptionGroup var options: AttachmentOptions
    @Option(help: ArgumentHelp("The file to write; - is standard output.", valueName: "file")) var out: String
    @Option(
        help: ArgumentHelp(
            "How long to wait at most, such as 60s or 2h (default: for ever).", valueName: "span"))
    var timeout: TypedSpan?

    private struct Written: Encodable {
        var attachment: AttachmentDocument
        var file: String
    }

    func run() async throws {
        let common = options.common
        let attachment = try await options.attachment()
        guard out != "-" || !common.json else {
            throw ConcordError(.usage, "--json and the file cannot both go to standard output")
        }
        let target = try FileTarget(out, expecting: attachment)
        do {
            let arrived = try await AttachmentWait(common: common, timeout: timeout).wait(for: attachment)
            try await common.daemon.content(of: arrived.id) { try target.take($0) }
            try target.finish()
            if out != "-" {
                common.output.result(
                    Written(attachment: arrived, file: out),
                    [TerminalText.escaped("\(out) · \(Quantity.bytes(arrived.size)) · verified")])
            }
        } catch {
            target.abandon()
            throw error
        }
    }
}

/// `attachment fetch DOCUMENT NAME`
struct FetchAttachment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Have an attachment's file brought to this node, without waiting for it.")
    @OptionGroup var options: AttachmentOptions

    func run() async throws {
        let attachment = try await options.attachment()
        options.common.output.answer(try await options.common.daemon.fetchAttachment(attachment.id)) {
            [TerminalText.escaped("\($0.name): \(AttachmentView.state($0))")]
        }
    }
}

/// `attachment remove DOCUMENT NAME`
struct RemoveAttachment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an attachment from its document, everywhere.",
        discussion: """
            It can be restored: each node keeps the file for 30 days. `concord attachment erase` destroys it for good.
            """)
    @OptionGroup var options: AttachmentOptions

    func run() async throws {
        let attachment = try await options.attachment()
        options.common.output.answer(try await options.common.daemon.delete(attachment.id)) {
            [Confirmation.line("removed", $0)]
        }
    }
}

/// `attachment restore DOCUMENT NAME`
struct RestoreAttachment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring back an attachment that was removed.")
    @OptionGroup var options: AttachmentOptions

    func run() async throws {
        let attachment = try await options.attachment(isDeleted: true)
        options.common.output.answer(try await options.common.daemon.restore(attachment.id)) {
            [Confirmation.line("restored", $0)]
        }
    }
}

/// `attachment drop DOCUMENT NAME`
struct DropAttachment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Remove an attachment's file from this node only, to make room.",
        discussion: """
            The attachment stays, and its file can be fetched again from nodes that have it. Whether any other node has it \
            is not known here, so this takes --yes.
            """)
    @OptionGroup var options: AttachmentOptions
    @Flag(help: "Remove the file even if this node should be the only one that has it.") var yes = false

    func run() async throws {
        let attachment = try await options.attachment()
        guard yes else {
            throw ConcordError(
                .notConfirmed, "this may be the only node that has the file",
                action: "repeat it with --yes")
        }
        options.common.output.answer(try await options.common.daemon.dropAttachment(attachment.id)) {
            [TerminalText.escaped("\($0.name): \(AttachmentView.state($0))")]
        }
    }
}

/// `attachment prune`
struct PruneAttachments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove the files of this node that no document shows any more.",
        discussion: """
            By itself the node removes them after 30 days. Attachments that were removed cannot be restored here afterwards \
            unless another node still has their files.
            """)
    @Flag(help: "Remove them even if this node should be the only one that has them.") var yes = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard yes else {
            throw ConcordError(
                .notConfirmed, "this may be the only node that has the files",
                action: "repeat it with --yes")
        }
        common.output.answer(try await common.daemon.pruneAttachments()) {
            ["Removed \(Quantity.plural($0.removed, "file", "files")), \(Quantity.bytes($0.bytes))."]
        }
    }
}
