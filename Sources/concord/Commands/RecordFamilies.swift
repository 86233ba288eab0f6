// The families `contact`, `meeting`, `document` and `profile`.

import ArgumentParser
import ConcordClient
import ConcordModel

enum ContactKind: RecordKind {
    static let kind = "contact"
    static let word = "contact"
    static let family = "contact"
}

enum MeetingKind: RecordKind {
    static let kind = "meeting"
    static let word = "meeting"
    static let family = "meeting"
}

enum DocumentKind: RecordKind {
    static let kind = "document"
    static let word = "document"
    static let family = "document"
}

enum ProfileKind: RecordKind {
    static let kind = "member"
    static let word = "profile of a member"
    static let family = "profile"
}

/// The commands that all families share, except the one that creates.
private func commands<Kind: RecordKind>(of kind: Kind.Type) -> [any ParsableCommand.Type] {
    [
        ListRecords<Kind>.self, ShowRecord<Kind>.self, SetRecord<Kind>.self, RemoveRecord<Kind>.self,
        RestoreRecord<Kind>.self, EraseRecord<Kind>.self,
    ]
}

/// The family of `contact`.
struct ContactCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: ContactKind.family, abstract: "Contacts: who is who at each member.",
        subcommands: [AddRecord<ContactKind>.self] + commands(of: ContactKind.self))
}

/// The family of `meeting`.
struct MeetingCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: MeetingKind.family, abstract: "Meetings with their agenda and participants.",
        subcommands: [AddRecord<MeetingKind>.self] + commands(of: MeetingKind.self)
            + [MeetingAgenda.self, MeetingParticipant.self, ShareRecord<MeetingKind>.self])
}

/// The family of `document`.
struct DocumentCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: DocumentKind.family, abstract: "Documents.",
        subcommands: [CreateDocument.self] + commands(of: DocumentKind.self)
            + [
                DocumentText.self, WriteDocument.self, EditDocument.self, DocumentHistory.self,
                DocumentDifference.self, EndorseDocument.self, ShareRecord<DocumentKind>.self,
                AttachFile.self,
            ])
}

/// The family of `profile`.
struct ProfileCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: ProfileKind.family, abstract: "Profiles: what members say about themselves.",
        subcommands: [AddRecord<ProfileKind>.self] + commands(of: ProfileKind.self))
}

/// `document create`
struct CreateDocument: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a document; prints its id.", aliases: ["add"])

    @Argument(help: "field=value, or field+=element for sets.") var fields: [String] = []
    @Option(help: "The title.") var title: String?
    @Option(help: "The kind, such as communiqué.") var kind: String?
    @Option(
        help: ArgumentHelp("A file in UTF-8 that becomes the text; - is standard input.", valueName: "file"))
    var file: String?
    @OptionGroup var space: SpaceOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var fields = try await common.assignments(fields, kind: DocumentKind.kind)
        if let title { try fields.set("title", to: title) }
        if let kind { try fields.set("kind", to: kind) }
        let typed = try file.map { try LocalFile.readDocumentText($0, over: "") }
        if let typed { try fields.set("body", to: typed.text) }
        guard !fields.isEmpty else {
            throw ConcordError(.usage, "a document needs a title", action: "give --title and --kind")
        }
        var answer = try await common.daemon.create(
            kind: DocumentKind.kind, space: space.name, parent: nil, fields)
        if let typed {
            for remark in typed.remarks { common.output.remark(remark) }
            answer = try answer.telling(typed)
        }
        common.output.answer(answer) { [TerminalText.escaped($0.id)] }
    }
}
