// What a person asks of the replica as a whole: conflicts, search, the log; and its care: verification and
// backups.

import ConcordAPI
import ConcordModel
import ConcordStore
import Logging

extension StoreServices {
    public func conflicts(in text: String?) async throws -> RecordsDocument {
        RecordsDocument(records: try store.conflicts(space: try text.map { try space($0).id }).map(\.listed))
    }

    public func search(
        _ text: String, kind: UTF8Text?, space: String?, limit: Int
    ) async throws -> SearchDocument {
        if let kind { _ = try Self.kind(kind) }
        let space = try space.map { try self.space($0).id }
        let hits = try await store.search(text, kind: kind, space: space, limit: limit)
        return SearchDocument(hits: hits.map { .init(record: $0.record.listed, snippet: $0.snippet) })
    }

    public func log(_ selection: LogSelection) async throws -> LogListDocument {
        let query = LogQuery(
            space: try selection.space.map { try space($0).id },
            record: try selection.record.map { try Named(try store.record(idPrefix: $0)).id },
            member: selection.member, since: selection.since, limit: selection.limit)
        return LogListDocument(changes: try store.log(query))
    }

    public func verify() async throws -> VerifyDocument {
        let report = VerifyDocument(
            try await store.verify(), attachments: try await attachments.verify(),
            references: await attachments.references)
        let counts: Logger.Metadata = [
            "changes": "\(report.changes)", "records": "\(report.records)",
            "attachments": "\(report.attachments ?? 0)",
        ]
        if report.isClean {
            logger.info("the log and the visible state verify", metadata: counts)
        } else {
            let failure = ConcordError(
                .verificationFailed, "verification found \(report.problems.count) problems")
            logger.report(failure, at: .critical, counts)
        }
        return report
    }

    public func backup(to path: String) async throws -> BackupDocument {
        guard path.hasPrefix("/") else {
            throw ConcordError(
                .malformedRequest, "the path of a backup must be absolute, “\(path.prefix(256))” is not")
        }
        return try await backups.make(path, now: clock())
    }

    public func backups() async throws -> BackupsDocument { await backups.list() }
}
