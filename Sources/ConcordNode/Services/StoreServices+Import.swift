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
        try checkParents(of: plan, in: space)
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

    /// Throws E-1011 if a record under which others are to stand is not here, is deleted or is of another kind.
    private func checkParents(of plan: ImportPlan, in space: SpaceID) throws {
        var seen: [RecordID: RecordDocument] = [:]
        for (line, record, kind) in plan.parentsOutside {
            let parent: RecordDocument
            do {
                parent = try seen[record] ?? store.record(record, space: space)
            } catch let error as ConcordError where error.code == .unknownRecord {
                throw ImportRow.refusal(line, error)
            }
            seen[record] = parent
            guard parent.kind == kind.string else {
                throw ImportRow.refusal(line, "\(record) is a \(parent.kind), and not a \(kind)")
            }
            guard parent.shown else {
                throw ImportRow.refusal(
                    line, ConcordError(.recordNotShown, "record \(record), or one above it, is deleted"))
            }
        }
    }

    /// What is left to go wrong while records are written, such as a record that is deleted meanwhile.
    private static func refusal(_ line: Int, _ error: ConcordError, written: Int) -> ConcordError {
        let outcome = written == 0 ? "nothing was imported" : "imported other lines: \(written)"
        return ConcordError(
            .malformedImport, "line \(line): \(error.message) (\(error.code.rawValue)); \(outcome)",
            action: written == 0
                ? "correct the line and import again" : "correct the line and import what is missing")
    }
}
