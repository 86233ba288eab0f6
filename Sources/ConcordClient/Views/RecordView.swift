// Records for people: a line each in lists, a block each in `show`, numbered values where there is a
// conflict.

import ConcordAPI
import ConcordModel

/// Records for people.
public struct RecordView {
    private let style: TextStyle

    /// Views in this style.
    public init(style: TextStyle = .plain) { self.style = style }

    // MARK: Lists

    /// A table of records of one kind: short id, title, the fields that matter most, and marks. Where there is
    /// not enough room, the owner and then the lesser fields are left out before titles become short.
    public func table(_ records: [RecordDocument], kind: String?) -> [String] {
        let fields = Self.keyFields[kind ?? ""] ?? []
        let identifiers = ShortIdentifiers(records.map(\.id))
        let showsKind = kind == nil
        let showsNotes = records.contains { !note($0).isEmpty }
        var columns: [Table.Column] = [.fixed("ID")]
        if showsKind { columns.append(.text("KIND", minimum: 7)) }
        columns.append(.text("TITLE", minimum: 16, preferred: 40))
        columns += fields.enumerated().map { index, field in
            .text(field.uppercased(), minimum: max(10, field.count), dispensable: index + 1)
        }
        columns.append(.text("OWNER", minimum: 5, dispensable: fields.count + 1))
        if showsNotes { columns.append(.text("NOTE", minimum: 10)) }
        var table = Table(columns)
        for record in records {
            var cells = [identifiers[record.id]]
            if showsKind { cells.append(record.kind) }
            cells.append(record.title)
            cells += fields.map { record.fields[$0].map(Self.text) ?? "" }
            cells.append(record.owner)
            if showsNotes { cells.append(note(record)) }
            table.append(cells)
        }
        return records.isEmpty ? ["none"] : table.lines(style: style)
    }

    private func note(_ record: RecordDocument) -> String {
        var notes: [String] = []
        if !record.shown { notes.append("deleted") }
        if record.editedWhileDeleted { notes.append("edited while deleted") }
        if !record.conflicts.isEmpty {
            notes.append("conflict: " + record.conflicts.map(\.field).joined(separator: ", "))
        }
        return notes.joined(separator: "; ")
    }

    private static let keyFields: [String: [String]] = [
        "member": ["code", "type", "standing"],
        "contact": ["position", "role", "email"],
        "meeting": ["kind", "starts", "city", "country", "status"],
        "agenda_item": ["order"],
        "participation": ["member", "capacity", "status"],
        "document": ["kind", "date", "status"],
        "attachment": ["size", "media_type"],
    ]

    // MARK: One record

    /// The fields of a record, its conflicts with their authors, and what is below it.
    public func lines(_ document: RecordDetailDocument) -> [String] {
        let record = document.record
        var lines = [style.strong(TerminalText.escaped(record.title))]
        lines.append(
            style.faint(
                TerminalText.escaped(
                    "\(record.kind) \(record.id) · owner \(record.owner) · version \(record.version)")))
        lines.append(
            style.faint(
                "created \(Moment.minute(record.createdAt)) · updated \(Moment.minute(record.updatedAt)) UTC")
        )
        if !record.shown {
            lines.append(
                style.warning("Deleted.") + " → concord \(Self.command(record)) restore \(record.id)")
        }
        if record.editedWhileDeleted {
            lines.append(
                style.warning("Edited by one while another deleted it.")
                    + " → concord \(Self.command(record)) restore or remove \(record.id)")
        }
        let names = fieldNames(record)
        let width = max(8, names.map(TerminalText.width).max() ?? 0)
        if !names.isEmpty { lines.append("") }
        for name in names {
            guard let value = record.fields[name] else { continue }
            if let text = document.texts.first(where: { $0.field == name }) {
                lines += self.text(text, Self.text(value), of: record, width: width)
                continue
            }
            lines += field(name, value, conflict: record.conflicts.first { $0.field == name }, width: width)
        }
        for conflict in record.conflicts {
            lines.append("")
            lines += self.conflict(conflict, of: record)
        }
        lines += children(document.children)
        return lines + (document.endorsements.map { EndorsementsView.lines($0, style: style) } ?? [])
    }

    private func fieldNames(_ record: RecordDocument) -> [String] {
        let known = Vocabulary.kind(UTF8Text(record.kind))?.fields.map(\.name.string) ?? []
        let others = record.fields.keys.filter { !known.contains($0) }.sorted()
        return (known + others).filter { record.fields[$0] != nil }
    }

    private func field(
        _ name: String, _ value: JSONValue, conflict: ConflictDocument?, width: Int
    ) -> [String] {
        let label = TerminalText.padded(TerminalText.escaped(name), to: width)
        var lines = TerminalText.escapedLines(Self.text(value))
        if conflict != nil { lines[lines.count - 1] += "   " + style.warning("in conflict, see below") }
        return lines.enumerated().map { index, line in
            "  \(index == 0 ? label : String(repeating: " ", count: width))  \(line)"
        }
    }

