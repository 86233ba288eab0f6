// Aligned tables of a bounded width. Every cell is escaped here, so that no caller can forget it.

/// Rows of cells under headings.
public struct Table: Sendable {
    /// One column.
    public struct Column: Sendable {
        let heading: String
        let isRight: Bool
        /// The fewest columns of the terminal to which it shrinks; nil if it never does.
        let minimum: Int?
        /// To how many it shrinks as long as other columns can be left out instead.
        let preferred: Int?
        /// Nil if it is always shown; else the columns with the highest number are left out first.
        let dispensable: Int?

        /// A column that keeps its width.
        public static func fixed(_ heading: String) -> Column {
            Column(heading: heading, isRight: false, minimum: nil, preferred: nil, dispensable: nil)
        }

        /// A column of numbers.
        public static func number(_ heading: String) -> Column {
            Column(heading: heading, isRight: true, minimum: nil, preferred: nil, dispensable: nil)
        }

        /// A column of text, which is cut to make the table fit.
        ///
        /// - Parameters:
        ///   - minimum: To how many columns of the terminal it may be cut.
        ///   - preferred: To how many it is cut before other columns are left out; `minimum` if nil.
        ///   - dispensable: Whether it may be left out: those with the highest number go first.
        public static func text(
            _ heading: String, minimum: Int = 8, preferred: Int? = nil, dispensable: Int? = nil
        ) -> Column {
            Column(
                heading: heading, isRight: false, minimum: minimum, preferred: preferred,
                dispensable: dispensable)
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

    /// The table in lines of at most `width` columns as far as leaving out and shrinking allow, the headings
    /// first.
    public func lines(width: Int? = nil, style: TextStyle = .plain) -> [String] {
        let width = width ?? style.columns
        let natural = naturalWidths
        let shown = shownColumns(natural, fitting: width)
        let widths = widths(of: shown, natural, fitting: width)
        func line(_ cells: [String]) -> String {
            let parts = shown.map { index in
                TerminalText.padded(cells[index], to: widths[index], right: columns[index].isRight)
            }
            var text = parts.joined(separator: String(repeating: " ", count: gap))
            while text.last == " " { text.removeLast() }
            return text
        }
        return [style.faint(line(columns.map(\.heading)))] + rows.map(line)
    }

    private var naturalWidths: [Int] {
        var widths = columns.map { TerminalText.width($0.heading) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], TerminalText.width(cell))
            }
        }
        return widths
    }

    /// The columns without those that have to go for the others to have room.
    private func shownColumns(_ natural: [Int], fitting width: Int) -> [Int] {
        var shown = Array(columns.indices)
        func needed() -> Int {
            shown.reduce(gap * max(0, shown.count - 1)) { sum, index in
                let column = columns[index]
                return sum + min(natural[index], column.preferred ?? column.minimum ?? Int.max)
            }
        }
        while needed() > width {
            let candidates = shown.filter { columns[$0].dispensable != nil }
            guard
                let last = candidates.max(by: {
                    columns[$0].dispensable ?? 0 < columns[$1].dispensable ?? 0
                })
            else { break }
            shown.removeAll { $0 == last }
        }
        return shown
    }

    /// The natural widths, of which the widest that may shrink is made narrower until the table fits.
    private func widths(of shown: [Int], _ natural: [Int], fitting width: Int) -> [Int] {
        var widths = natural
        var excess = shown.reduce(gap * max(0, shown.count - 1)) { $0 + natural[$1] } - width
        func shrink(to floor: (Column) -> Int?) {
            while excess > 0 {
                let candidates = shown.filter { widths[$0] > floor(columns[$0]) ?? Int.max }
                guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
                excess -= 1
            }
        }
        shrink { $0.preferred ?? $0.minimum }
        shrink { $0.minimum }
        return widths
    }
}
