// Calls about texts that merge. A record is named by its id or a unique prefix of it.

import ConcordAPI
import ConcordModel

extension DaemonClient {
    /// A record's text at a version; the current one if `version` is nil.
    public func text(_ id: String, at version: String? = nil) async throws -> Answer<TextDocument> {
        try await call(
            LocalRequest(.GET, ["records", id, "text"], query: [("at", version)]),
            timeout: max(timeout, ClientLimits.textTimeout))
    }

    /// Writes a text as a whole: what differs from version `base` is recorded, and merges with what others wrote since.
    public func writeText(
        _ id: String, _ text: String, base: String?
    ) async throws -> Answer<TextWrittenDocument> {
        var body = ["text": text]
        body["base"] = base
        return try await call(
            try request(.PUT, ["records", id, "text"], body: body),
            timeout: max(timeout, ClientLimits.textTimeout))
    }

    /// Who wrote which passage of a text, and its edits.
    public func textHistory(
        _ id: String, at version: String? = nil
    ) async throws -> Answer<TextHistoryDocument> {
        try await call(
            LocalRequest(.GET, ["records", id, "history"], query: [("at", version)]),
            timeout: max(timeout, ClientLimits.textTimeout))
    }
}
