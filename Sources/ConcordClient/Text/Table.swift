// Aligned tables of a bounded width. Every cell is escaped here, so that no caller can forget it.

/// Rows of cells under headings.
public struct Table: Sendable {
    /// One column.
    public struct Column: Sendable {
        let heading: String
        let isRight: Bool
        /// The fewest columns of the terminal to which it shrinks; nil if it never does.
        let minimum: Int?

        /// A column that keeps its width.
        public static func fixed(_ heading: String) -> Column {
            Column(heading: heading, isRight: false, minimum: nil)
        }

        /// A column of numbers.
        public static func number(_ heading: String) -> Column {
            Column(heading: heading, isRight: true, minimum: nil)
        }

        /// A column of text, which is cut to make the table fit.
        public static func text(_ heading: String, minimum: Int = 8) -> Column {
            Column(heading: heading, isRight: false, minimum: minimum)
        }
    }

    private let columns: [Column]
    private let gap: Int
    private var rows: [[String]] = []

    /// An empty table with `gap` spaces between columns.
    public init(_ columns: [Column], gap: Int = 2) {
        self.columns = columns
        self.gap = gap
    }

    /// Whether there are no rows.
    public var isEmpty: Bool { rows.isEmpty }

    /// Appends a row with a cell for each column.
    public mutating func append(_ cells: [String]) {
        precondition(
            cells.count == columns.count, "a row has \(cells.count) cells for \(columns.count) columns")
        rows.append(cells.map(TerminalText.escaped))
    }

    /// The table in lines of at most `width` columns as far as shrinking allows, the headings first.
    public func lines(width: Int = ClientLimits.columns, style: TextStyle = .plain) -> [String] {
        let widths = widths(fitting: width)
        func line(_ cells: [String]) -> String {
            var parts: [String] = []
            for (index, cell) in cells.enumerated() {
                parts.append(TerminalText.padded(cell, to: widths[index], right: columns[index].isRight))
            }
            var text = parts.joined(separator: String(repeating: " ", count: gap))
            while text.last == " " { text.removeLast() }
            return text
        }
        return [style.faint(line(columns.map(\.heading)))] + rows.map(line)
    }

    /// The natural widths, of which the widest that may shrink is made narrower until the table fits.
    private func widths(fitting width: Int) -> [Int] {
        var widths = columns.map { TerminalText.width($0.heading) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], TerminalText.width(cell))
            }
        }
        var excess = widths.reduce(0, +) + gap * max(0, columns.count - 1) - width
        while excess > 0 {
            let candidates = columns.indices.filter { widths[$0] > columns[$0].minimum ?? Int.max }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
