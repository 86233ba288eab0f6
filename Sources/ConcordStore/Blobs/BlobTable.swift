// The table of which record names which file, kept with the records in the transaction that changes them.

import ConcordModel
import GRDB

enum BlobTable {
    /// Notes what the records show now; those that are gone name nothing.
    static func write(_ works: [RecordWork], in space: Int64, _ db: Database) throws {
        for work in works {
            guard !work.isRemoved, let file = file(of: work.state) else {
                try db.cachedStatement(sql: "DELETE FROM blob_record WHERE record = ?")
                    .execute(arguments: [work.row])
                continue
            }
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO blob_record VALUES (?, ?, ?, ?)")
                .execute(arguments: [work.row, space, file.blob.digest.data, file.size])
        }
    }

    /// The file that a record shows; nil for one that names none, as others may write anything.
    private static func file(of state: RecordState) -> (blob: BlobID, size: Int64)? {
        guard case .text(let text)? = state.register("blob")?.values.first?.value,
            case .integer(let size)? = state.register("size")?.values.first?.value, size >= 0,
            let blob = BlobID(hex: text.string)
        else { return nil }
        return (blob, size)
    }
}
