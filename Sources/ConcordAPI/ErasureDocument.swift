// The JSON document of the local API on what was erased.

/// A record of which values were erased for good.
public struct ErasureDocument: Codable, Hashable, Sendable {
    /// The record, as far as something of it is left.
    public var record: RecordDocument
    /// The change that orders the erasure, `replica:sequence`.
    public var change: String
    /// Whether nothing of the values is left in the files of this node. If not, somebody is reading an older state of
    /// the database: the daemon goes on with it by itself.
    public var isSwept: Bool

    /// A record, the change that orders it, and whether the files are clean.
    public init(record: RecordDocument, change: String, isSwept: Bool) {
        self.record = record
        self.change = change
        self.isSwept = isSwept
    }
}
