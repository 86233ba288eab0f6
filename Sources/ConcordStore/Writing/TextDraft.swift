// What a draft writes to a text: the difference between the text that its author had and the new one, as runs. What is
// too large for one change goes on in the next ones, each against the one before.

import ConcordModel
import ConcordText
import GRDB

/// An edit of a text, on its way into one or several changes.
struct TextDraft {
    /// Bytes of inserted text in one change.
    static let insertedBytes = 128 << 10

    let record: RecordID
    let field: UTF8Text
    /// The edits against whose merge it is written, by real replica ids, ascending.
    let parents: [Dot]
    private var runs: ArraySlice<TextRun>
    private let inserted: [UInt8]
    /// Where in ``inserted`` the text of the first of ``runs`` begins.
    private var offset = 0
    /// Whether a part was taken.
    private(set) var isBegun = false

    init(record: RecordID, field: UTF8Text, parents: [Dot], runs: [TextRun], inserted: [UInt8]) {
        self.record = record
        self.field = field
        self.parents = parents
        self.runs = runs[...]
        self.inserted = inserted
    }

    /// The entry of the next change, nil if nothing is left.
    mutating func takeNext(after parents: [Dot]) -> Entry? {
        next(after: parents, bytes: Self.insertedBytes).map { Entry(record: record, operations: [$0]) }
    }

    /// The next part as an operation, nil if nothing is left.
    ///
    /// - Parameter bytes: how many bytes it may insert, at least 4.
    mutating func next(after parents: [Dot], bytes: Int) -> Operation? {
        guard !runs.isEmpty else { return nil }
        var part: [TextRun] = []
        let start = offset
        var deleted: UInt64 = 0
        while let run = runs.first, part.count < Limits.textRuns {
            let mayDelete = UInt64(Limits.textScalars) - deleted
            guard run.deleted <= mayDelete else {
                // Only a text that grew beyond its limit by concurrent edits has as much to delete.
                if mayDelete > 0 {
                    part.append(TextRun(position: run.position, deleted: mayDelete, inserted: 0))
                }
                runs[runs.startIndex] = TextRun(
                    position: run.position, deleted: run.deleted - mayDelete, inserted: run.inserted)
                break
            }
            deleted += run.deleted
            let (scalars, end) = fitting(run.inserted, until: start + bytes)
            if scalars < run.inserted {
                if scalars > 0 || run.deleted > 0 {
                    part.append(TextRun(position: run.position, deleted: run.deleted, inserted: scalars))
                }
                runs[runs.startIndex] = TextRun(
                    position: run.position + scalars, deleted: 0, inserted: run.inserted - scalars)
                offset = end
                break
            }
            part.append(run)
            runs = runs.dropFirst()
            offset = end
        }
        isBegun = true
        let text = UTF8Text(String(decoding: inserted[start..<offset], as: UTF8.self))
        return .edit(field: field, parents: parents, runs: part, inserted: text)
    }

    /// How many of the next scalars end before a byte, and where they do.
    private func fitting(_ scalars: UInt64, until limit: Int) -> (scalars: UInt64, end: Int) {
        var (count, place) = (UInt64(0), offset)
        while count < scalars {
            let end = place + UTF8Scan.length(inserted[place])
            guard end <= limit else { break }
            (count, place) = (count + 1, end)
        }
        return (count, place)
    }
}

extension DraftBuilder {
    /// Bytes that are kept free in the change that a text shares with other values.
    private static let spareBytes = 32 << 10
    /// Bytes that a run may take.
    private static let runBytes = 16
    /// Bytes that a named dot may take.
    private static let dotBytes = 28

    /// Takes the text of a new record into the draft.
    mutating func begin(_ field: FieldDescription, with value: Value, _ place: Int) throws {
        let draft = drafts[place]
        guard draft.creation != nil else { throw Self.mustBeMerged(field, draft.record) }
        guard case .text(let text) = try field.normalized(value) else {
            throw ConcordError(.malformedValue, "\(field.name): text is expected")
        }
        texts.removeAll { $0.record == draft.record && $0.field == field.name }
        guard text.byteCount > 0 else { return }
        texts.append(
            TextDraft(
                record: draft.record, field: field.name, parents: [],
                runs: [
                    TextRun(
                        position: 0, deleted: 0, inserted: UInt64(text.string.unicodeScalars.count))
                ],
                inserted: Array(text.string.utf8)))
    }

    static func mustBeMerged(_ field: FieldDescription, _ record: RecordID) -> ConcordError {
        ConcordError(
            .malformedValue,
            "\(field.name) is a text that everybody's edits go into: it is not set as a whole",
            action: "write it with `concord document write \(record)`")
    }

