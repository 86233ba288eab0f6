// The texts of one record, made from the log and compared with what is stored beside it.

import ConcordCrypto
import ConcordModel
import ConcordText
import GRDB

/// What the log makes of one text.
struct NaiveTextCheck {
    /// Steps of the naive text up to which it is used: a second or so.
    private static let steps = 20_000_000
    /// Scalars that it keeps at most, each with its place in the tree.
    private static let scalars = 20_000

    let field: UTF8Text
    /// The text as it is kept, with what stands for erased scalars.
    let utf8: [UInt8]
    /// Every edit, and whether it does nothing.
    let edits: [Dot: Bool]

    /// The texts of a record, from all its allowed operations, fields ascending.
    static func texts(of operations: [NaiveOperation]) -> [NaiveTextCheck] {
        var edits: [UTF8Text: [(edit: EditOperation, past: CausalPast)]] = [:]
        for operation in operations {
            guard let edit = EditOperation(operation.operation) else { continue }
            edits[edit.field, default: []].append((edit, operation.past))
        }
        return edits.keys.sorted().map { NaiveTextCheck($0, edits[$0] ?? []) }
    }

    private init(_ field: UTF8Text, _ edits: [(edit: EditOperation, past: CausalPast)]) {
        self.field = field
        let runs = edits.reduce(0) { $0 + 1 + $1.edit.runs.count }
        let scalars = edits.reduce(0) { $0 + $1.edit.runs.reduce(0) { $0 + Int($1.inserted) } }
        if scalars <= Self.scalars, (scalars + edits.count) * runs <= Self.steps {
            var text = NaiveText()
            for (edit, past) in edits { text.apply(edit, past: past) }
            utf8 = Array(text.text.utf8)
            self.edits = Dictionary(
                edits.map { ($0.past.dot, text.inert.contains($0.past.dot) || $0.edit.runs.isEmpty) },
                uniquingKeysWith: { $0 || $1 })
        } else {
            let merged = Self.merged(edits)
            utf8 = merged.text.utf8
            var found: [Dot: Bool] = [:]
            merged.history.forEachEdit { id, _, isInert in found[id.dot] = isInert }
            self.edits = found
        }
    }

    /// A long text: merged from nothing, edit by edit in the order of the log.
    private static func merged(_ edits: [(edit: EditOperation, past: CausalPast)]) -> MergedText {
        let text = TextWork("")
        for (edit, past) in edits {
            text.take(edit, past: past, entry: 0)
        }
        // What cannot be merged shows as a text that is not the stored one.
        _ = try? text.settle()
        return text.merged
    }

    /// What the record's state says of the text.
    var state: RecordState.Text {
        let shown = DisplayedText(of: utf8)
        return RecordState.Text(field: field, hash: shown.hash, scalars: shown.scalars)
    }

    /// What is wrong with the stored text and its history, as a part of a sentence; nil if nothing is.
    func problem(record: Int64, _ db: Database) throws -> String? {
        do {
            let rows = try StoredTextRows(record: record, state: state, db)
            let merged = try rows.merged(record: record, field: field, db).text
            var stored: [Dot: Bool] = [:]
            merged.history.forEachEdit { id, _, isInert in stored[id.dot] = isInert }
            guard rows.utf8 == utf8, stored == edits else { return "a text is not what its edits make" }
            // The history by itself leads to the text, too.
            guard MergedText(replaying: merged.history).text.utf8 == utf8 else {
                return "the history of a text does not lead to it"
            }
            return nil
        } catch let damage as TextDamage {
            return damage.reason
        }
    }
}
