// A text while a batch works on it. Edits gather until the batch is written, or until somebody asks for the text; then
// they are merged at once, which is cheaper than one by one.

import ConcordModel
import ConcordText
import GRDB

/// A text in a batch.
final class TextWork {
    let field: UTF8Text
    /// The text without ``waiting``.
    private(set) var merged: MergedText
    /// The first event that is not in a chunk that is left alone.
    private(set) var tail: Int
    /// How many scalars all edits of the text insert, as they say: those without effect, and erased ones, too.
    private(set) var claimed: UInt64 = 0
    /// The edits that are not merged yet, in an order in which each follows its parents, and their entries' places.
    private var waiting: [(edit: TextEdit, entry: Int)] = []
    private var waitingIDs: Set<TextEditID> = []
    /// Whether the tables have something else.
    private(set) var isChanged = false
    /// Whether the record's state does not say yet what became of the text.
    var isStateBehind = false

    /// A text without edits.
    init(_ field: UTF8Text) {
        self.field = field
        merged = MergedText()
        tail = 0
    }

    /// A text as the tables have it.
    init(_ field: UTF8Text, _ merged: MergedText, tail: Int, claimed: UInt64) {
        self.field = field
        self.merged = merged
        self.tail = tail
        self.claimed = claimed
    }

    /// Whether more was written to the text than is merged: it is empty then, whatever was written.
    var isOverfull: Bool { Self.isOverfull(claimed) }

    static func isOverfull(_ claimed: UInt64) -> Bool { claimed > UInt64(Limits.textClaimed) }

    /// The refusal to read or to write a text that is overfull, or would be.
    static func overfull(_ field: UTF8Text) -> ConcordError {
        ConcordError(
            .limitExceeded, "more than \(Limits.textClaimed) characters were written to \(field) in all",
            action: "go on in a new document; who wrote how much is in `concord log`")
    }

    /// Whether the change is an edit of this text.
    func holds(_ dot: Dot) -> Bool {
        let id = TextEditID(dot)
        return waitingIDs.contains(id) || merged.history.contains(id)
    }

    /// Takes an edit in. Of its parents those count that lie in its past and are edits of this text (rule B5).
    func take(_ edit: EditOperation, past: CausalPast, entry: Int) {
        claimed += edit.runs.reduce(0) { $0 + $1.inserted }
        guard !isOverfull else {
            (merged, tail, waiting, waitingIDs) = (MergedText(), 0, [], [])
            (isChanged, isStateBehind) = (true, true)
            return
        }
        let parents = edit.parents.filter { past.contains($0) && holds($0) }.map(TextEditID.init)
        let id = TextEditID(past.dot)
        waiting.append(
            (
                TextEdit(
                    id: id, parents: parents, runs: edit.runs,
                    inserted: edit.inserted.map { Array($0.string.utf8) }),
                entry
            ))
        waitingIDs.insert(id)
    }

    /// Merges what waits.
    ///
    /// - Returns: the edits without effect, with the places of their entries; nil if nothing waited.
    func settle() throws -> [(dot: Dot, entry: Int)]? {
        guard !waiting.isEmpty else { return nil }
        let inert: [TextEditID]
        do {
            inert = try merged.apply(waiting.map(\.edit))
        } catch TextError.tooManyEvents {
            throw ConcordError(.limitExceeded, "a text has more edits than can be kept")
        } catch {
            throw damaged("the edits of a text do not fit together: \(error)")
        }
        let entries = Dictionary(uniqueKeysWithValues: waiting.map { ($0.edit.id, $0.entry) })
        (waiting, waitingIDs) = ([], [])
        (isChanged, isStateBehind) = (true, true)
        return inert.sorted().map { ($0.dot, entries[$0] ?? 0) }
    }

    /// Writes text and history to the tables.
    func write(record: Int64, _ db: Database) throws {
        tail = try TextTable.write(merged, field, claimed: claimed, record: record, tail: tail, db)
        isChanged = false
    }
}

/// The parts of an `edit` operation, with parents by the names of chains.
struct EditOperation {
    let field: UTF8Text
    let parents: [Dot]
    let runs: [TextRun]
    let inserted: UTF8Text?

    /// Nil for every other operation.
    init?(_ operation: ConcordModel.Operation) {
        guard case .edit(let field, let parents, let runs, let inserted) = operation else { return nil }
        (self.field, self.parents, self.runs, self.inserted) = (field, parents, runs, inserted)
    }
}
