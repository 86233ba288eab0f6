// `concord verify`: all spaces, in one snapshot, beside the running daemon.

import ConcordModel
import GRDB

extension ReplicaStore {
    /// Checks hashes, chains, signatures and certificates of the whole log, recomputes the visible state from
    /// nothing with the naive fold, and compares.
    ///
    /// - Parameters:
    ///   - space: the one space to check; nil for all.
    ///   - progress: called now and then, on a database queue.
    /// - Returns: what was found; a log or state that does not verify is a problem in the report, not an
    ///   error.
    public func verify(
        space: SpaceID? = nil, progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
    ) async throws -> VerifyReport {
        let spaces = try space.map { [try writer.space($0)] } ?? writer.spaces()
        let result: Result<VerifyReport, any Error> = await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                continuation.resume(
                    returning: Result { try Self.verify(spaces.map(\.id), try access.get(), progress) })
            }
        }
        if case .failure(let error) = result { writer.gate.noteRead(error) }
        return try mappingErrors { try result.get() }
    }

    private static func verify(
        _ spaces: [Int64], _ db: Database, _ progress: @Sendable (VerifyProgress) -> Void
    ) throws -> VerifyReport {
        var report = VerifyReport(changes: 0, records: 0, spaces: [], problems: [])
        let total = try Int64.fetchOne(db, sql: "SELECT COUNT(*) FROM log") ?? 0
        for id in spaces {
            let row = try Row.fetchOne(db, sql: "SELECT charter FROM space WHERE id = ?", arguments: [id])
            guard let row else { throw damaged("a space is missing") }
            var verifier = try SpaceVerifier(
                db: db, row: id, charter: try SignedCharter(encoded: row.bytes(0)))
            let before = report.changes
            let space = try verifier.run { progress(VerifyProgress(changes: before + $0, total: total)) }
            report.spaces.append(space)
            report.changes += space.changes
            report.records += space.records
            report.problems += verifier.problems
        }
        return report
    }
}
