// What a bundle is made of, besides the log itself: what its recipients may be taken to hold, and which files go with the
// changes that it brings.

import ConcordModel
import GRDB

/// A file that a record names which is shown.
public struct NamedFile: Hashable, Sendable {
    /// The file.
    public let blob: BlobID
    /// Its bytes, as the record says.
    public let size: Int64

    /// The file of this name and size.
    public init(blob: BlobID, size: Int64) {
        self.blob = blob
        self.size = size
    }
}

extension ReplicaStore {
    /// What everybody who said to hold one of these holds, as far as it is held here, too.
    ///
    /// Of a replica that signed two changes of one number nothing is left: a number does not say which change is meant.
    public func common(_ claims: [VersionVector], in space: SpaceID) throws -> VersionVector {
        let held = try writer.space(space)
        guard let first = claims.first else { return VersionVector() }
        var common = claims.dropFirst().reduce(held.summary.vector.intersection(first)) {
            $0.intersection($1)
        }
        for chain in held.chains where held.forks[chain.replica] != nil { common[chain.name] = 0 }
        return common
    }

    /// The files that shown records of a space name, in the order in which the records came to be known here.
    ///
    /// - Parameter known: leaves out those whose records say nothing new to whoever holds this.
    public func namedFiles(_ space: SpaceID, beyond known: VersionVector) throws -> [NamedFile] {
        let held = try writer.space(space)
        let sql = """
            SELECT blob_record.blob, blob_record.size, chain.name, MAX(touch.sequence)
            FROM blob_record JOIN record ON record.id = blob_record.record
            JOIN touch ON touch.record = record.id JOIN chain ON chain.id = touch.chain
            WHERE blob_record.space = ? AND record.shown
            GROUP BY blob_record.record, touch.chain ORDER BY blob_record.record
            """
        let rows = try mappingErrors {
            try pool.read { try Row.fetchAll($0, sql: sql, arguments: [held.id]) }
        }
        var files: [NamedFile] = []
        // Two records may name one file with different sizes, of which one is wrong.
        var seen: Set<NamedFile> = []
        for row in rows where row.unsigned(3) > known[try row.replica(2)] {
            let file = NamedFile(blob: BlobID(try row.digest(0)), size: row[1])
            if seen.insert(file).inserted { files.append(file) }
        }
        return files
    }

    /// The bytes that a shown or deleted record of this space says the file to have; none if no record names it.
    public func namedSizes(of blob: BlobID, in space: SpaceID) throws -> Set<Int64> {
        let held = try writer.space(space)
        return try mappingErrors {
            try pool.read { db in
                let sql = "SELECT size FROM blob_record WHERE blob = ? AND space = ?"
                return Set(try Int64.fetchAll(db, sql: sql, arguments: [blob.digest.data, held.id]))
            }
        }
    }
}
