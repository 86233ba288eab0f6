// Import: many records in few transactions, one change each, so that each record's history is its own.

import ConcordAPI
import ConcordModel
import ConcordStore

extension StoreServices {
    public func importRows(
        _ rows: [ImportRow], into text: String?, author: String
    ) async throws -> ImportDocument {
        let space = try space(text).id
        let plan = try ImportPlan(rows)
        var ids: [String: RecordID] = [:]
        var written = 0
        for wave in plan.waves {
            let drafts = try wave.map { try plan.draft($0, ids: ids) }
            let results = try await store.write(drafts, in: space, by: signer, author: author, now: clock())
            var failure: (line: Int, error: ConcordError)?
            for (index, result) in zip(wave, results) {
                switch result {
                case .success(let change):
                    written += 1
                    if let key = plan.rows[index].key { ids[key] = change.created.first }
                case .failure(let error): failure = failure ?? (plan.rows[index].line, error)
                }
            }
            if let failure { throw Self.refusal(failure.line, failure.error, written: written) }
        }
        logger.info("records are imported", metadata: ["records": "\(written)", "author": "\(author)"])
        return ImportDocument(
            records: Int64(written), changes: Int64(written), keys: ids.mapValues(\.description))
    }

    private static func refusal(_ line: Int, _ error: ConcordError, written: Int) -> ConcordError {
        let outcome = written == 0 ? "nothing was imported" : "imported other lines: \(written)"
        return ConcordError(
            .malformedImport, "line \(line): \(error.message) (\(error.code.rawValue)); \(outcome)",
            action: written == 0
                ? "correct the line and import again" : "correct the line and import what is missing")
    }
}