    /// How long a text is and which version, then the text, or its beginning and how to read the rest.
    private func text(
        _ summary: TextSummaryDocument, _ text: String, of record: RecordDocument, width: Int
    ) -> [String] {
        let label = TerminalText.padded(TerminalText.escaped(summary.field), to: width)
        let length = Quantity.plural(summary.scalars, "character", "characters")
        let version = TerminalText.escaped(summary.version)
        let isLong = summary.scalars > Self.shownScalars
        let shown = isLong ? String(text.unicodeScalars.prefix(Self.shownScalars)) + " …" : text
        var lines = ["\(label)  \(style.faint("\(length) · version \(version)"))"]
        let indent = String(repeating: " ", count: width + 2)
        let end = shown.last?.isNewline == true ? shown.dropLast() : shown[...]
        lines += TerminalText.escapedLines(String(end)).map { indent + $0 }
        if isLong {
            let command = "concord \(Self.command(record)) text \(TerminalText.escaped(record.id))"
            lines.append(indent + style.faint("→ \(command)"))
        }
        return lines.map { "  \($0)" }
    }

    /// Of a longer text, only this many Unicode scalars are shown beside the other fields.
    private static let shownScalars = 400

    private func children(_ children: [RecordDocument]) -> [String] {
        var kinds: [String] = []
        for child in children where !kinds.contains(child.kind) { kinds.append(child.kind) }
        return kinds.flatMap { kind in
            let members = children.filter { $0.kind == kind }
            return ["", style.strong(TerminalText.escaped(Self.heading(kind)))] + table(members, kind: kind)
        }
    }

    private static func heading(_ kind: String) -> String {
        switch kind {
        case "agenda_item": "AGENDA"
        case "participation": "PARTICIPANTS"
        case "attachment": "ATTACHMENTS"
        default: kind.uppercased()
        }
    }

    // MARK: Conflicts

    /// All conflicts of these records, with the command that settles each.
    public func conflicts(_ records: [RecordDocument]) -> [String] {
        guard !records.isEmpty else { return ["no conflicts"] }
        var blocks: [[String]] = []
        for record in records {
            var lines = [
                style.strong(TerminalText.escaped(record.title))
                    + style.faint(TerminalText.escaped("  \(record.kind) \(record.id)"))
            ]
            if record.editedWhileDeleted {
                lines.append("  edited by one while another deleted it")
                lines.append("  → \(Self.command("restore", record)), or \(Self.command("remove", record))")
            }
            for conflict in record.conflicts { lines += self.conflict(conflict, of: record) }
            blocks.append(lines)
        }
        return Array(blocks.joined(separator: [""]))
    }

    private func conflict(_ conflict: ConflictDocument, of record: RecordDocument) -> [String] {
        let field = TerminalText.escaped(conflict.field)
        var table = Table([
            .number("TAKE"), .text("VALUE", minimum: 16), .text("MEMBER", minimum: 6), .text("BY"),
            .fixed("WHEN (UTC)"),
        ])
        for (index, candidate) in conflict.values.enumerated() {
            let shown = index == 0 ? " (shown)" : ""
            table.append([
                String(index + 1), Self.text(candidate.value) + shown, candidate.member,
                "\(candidate.author) at \(candidate.node)", Moment.minute(candidate.at),
            ])
        }
        var lines = ["  \(style.warning(field)) has \(conflict.values.count) concurrent values"]
        lines += table.lines(width: style.columns - 2, style: style).map { "  \($0)" }
        lines.append("  → concord resolve \(TerminalText.escaped(record.id)) \(field) --take N, or --value …")
        return lines
    }

    // MARK: Words

    /// A value as people read it; not escaped.
    public static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .boolean(let value): value ? "yes" : "no"
        case .integer(let value): String(value)
        case .string(let value): value
        case .array(let values): values.map(text).joined(separator: ", ")
        case .object(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ")
        }
    }

    /// The command that does this to a record.
    private static func command(_ verb: String, _ record: RecordDocument) -> String {
        let id = TerminalText.escaped(record.id)
        guard record.kind == "attachment" else { return "concord \(command(record)) \(verb) \(id)" }
        return "concord attachment \(verb) \(TerminalText.escaped(record.parent ?? "DOCUMENT")) \(id)"
    }

    /// The command group under which a kind is found; parts of a meeting are reached through their meeting.
    static func command(_ record: RecordDocument) -> String {
        switch record.kind {
        case "member": "profile"
        case "agenda_item": "meeting agenda \(record.parent ?? "MEETING")"
        case "participation": "meeting participant \(record.parent ?? "MEETING")"
        default: TerminalText.escaped(record.kind)
        }
    }
}

/// Prefixes of ids that tell the records of one list apart, all of the shortest such length.
struct ShortIdentifiers {
    /// An id begins with the moment of creation, which all records of an import share; 26 characters hold 22
    /// bits of what is random as well, so that records outside the list seldom begin alike. They end behind the
    /// last hyphen.
    static let minimum = 26
    /// How many characters each has.
    let length: Int

    init(_ identifiers: [String]) {
        let sorted = Set(identifiers).sorted()
        let shared = zip(sorted, sorted.dropFirst()).map { $0.commonPrefix(with: $1).count }.max() ?? 0
        length = max(Self.minimum, shared + 1)
    }

    subscript(identifier: String) -> String { String(identifier.prefix(length)) }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> Substring {
        var count = 0
        for (a, b) in zip(self, other) {
            guard a == b else { break }
            count += 1
        }
        return prefix(count)
    }
}
