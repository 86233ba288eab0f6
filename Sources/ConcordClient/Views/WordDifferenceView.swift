// The difference between two texts for people, as `git diff --word-diff` has it: `[-what went-]{+what came+}` in the
// lines in which they stand, with a few lines around them. Every line is escaped: the text is other people's.

import ConcordAPI

/// The difference between two texts, word by word.
public struct WordDifferenceView {
    /// Lines that are shown before and after one that differs.
    public static let contextLines = 3

    private let style: TextStyle
    private var lines: [Line] = []
    private var open: Line

    /// A line as it is shown, and where it stands in both texts.
    private struct Line {
        var text = ""
        var differs = false
        /// The numbers, from 1, of the lines of both texts in which it begins.
        var old: Int
        var new: Int
        /// Whether something of each text stands in it.
        var holdsOld = false
        var holdsNew = false
    }

    private enum Side { case both, deleted, inserted }

    private init(style: TextStyle) {
        self.style = style
        open = Line(old: 1, new: 1)
    }

    /// A line that says which versions are compared, then the places where they differ.
    public static func lines(
        from old: TextDocument, to new: TextDocument, style: TextStyle = .plain
    ) -> [String] {
        let which = "\(old.version)\(old.isCurrent ? " (current)" : "")"
        let heading = TerminalText.escaped(
            "version \(which) → \(new.version)\(new.isCurrent ? " (current)" : "")")
        let hunks = lines(TextComparison(old.text, new.text), style: style)
        return [style.strong(heading)] + (hunks.isEmpty ? ["no difference"] : hunks)
    }

    /// The places where two texts differ; none if they are equal.
    public static func lines(_ comparison: TextComparison, style: TextStyle = .plain) -> [String] {
        var view = WordDifferenceView(style: style)
        for place in comparison.places {
            view.append(place.common, .both)
            view.append(place.deleted, .deleted)
            view.append(place.inserted, .inserted)
        }
        view.append(comparison.rest, .both)
        if !view.open.text.isEmpty || view.open.differs { view.lines.append(view.open) }
        return view.hunks()
    }

    /// Appends a stretch, line by line; a line that goes or comes is marked as far as it does.
    private mutating func append(_ text: String, _ side: Side) {
        guard !text.isEmpty else { return }
        let pieces = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            append(piece: String(piece), side, endsLine: index < pieces.count - 1)
        }
    }

    private mutating func append(piece: String, _ side: Side, endsLine: Bool) {
        if !piece.isEmpty || endsLine {
            let shown = TerminalText.escapedText(piece)
            switch side {
            case .both: open.text += shown
            case .deleted: open.text += style.bad("[-\(shown)-]")
            case .inserted: open.text += style.good("{+\(shown)+}")
            }
            open.differs = open.differs || side != .both
            open.holdsOld = open.holdsOld || side != .inserted
            open.holdsNew = open.holdsNew || side != .deleted
        }
        guard endsLine else { return }
        lines.append(open)
        open = Line(
            old: open.old + (side == .inserted ? 0 : 1), new: open.new + (side == .deleted ? 0 : 1))
    }

    /// The lines that differ with those around them, and a heading where lines are left out before.
    private func hunks() -> [String] {
        var shown: [String] = []
        var end = 0
        while let first = lines[end...].firstIndex(where: \.differs) {
            let start = max(end, first - Self.contextLines)
            var last = first
            while let next = lines[(last + 1)...].firstIndex(where: \.differs),
                next - last <= 2 * Self.contextLines + 1
            {
                last = next
            }
            end = min(lines.count, last + 1 + Self.contextLines)
            shown.append(style.faint(heading(lines[start..<end])))
            shown += lines[start..<end].map(\.text)
        }
        return shown
    }

    /// `@@ -12,3 +12,4 @@`: the first line of each text, and how many follow with it.
    private func heading(_ lines: ArraySlice<Line>) -> String {
        guard let first = lines.first, let last = lines.last else { return "" }
        let old = last.old - first.old + (last.holdsOld ? 1 : 0)
        let new = last.new - first.new + (last.holdsNew ? 1 : 0)
        return "@@ -\(first.old),\(old) +\(first.new),\(new) @@"
    }
}
