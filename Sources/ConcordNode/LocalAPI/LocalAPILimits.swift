// The limits of the local API, in one place. They protect the daemon from a careless script, not from an
// enemy: who may open the socket may do all of this anyway.

import ConcordModel

/// Limits of the local API.
enum LocalAPILimits {
    /// Bytes of an import.
    static let importBytes = 64 << 20
    /// Bytes of one line of an import.
    static let importLineBytes = 1 << 20
    /// Bytes of all values of one record of an import: a change, less room for its author, its dependencies
    /// and what frames them.
    static let importRecordBytes = Limits.changeBytes - (8 << 10)
    /// Bytes that a value takes in a change besides itself and the name of its field.
    static let importValueOverhead = 16
    /// Bytes of a body with a text that merges: a Unicode scalar takes at most 12, as two escapes `\uXXXX`.
    static let textBodyBytes = 12 * Limits.textScalars + (1 << 20)
    /// Bytes of every other body; an invite in base64 is the largest.
    static let bodyBytes = 12 << 20
    /// Unicode scalars of a text that merges, in lists and search results; of a longer one the beginning is given.
    static let listedTextScalars = 1000
    /// Hits of a search.
    static let searchHits = 1000
    /// Changes of a page of the log.
    static let logChanges = 100_000
    /// Bytes of a Unix socket's path, of which the system takes 107 (sockaddr_un).
    static let socketPathBytes = 107
}