    /// Takes the difference between a text and what it is to be into the draft.
    mutating func write(_ text: UTF8Text, to name: UTF8Text, base: String?, place: Int) throws {
        let (draft, field) = (drafts[place], try description(name, place))
        guard field.isText else {
            throw ConcordError(
                .malformedValue, "\(name) is no text that merges", action: "set it as other fields")
        }
        let text = try field.mergeable(text)
        guard let work = draft.work, !texts.contains(where: { $0.record == draft.record }) else {
            throw ConcordError(.usage, "one change cannot write the text of \(draft.record) twice")
        }
        let held = try batch.settledText(name, of: work)
        guard !held.isOverfull else { throw TextWork.overfull(name) }
        var version = held.merged.version
        if let base { version = try batch.versions(of: work, held).version(base) }
        let (parents, before) = try start(version, held)
        guard DisplayedText(of: before).utf8 != Array(text.string.utf8) else {
            throw ConcordError(.textUnchanged, "\(name) is already as it is to be")
        }
        let new = Array(text.string.utf8)
        var difference = TextDifference.runs(from: before, to: new)
        let length = UTF8Scan.scalarCount(before)
        if max(length, held.merged.text.scalarCount) + UTF8Scan.scalarCount(difference.inserted)
            > Limits.textScalars
        {
            difference = TextDifference.runsWithoutErased(from: before, to: new)
        }
        guard held.claimed + UInt64(UTF8Scan.scalarCount(difference.inserted)) <= UInt64(Limits.textClaimed)
        else { throw TextWork.overfull(name) }
        let runs = Self.shrinkingFirst(difference.runs, scalars: length)
        try checkLength(runs, difference.inserted, parents, held, before: length)
        texts.append(
            TextDraft(
                record: draft.record, field: name, parents: parents.map(batch.space.real).uniqued,
                runs: runs, inserted: difference.inserted))
    }

    /// The edits that an operation can name for a version, by chain names, and the text that they lead to. More than may
    /// be named are left out; and where a replica has branches, a name stands for what bears it on each of them.
    private func start(_ version: [TextEditID], _ held: TextWork) throws -> (parents: [Dot], text: [UInt8]) {
        let named = Set(version.prefix(Limits.namedDots).map { batch.space.real($0.dot) })
        let parents = named.flatMap(batch.space.names(of:)).filter(held.holds).sorted()
        let ids = parents.map(TextEditID.init)
        if ids == held.merged.version { return (parents, held.merged.text.utf8) }
        do {
            return (parents, try held.merged.text(at: ids).utf8)
        } catch {
            throw damaged("a text cannot be read at a version that is held: \(error)")
        }
    }

    /// Throws if the text would become longer than a text may be, at the version that is written or at present.
    private func checkLength(
        _ runs: [TextRun], _ inserted: [UInt8], _ parents: [Dot], _ held: TextWork, before: Int
    ) throws {
        let present = held.merged.text.scalarCount
        guard max(present, before) + UTF8Scan.scalarCount(inserted) > Limits.textScalars else { return }
        var merged = held.merged
        let edit = TextEdit(
            id: TextEditID(dot), parents: parents.map(TextEditID.init), runs: runs, inserted: inserted)
        let isPossible = (try? merged.apply([edit]).isEmpty) ?? false
        guard isPossible, merged.text.scalarCount <= max(present, Limits.textScalars) else {
            throw ConcordError(
                .limitExceeded, "the text would have more than \(Limits.textScalars) characters",
                action: "make it shorter; what was erased or written meanwhile counts, too")
        }
    }

    /// Runs that never make a text longer than it may be while they are applied: as they are, or with all that goes
    /// before all that comes.
    private static func shrinkingFirst(_ runs: [TextRun], scalars: Int) -> [TextRun] {
        var (length, longest) = (scalars, scalars)
        for run in runs {
            length += Int(run.inserted) - Int(run.deleted)
            longest = max(longest, length)
        }
        guard longest > Limits.textScalars else { return runs }
        var (going, coming): ([TextRun], [TextRun]) = ([], [])
        var grown = 0
        for run in runs {
            // The runs before have grown the text that is still whole here.
            let position = Int(run.position) - grown
            if run.deleted > 0 {
                going.append(TextRun(position: UInt64(position), deleted: run.deleted, inserted: 0))
            }
            if run.inserted > 0 {
                coming.append(TextRun(position: run.position, deleted: 0, inserted: run.inserted))
            }
            grown += Int(run.inserted)
        }
        return going + coming
    }

    /// Puts as much of the texts into the entries as fits with the rest.
    mutating func addTexts(to entries: inout [Entry]) {
        guard !texts.isEmpty else { return }
        let others = Change(
            timestamp: timestamp, dependencies: [], seed: Bytes16(high: 0, low: 0), authorLabel: "",
            entries: entries
        ).encoded().count
        var room = min(TextDraft.insertedBytes, Limits.changeBytes - Self.spareBytes - others)
        for index in texts.indices {
            let (parents, record) = (texts[index].parents, texts[index].record)
            room -= parents.count * Self.dotBytes
            guard room >= 4, let operation = texts[index].next(after: parents, bytes: room),
                let place = entries.firstIndex(where: { $0.record == record })
            else { continue }
            entries[place] = Entry(record: record, operations: entries[place].operations + [operation])
            if case .edit(_, _, let runs, let inserted?) = operation {
                room -= inserted.byteCount + runs.count * Self.runBytes
            }
        }
        entries.removeAll { $0.operations.isEmpty }
    }
}

extension [Dot] {
    /// The dots ascending, each once.
    fileprivate var uniqued: [Dot] { Set(self).sorted() }
}
