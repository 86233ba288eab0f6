// What a text is made of: edits, each by one agent against the merge of the edits that it names. An edit is never
// rewritten; what it does to the text of today follows from the graph that its parents span (Protocol/text.md).

/// Who edits, as far as the order of concurrent insertions is concerned: 16 bytes, compared bytewise.
public struct TextAgent: Hashable, Comparable, Sendable {
    /// The first eight bytes, the first one most significant.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// An agent of these bytes.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// The name of an edit: its agent, and a number that the agent gives to no other edit of the text.
public struct TextEditID: Hashable, Comparable, Sendable {
    /// Who made it.
    public let agent: TextAgent
    /// Its number among the agent's edits; they need not be without gaps, nor be made one after another.
    public let sequence: UInt64

    /// The name of these parts.
    public init(_ agent: TextAgent, _ sequence: UInt64) {
        self.agent = agent
        self.sequence = sequence
    }

    public static func < (a: Self, b: Self) -> Bool { (a.agent, a.sequence) < (b.agent, b.sequence) }
}

/// A part of an edit, in Unicode scalars: at `position`, `deleted` scalars go and `inserted` come.
public struct TextRun: Hashable, Sendable {
    /// Where, in the text as the runs before it left it.
    public let position: UInt64
    /// How many scalars go.
    public let deleted: UInt64
    /// How many scalars of the edit's inserted text come.
    public let inserted: UInt64

    /// A run with these numbers.
    public init(position: UInt64, deleted: UInt64, inserted: UInt64) {
        self.position = position
        self.deleted = deleted
        self.inserted = inserted
    }
}

/// One edit of a text.
public struct TextEdit: Hashable, Sendable {
    /// Its name.
    public let id: TextEditID
    /// The edits against whose merge it is written; none for the empty text. One that another implies changes nothing.
    public let parents: [TextEditID]
    /// What it does, one run after another.
    public let runs: [TextRun]
    /// What it inserts, all runs together, in UTF-8: exactly as many scalars as the runs say. Nil if that was erased:
    /// then it counts with its length, and ``TextBuffer/erasedScalar`` stands for each scalar.
    public let inserted: [UInt8]?

    /// An edit of these parts.
    public init(id: TextEditID, parents: [TextEditID], runs: [TextRun], inserted: [UInt8]?) {
        self.id = id
        self.parents = parents
        self.runs = runs
        self.inserted = inserted
    }
}

/// Why edits, a version or stored bytes were refused. Nothing was changed.
public enum TextError: Error, Hashable, Sendable {
    /// An edit names a parent that is not held.
    case unknownParent(TextEditID)
    /// An edit of this name is held already.
    case duplicate(TextEditID)
    /// A version names an edit that is not held.
    case unknownVersion(TextEditID)
    /// An edit inserts other than its runs say, or has a run that does nothing.
    case malformed(TextEditID)
    /// Stored history cannot be read; says what is wrong with it.
    case damaged(String)
    /// The text would pass ``TextLimits/scalars``.
    case tooLong
    /// The history would pass ``TextLimits/events``.
    case tooManyEvents
}

/// Bounds of a text.
public enum TextLimits {
    /// Scalars of a text: an edit that inserts and would leave it longer, at its own version, is inert.
    public static let scalars = 4_194_304
    /// Positions: an edit that names a higher one is inert.
    public static let positions = 33_554_432
    /// Events, which are scalars inserted and deletions, in one text's history.
    public static let events = 1 << 29
}
