// What is measured of one history. Every way of making the text must make the same one.

import ConcordText
import Foundation

/// What one history took.
struct TextMeasurement: Encodable {
    let trace: String
    /// Scalars inserted and deleted.
    let events: Int
    let edits: Int
    /// Making the edits here one by one; only of sequential histories.
    let local: Timing?
    /// The same for one edit, at the minimum.
    let localMicrosecondsPerEdit: Double?
    /// From the encoded history to the text, in an empty replica.
    let merge: Timing
    /// Taking in all edits as they come from elsewhere, in an empty replica.
    let receive: Timing
    let encode: Timing
    let decode: Timing
    let encodedBytes: Int
    let insertedBytes: Int
    let textBytes: Int
    /// From the stored text to one that can be read and written.
    let open: Timing
    /// The peak of a process that does nothing but merge, above what it had before.
    let mergeMemoryBytes: Int
    /// Why another text than the file's own is right, if it is.
    let note: String?

    /// Measures a history, running everything `runs` times.
    ///
    /// - Throws: ``BenchError`` if the trace cannot be replayed, or does not end in its text.
    init(_ name: String, _ trace: EditingTrace, runs: Int) throws {
        var expected = ExpectedText(trace.endContent)
        let all = try trace.edits()
        let received = try Timing.of(runs) {
            var text = MergedText()
            try text.apply(all)
            return text
        }
        try expected.check(received.result.text, "\(name), received from elsewhere,")
        let history = received.result.history
        let encoded = Timing.of(runs) { history.chunk(0..<history.eventCount) }
        let decoded = try Timing.of(runs) { try TextHistory(chunks: [encoded.result]) }
        let merged = try Timing.of(runs) {
            MergedText(replaying: try TextHistory(chunks: [encoded.result]))
        }
        try expected.check(merged.result.text, "\(name), merged from its encoded history,")
        let stored = merged.result.text.utf8
        let opened = Timing.of(runs) { TextBuffer(utf8: stored) }
        try expected.check(opened.result, "\(name), opened,")
        self.trace = name
        (events, edits) = (trace.events, all.count)
        (receive, encode, decode) = (received.timing, encoded.timing, decoded.timing)
        (merge, open) = (merged.timing, opened.timing)
        (encodedBytes, textBytes) = (encoded.result.count, stored.count)
        insertedBytes = all.reduce(0) { $0 + ($1.inserted?.count ?? 0) }
        mergeMemoryBytes = try MergeMemoryCommand.measure(encoded.result)
        guard trace.isSequential else {
            (local, localMicrosecondsPerEdit, note) = (nil, nil, expected.note)
            return
        }
        let strokes = trace.keystrokes()
        let typed = try Timing.of(runs) { try Self.typed(strokes) }
        try expected.check(typed.result.text, "\(name), typed,")
        note = expected.note
        local = typed.timing
        localMicrosecondsPerEdit = typed.timing.minimum * 1e3 / Double(max(1, strokes.count))
    }

    private static func typed(_ strokes: [Keystroke]) throws -> MergedText {
        var text = MergedText()
        for stroke in strokes {
            guard stroke.position + stroke.deleted <= text.text.scalarCount else {
                throw BenchError("patch \(stroke.id.sequence) reaches beyond the end of the text")
            }
            try text.edit(
                stroke.id, at: stroke.position, deleting: stroke.deleted, inserting: stroke.inserted)
        }
        return text
    }
}
