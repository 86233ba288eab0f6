// An editing history as it stands in a file, and as edits of a text. A transaction becomes one edit: in a sequential
// history it follows the one before, in a concurrent one those that it names.

import ConcordText

/// An editing history with the text in which it ends.
struct EditingTrace: Decodable {
    /// The text at the beginning, mostly none.
    let startContent: String?
    /// The text in the end.
    let endContent: String
    /// Present in concurrent histories.
    let numAgents: Int?
    let txns: [Transaction]

    struct Transaction: Decodable {
        /// The transactions whose merge it starts from, by their places.
        let parents: [Int]?
        let agent: Int?
        let patches: [Patch]
    }

    /// Whether each transaction follows the one before.
    var isSequential: Bool { numAgents == nil }

    /// How many scalars are inserted and deleted.
    var events: Int {
        var events = startContent?.unicodeScalars.count ?? 0
        for transaction in txns {
            for patch in transaction.patches { events += patch.deleted + patch.inserted.unicodeScalars.count }
        }
        return events
    }

    /// Each transaction as one edit.
    ///
    /// - Throws: ``BenchError`` if a transaction cannot be one.
    func edits() throws -> [TextEdit] {
        var edits: [TextEdit] = []
        edits.reserveCapacity(txns.count + 1)
        var counts: [Int: UInt64] = [:]
        if let start = start { edits.append(start) }
        let offset = edits.count
        counts[0] = UInt64(offset)
        for (index, transaction) in txns.enumerated() {
            let agent = isSequential ? 0 : transaction.agent ?? -1
            guard agent >= 0 else { throw BenchError("transaction \(index) has no agent") }
            var parents: [TextEditID] = []
            if isSequential {
                if let last = edits.last { parents = [last.id] }
            } else {
                for parent in transaction.parents ?? [] {
                    guard (0..<index).contains(parent) else {
                        throw BenchError(
                            "transaction \(index) follows \(parent), which does not come before it")
                    }
                    parents.append(edits[parent + offset].id)
                }
                if parents.isEmpty, offset == 1 { parents = [edits[0].id] }
            }
            counts[agent, default: 0] += 1
            edits.append(
                Patch.edit(
                    TextEditID(TextAgent(number: agent), counts[agent, default: 0]), parents,
                    transaction.patches))
        }
        return edits
    }

    /// Each patch as one local edit, in the order in which they were made.
    func keystrokes() -> [Keystroke] {
        var strokes: [Keystroke] = []
        strokes.reserveCapacity(txns.count)
        func add(_ patch: Patch) {
            let id = TextEditID(TextAgent(number: 0), UInt64(strokes.count + 1))
            strokes.append(
                Keystroke(
                    id: id, position: patch.position, deleted: patch.deleted,
                    inserted: Array(patch.inserted.utf8)))
        }
        if let text = startContent, !text.isEmpty { add(Patch(position: 0, deleted: 0, inserted: text)) }
        for transaction in txns { transaction.patches.forEach(add) }
        return strokes
    }

    private var start: TextEdit? {
        guard let text = startContent, !text.isEmpty else { return nil }
        return Patch.edit(
            TextEditID(TextAgent(number: 0), 1), [], [Patch(position: 0, deleted: 0, inserted: text)])
    }
}

/// One local edit.
struct Keystroke {
    let id: TextEditID
    let position: Int
    let deleted: Int
    let inserted: [UInt8]
}

/// A part of a transaction: at a position, so many scalars go, and a text comes.
struct Patch: Decodable {
    let position: Int
    let deleted: Int
    let inserted: String

    init(position: Int, deleted: Int, inserted: String) {
        self.position = position
        self.deleted = deleted
        self.inserted = inserted
    }

    /// Three values in an array.
    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        position = try values.decode(Int.self)
        deleted = try values.decode(Int.self)
        inserted = try values.decode(String.self)
        guard position >= 0, deleted >= 0, values.isAtEnd else {
            throw DecodingError.dataCorruptedError(
                in: values, debugDescription: "a patch is a position, a number of scalars deleted, and a text"
            )
        }
    }

    /// An edit of patches, applied one after another.
    static func edit(_ id: TextEditID, _ parents: [TextEditID], _ patches: [Patch]) -> TextEdit {
        var runs: [TextRun] = []
        var inserted: [UInt8] = []
        for patch in patches {
            let scalars = patch.inserted.unicodeScalars.count
            guard patch.deleted > 0 || scalars > 0 else { continue }
            runs.append(
                TextRun(
                    position: UInt64(patch.position), deleted: UInt64(patch.deleted),
                    inserted: UInt64(scalars)))
            inserted += patch.inserted.utf8
        }
        return TextEdit(id: id, parents: parents, runs: runs, inserted: inserted)
    }
}

extension TextAgent {
    /// An agent whose bytes are as varied as those of real ones, and whose order is that of the numbers.
    init(number: Int) {
        let mixed = (UInt64(number) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        self.init(high: UInt64(number) << 40 | mixed >> 24, low: mixed &* 0xbf58_476d_1ce4_e5b9)
    }
}
