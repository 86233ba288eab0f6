// What stands under a meeting: agenda items and participants. The meeting comes before the verb, as people
// say it.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel

/// What is done with a part of a meeting.
enum PartVerb: String, ExpressibleByArgument, CaseIterable {
    case add, list, show, set, remove, restore
}

/// `meeting agenda MEETING …`
struct MeetingAgenda: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agenda", abstract: "The agenda of a meeting.",
        usage: """
            concord meeting agenda <meeting> add <title> [<field=value> ...]
            concord meeting agenda <meeting> list
            concord meeting agenda <meeting> set <item> <field=value> ...
            concord meeting agenda <meeting> show|remove|restore <item>
            """)

    @Argument(help: "The meeting's id or a unique prefix of it.") var meeting: String
    @Argument(help: "What to do.") var verb: PartVerb
    @Argument(help: "What the verb takes.") var rest: [String] = []
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let parts = MeetingParts(kind: "agenda_item", common: common)
        guard verb == .add else { return try await parts.run(verb, meeting: meeting, rest) }
        var typed = rest
        if let first = typed.first, !first.hasPrefix("title=") {
            typed[0] = "title=" + first
        }
        let fields = try await common.assignments(typed, kind: "agenda_item")
        try await parts.add(fields, meeting: meeting)
    }
}

/// `meeting participant MEETING …`
struct MeetingParticipant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "participant", abstract: "The participants of a meeting.",
        usage: """
            concord meeting participant <meeting> add <contact> [<field=value> ...]
            concord meeting participant <meeting> list
            concord meeting participant <meeting> set <participant> <field=value> ...
            concord meeting participant <meeting> show|remove|restore <participant>
            """)

    @Argument(help: "The meeting's id or a unique prefix of it.") var meeting: String
    @Argument(help: "What to do.") var verb: PartVerb
    @Argument(help: "What the verb takes.") var rest: [String] = []
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let parts = MeetingParts(kind: "participation", common: common)
        guard verb == .add else { return try await parts.run(verb, meeting: meeting, rest) }
        let hasContact = rest.first.map { !$0.contains("=") } ?? false
        var fields = try await common.assignments(
            hasContact ? Array(rest.dropFirst()) : rest, kind: "participation")
        if hasContact {
            // Name and member are copied, so that the list can be read where the contact is not shown.
            let contact = try await common.record(rest[0], kind: "contact").document.record
            try fields.set("contact", to: contact.id)
            if fields.set["name"] == nil { fields.set["name"] = .string(contact.title) }
            if fields.set["member"] == nil {
                fields.set["member"] = contact.fields["member"] ?? .string(contact.owner)
            }
        }
        guard !fields.isEmpty else {
            throw ConcordError(
                .usage, "a participant is a contact, or somebody with a name",
                action: "give the contact's id, or name=… and member=…")
        }
        try await parts.add(fields, meeting: meeting)
    }
}

/// What both kinds of parts have in common.
struct MeetingParts {
    let kind: String
    let common: CommonOptions

    /// Adds a part; prints its id.
    func add(_ fields: FieldAssignments, meeting: String) async throws {
        let parent = try await common.record(meeting, kind: "meeting").document.record
        let answer = try await common.daemon.create(
            kind: kind, space: parent.space, parent: parent.id, fields)
        common.output.answer(answer) { [TerminalText.escaped($0.id)] }
    }

    /// Every verb but `add`.
    func run(_ verb: PartVerb, meeting: String, _ rest: [String]) async throws {
        let parent = try await common.record(meeting, kind: "meeting").document.record
        let output = common.output
        let view = RecordView(style: output.style)
        if verb == .list {
            guard rest.isEmpty else { throw usage("`list` takes nothing more") }
            let answer = try await common.daemon.records(
                RecordFilter(kind: kind, space: parent.space, parent: parent.id))
            return output.answer(answer) { view.table(Self.ordered($0.records), kind: kind) }
        }
        guard let id = rest.first, verb == .set ? rest.count > 1 : rest.count == 1 else {
            throw usage(
                verb == .set ? "`set` takes an id and field=value" : "`\(verb.rawValue)` takes one id")
        }
        let reply = try await common.record(id, kind: kind)
        let record = reply.document.record
        guard record.parent == parent.id else {
            throw ConcordError(.unknownRecord, "\(record.id) belongs to another meeting")
        }
        switch verb {
        case .set:
            let fields = try await common.assignments(Array(rest.dropFirst()), kind: kind)
            output.answer(try await common.daemon.update(record.id, fields, base: nil)) {
                [Confirmation.line("changed", $0)]
            }
        case .remove:
            output.answer(try await common.daemon.delete(record.id)) { [Confirmation.line("deleted", $0)] }
        case .restore:
            output.answer(try await common.daemon.restore(record.id)) { [Confirmation.line("restored", $0)] }
        case .show, .add, .list:
            output.answer(reply) { view.lines($0) }
        }
    }

    private func usage(_ message: String) -> ConcordError {
        let name = kind == "participation" ? "participant" : "agenda"
        return ConcordError(.usage, message, action: "see `concord help meeting \(name)`")
    }

    /// By the field `order` where it is a number, the others after these as they come.
    private static func ordered(_ records: [RecordDocument]) -> [RecordDocument] {
        func number(_ record: RecordDocument) -> Int {
            record.fields["order"].flatMap { Int(RecordView.text($0)) } ?? Int.max
        }
        return records.enumerated()
            .sorted { (number($0.element), $0.offset) < (number($1.element), $1.offset) }.map(\.element)
    }
}
