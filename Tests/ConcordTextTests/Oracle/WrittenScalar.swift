// What the references answer with, and short ways to write down edits by hand. All that the references have in
// common with what they judge are the types of an edit.

import ConcordText

/// A scalar of a text, and the edit that inserted it.
struct WrittenScalar: Hashable {
    let scalar: UInt32
    let edit: TextEditID
}

extension TextAgent {
    /// The agent whose first bytes are this name, the others zero.
    init(named name: String) {
        let bytes = Array(name.utf8) + Array(repeating: 0, count: 16 - name.utf8.count)
        self.init(
            high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension TextEditID: ExpressibleByStringLiteral {
    /// The edit that is written as the name of its agent and its number, such as `a1`.
    public init(stringLiteral value: String) {
        let name = value.prefix { !$0.isNumber }
        self.init(TextAgent(named: String(name)), UInt64(value.dropFirst(name.count)) ?? 0)
    }
}

extension TextRun {
    /// The run that inserts `count` scalars at `position`.
    static func insert(_ count: UInt64, at position: UInt64) -> TextRun {
        TextRun(position: position, deleted: 0, inserted: count)
    }

    /// The run that deletes `count` scalars at `position`.
    static func delete(_ count: UInt64, at position: UInt64) -> TextRun {
        TextRun(position: position, deleted: count, inserted: 0)
    }
}

extension TextEdit {
    /// An edit with an inserted text; nil stands for an erased one.
    init(_ id: TextEditID, after parents: [TextEditID] = [], _ runs: [TextRun], _ inserted: String? = "") {
        self.init(id: id, parents: parents, runs: runs, inserted: inserted.map { Array($0.utf8) })
    }
}

/// The scalars in UTF-8.
func encoded(_ scalars: [UInt32]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(scalars.count)
    for scalar in scalars {
        switch scalar {
        case ..<0x80: bytes.append(UInt8(scalar))
        case ..<0x800: bytes += [0xc0 | UInt8(scalar >> 6), 0x80 | UInt8(scalar & 63)]
        case ..<0x10000:
            bytes += [0xe0 | UInt8(scalar >> 12), 0x80 | UInt8(scalar >> 6 & 63), 0x80 | UInt8(scalar & 63)]
        default:
            bytes += [
                0xf0 | UInt8(scalar >> 18), 0x80 | UInt8(scalar >> 12 & 63), 0x80 | UInt8(scalar >> 6 & 63),
                0x80 | UInt8(scalar & 63),
            ]
        }
    }
    return bytes
}
