// What the store found when it verified, as the local API and `concord verify` say it.

import ConcordAPI
import ConcordModel
import ConcordStore

extension VerifyDocument {
    /// The findings of the store, and of the store of files.
    init(
        _ report: VerifyReport, attachments: (checked: Int64, bytes: Int64, damaged: [BlobID]),
        references: [BlobID: [BlobReference]]
    ) {
        self.init(report)
        self.attachments = attachments.checked
        attachmentBytes = attachments.bytes
        for blob in attachments.damaged {
            let reference = references[blob]?.first
            problems.append(
                Problem(
                    code: ErrorCode.damagedBlob.rawValue,
                    message: "the file \(blob) was damaged; it is moved aside and fetched again",
                    space: reference?.space.description ?? "", dot: nil,
                    record: reference?.record.description))
        }
    }

    /// The findings of the store.
    public init(_ report: VerifyReport) {
        self.init(
            changes: report.changes, records: report.records,
            spaces: report.spaces.map {
                Space(id: $0.id, digest: $0.digest, changes: $0.changes, records: $0.records)
            },
            problems: report.problems.map {
                Problem(
                    code: $0.code, message: $0.message, space: $0.space, dot: $0.dot, record: $0.record)
            })
    }
}
