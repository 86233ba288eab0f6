// Cuts a stream of bytes into lines and reads each as a record to import, so that no more than one line is
// ever held as text.

import ConcordModel

/// Reads JSON lines that arrive in parts of any size.
package struct ImportReader {
    /// What was read so far.
    package private(set) var rows: [ImportRow] = []
    private var pending: [UInt8] = []
    private var line = 0

    /// A reader that has read nothing.
    package init() {}

    /// Takes the next part.
    ///
    /// - Throws: ``ConcordError`` E-1011 that names the line.
    package mutating func feed(_ bytes: some Collection<UInt8>) throws {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            pending += rest[..<end]
            rest = rest[rest.index(after: end)...]
            try finishLine()
        }
        pending += rest
        guard pending.count <= LocalAPILimits.importLineBytes else { throw tooLong(line + 1) }
    }

    /// Takes the last line, which need not end in a line feed, and gives all rows.
    package mutating func finish() throws -> [ImportRow] {
        if !pending.isEmpty { try finishLine() }
        return rows
    }

    private mutating func finishLine() throws {
        line += 1
        defer { pending.removeAll(keepingCapacity: true) }
        guard pending.count <= LocalAPILimits.importLineBytes else { throw tooLong(line) }
        if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
        guard pending.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
        rows.append(try ImportRow(line: line, bytes: pending[...]))
    }

    private func tooLong(_ line: Int) -> ConcordError {
        ImportRow.refusal(line, "it has more than \(LocalAPILimits.importLineBytes) bytes")
    }
}
