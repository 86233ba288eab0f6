// Who wrote what in a text, for people: its passages in their order with their authors, or its edits, the latest first.

import ConcordAPI

/// The history of a text for people.
public enum TextHistoryView {
    /// The text, each passage beside who wrote it and when.
    public static func passages(_ document: TextHistoryDocument, style: TextStyle = .plain) -> [String] {
        guard !document.passages.isEmpty else { return [heading(document, style), "no text"] }
        let labels = document.passages.map {
            TerminalText.escaped("\(who($0.by)) · \(Moment.minute($0.by.at))")
        }
        let width = min(labels.map(TerminalText.width).max() ?? 0, style.columns / 2)
        var lines = [heading(document, style)]
        for (index, passage) in document.passages.enumerated() {
            let isNew = index == 0 || document.passages[index - 1].by != passage.by
            let label = TerminalText.padded(isNew ? labels[index] : "", to: width)
            let space = String(repeating: " ", count: width)
            for (number, line) in self.lines(passage.text, to: style.columns - width - 2).enumerated() {
                lines.append("\(number == 0 ? style.faint(label) : space)  \(line)")
            }
        }
        return lines
    }

    /// The edits, each with when, who, how much and what is to be known of it.
    public static func edits(_ document: TextHistoryDocument, style: TextStyle = .plain) -> [String] {
        guard !document.edits.isEmpty else { return [heading(document, style), "no edits"] }
        var table = Table([
            .fixed("VERSION"), .fixed("WHEN (UTC)"), .text("WHO", minimum: 12), .number("INSERTED"),
            .number("DELETED"), .text("NOTE", minimum: 10),
        ])
        for edit in document.edits {
            table.append([
                edit.version, Moment.minute(edit.by.at), who(edit.by), "+\(Quantity.count(edit.inserted))",
                "−\(Quantity.count(edit.deleted))", note(edit),
            ])
        }
        return [heading(document, style)] + table.lines(style: style)
    }

    private static func heading(_ document: TextHistoryDocument, _ style: TextStyle) -> String {
        let scalars = document.passages.reduce(0) { $0 + $1.scalars }
        let length = Quantity.plural(scalars, "character", "characters")
        let edits = Quantity.plural(Int64(document.edits.count), "edit", "edits")
        return style.strong(TerminalText.escaped("version \(document.version) · \(length) · \(edits)"))
    }

    private static func who(_ origin: TextHistoryDocument.Origin) -> String {
        "\(origin.member) \(origin.node) (\(origin.author))"
    }

    private static func note(_ edit: TextHistoryDocument.Edit) -> String {
        var notes: [String] = []
        if edit.isConcurrent { notes.append("concurrent") }
        if edit.isInert { notes.append("no effect") }
        if edit.isErased { notes.append("erased") }
        return notes.joined(separator: "; ")
    }

    /// The lines of a passage, escaped and broken at spaces; the end of its last line is that of the passage.
    private static func lines(_ text: String, to columns: Int) -> [String] {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TerminalText.escaped(String($0)) }
        if lines.count > 1, lines.last == "" { lines.removeLast() }
        return lines.flatMap { TerminalText.wrapped($0, to: columns) }
    }
}
