// What the store found when it verified, as the local API and `concord verify` say it.

import ConcordAPI
import ConcordStore

extension VerifyDocument {
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
