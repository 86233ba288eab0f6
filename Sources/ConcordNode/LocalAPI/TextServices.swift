// What the local API can do with texts that merge: read one at any version, write one as a whole, tell its history.

import ConcordAPI

/// The texts of records. `id` is a record's id or a unique prefix of it; a version is what documents give, where a
/// unique beginning of each part suffices.
public protocol TextServices: Sendable {
    /// A record's text.
    ///
    /// - Parameter version: Which; nil for the current one.
    /// - Throws: E-1002 for a record of a kind that has no such text, and for a version that is not held.
    func text(_ id: String, at version: String?) async throws -> TextDocument
    /// Writes a text of which its writer has the whole: only its difference from the base is recorded, and merges with
    /// what others wrote since.
    ///
    /// - Parameter base: The version that the writer saw; nil for the current one.
    func writeText(_ id: String, _ text: String, base: String?, author: String) async throws
        -> TextWrittenDocument
    /// Who wrote which passage of a text, and its edits.
    func textHistory(_ id: String, at version: String?) async throws -> TextHistoryDocument
}
