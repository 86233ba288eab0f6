// A text together with its history: what the store keeps of a mergeable field, and what takes in edits.

/// A text into which edits merge, whoever made them and in whatever order they come.
///
/// Whoever holds the same edits has the same text.
public struct MergedText: Sendable {
    /// All edits that are held.
    public private(set) var history = TextHistory()
    /// The text to which they lead. An erased scalar stands as ``TextBuffer/erasedScalar``.
    public private(set) var text = TextBuffer()

    /// A text without edits.
    public init() {}

    /// A text as it was stored.
    ///
    /// - Parameter text: the text to which `history` leads.
    public init(history: TextHistory, text: TextBuffer) {
        self.history = history
        self.text = text
    }

    /// A text made anew from its history.
    public init(replaying history: TextHistory) {
        self.history = history
        _ = Walker.merge(history, into: &text, held: [], new: history.frontier)
    }

    /// The edits that no other follows, ascending.
    public var version: [TextEditID] { history.version }

    // MARK: Taking in

    /// Takes in edits, each after its parents. Either all are taken in, or, if this throws, none.
    ///
    /// - Returns: those that are inert, since they reach beyond the text of their version: they have no effect, here
    ///   and everywhere (Protocol/text.md, "Verdict").
    /// - Throws: ``TextError``.
    @discardableResult
    public mutating func apply(_ edits: [TextEdit]) throws(TextError) -> [TextEditID] {
        let mark = history.mark
        do {
            for edit in edits { try history.append(edit, isInert: edit.isTooLarge) }
        } catch {
            history.goBack(to: mark)
            throw error
        }
        let inert = merge(since: mark)
        guard !inert.isEmpty else { return edits.filter(\.isTooLarge).map(\.id) }
        // An inert edit is one event from now on, whatever it says.
        history.goBack(to: mark)
        var all: [TextEditID] = []
        for edit in edits {
            let isInert = edit.isTooLarge || inert.contains(edit.id)
            try history.append(edit, isInert: isInert)
            if isInert { all.append(edit.id) }
        }
        return all
    }

    /// Merges the events that were appended since; gives back the edits that are inert.
    private mutating func merge(since mark: TextHistory.Mark) -> Set<TextEditID> {
        let inert = Walker.merge(
            history, into: &text, held: mark.frontier, new: history.frontier, firstUnjudged: mark.end)
        return Set(inert.map(history.id(of:)))
    }

    /// Makes one run of an edit at the present version; the quick way for somebody who types here.
    ///
    /// - Parameters:
    ///   - position: where, in scalars; it must lie within the text, and so must what is deleted.
    ///   - inserting: valid UTF-8.
    /// - Throws: ``TextError/duplicate(_:)``, ``TextError/tooLong`` or ``TextError/tooManyEvents``.
    public mutating func edit(
        _ id: TextEditID, at position: Int, deleting deleted: Int, inserting inserted: [UInt8]
    ) throws(TextError) {
        precondition(position >= 0 && deleted >= 0 && position + deleted <= text.scalarCount)
        let scalars = UTF8Scan.scalarCount(inserted)
        guard scalars == 0 || text.scalarCount - deleted + scalars <= TextLimits.scalars else {
            throw .tooLong
        }
        try history.append(
            id, follows: deleted, at: position, inserting: inserted, scalars: scalars)
        if deleted > 0 { text.remove(deleted, at: position) }
        if scalars > 0 {
            inserted.withUnsafeBufferPointer { text.insert($0, scalars: scalars, at: position) }
        }
    }

    // MARK: Versions

    /// The text at a version.
    ///
    /// - Parameter version: edits that are held; none for the empty text.
    /// - Throws: ``TextError/unknownVersion(_:)``.
    public func text(at version: [TextEditID]) throws(TextError) -> TextBuffer {
        let events = try history.events(of: version)
        if events == history.frontier { return text }
        var text = TextBuffer()
        _ = Walker.merge(history, into: &text, held: [], new: events)
        return text
    }

    /// Who wrote what of the text at a version, in the order of the text. Neighbours are by different edits.
    ///
    /// - Parameter version: nil for the present one.
    /// - Throws: ``TextError/unknownVersion(_:)``.
    public func passages(at version: [TextEditID]? = nil) throws(TextError) -> [TextPassage] {
        let events = try version.map { (edits) throws(TextError) in try history.events(of: edits) }
        var passages: [TextPassage] = []
        for origin in Walker.origins(history, at: events ?? history.frontier) {
            for (id, scalars) in history.ids(of: origin.event..<origin.event + origin.count) {
                if let last = passages.last, last.edit == id {
                    passages[passages.count - 1].scalars += scalars
                } else {
                    passages.append(TextPassage(edit: id, scalars: scalars))
                }
            }
        }
        return passages
    }
}

/// Consecutive scalars of a text that one edit inserted.
public struct TextPassage: Hashable, Sendable {
    /// The edit.
    public let edit: TextEditID
    /// How many scalars.
    public internal(set) var scalars: Int

    /// A passage of these parts.
    public init(edit: TextEditID, scalars: Int) {
        self.edit = edit
        self.scalars = scalars
    }
}

extension TextEdit {
    /// How many events the edit has, unless it is inert.
    var eventCount: Int {
        max(1, runs.reduce(0) { $0 + Int(min($1.inserted, Self.most)) + ($1.deleted > 0 ? 1 : 0) })
    }

    /// Whether the edit is inert whatever its version is.
    var isTooLarge: Bool {
        var count: UInt64 = 0
        for run in runs {
            guard run.deleted <= Self.most, run.inserted <= Self.most,
                run.position <= UInt64(TextLimits.positions)
            else { return true }
            count += run.deleted + run.inserted
        }
        return count > Self.most
    }

    private static let most = UInt64(2 * TextLimits.scalars)
}
