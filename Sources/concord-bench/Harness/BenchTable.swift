// What a measurement prints: a table for people, or one JSON document.

import ArgumentParser
import Foundation

/// A table of figures.
struct BenchTable: CustomStringConvertible {
    private let title: String
    private var rows: [[String]]
    private var notes: [String] = []

    /// An empty table; the first column is for what was measured, the others for figures.
    init(_ title: String, _ columns: String...) {
        self.title = title
        rows = [columns]
    }

    /// Adds a row, with one cell for each column or fewer.
    mutating func add(_ cells: String...) { rows.append(cells) }

    /// Adds a sentence below the table.
    mutating func note(_ sentence: String) { notes.append(sentence) }

    var description: String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        let lines = rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            var line = "  " + cells.joined(separator: "   ")
            while line.last == " " { line.removeLast() }
            return line
        }
        return ([title] + lines + notes.map { "  " + $0 }).joined(separator: "\n")
    }
}

/// How the result of a measurement is printed.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON document.")
    var json = false

    /// Prints what was measured in the form that was asked for.
    func print(_ document: some Encodable, _ tables: [BenchTable]) throws {
        guard json else {
            return Swift.print(tables.map(\.description).joined(separator: "\n\n"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        Swift.print(String(decoding: try encoder.encode(document), as: UTF8.self))
    }
}
