// The digest of a space (section E of the model): equal on all nodes that hold the same changes and know the
// same vocabulary. Only buckets that changed since it was last asked for are read again.
//
//     bucket   SHA-256 of [[id, term]…], ascending by id, of the records whose id ends in its twelve bits
//     roster   SHA-256 of [[member, role, [suspensions in force]]…], ascending by member
//     effect   SHA-256 of [[replica, sequence, hash]…], ascending, of the effective part of each chain
//     digest   SHA-256 of ["concord digest", SHA-256 of all 4,096 bucket digests, roster, effect]
//
// all in deterministic CBOR.

import CBOR
import ConcordCrypto
import ConcordModel
import GRDB

enum SpaceDigest {
    /// The digest, from the buckets that are stored and those that must be recomputed; on the writer's queue.
    ///
    /// - Parameter storing: whether what is recomputed may be written down.
    static func compute(_ space: SpaceMemory, _ db: Database, storing: Bool) throws -> Digest {
        try readBuckets(space, db)
        if !space.buckets.dirty.isEmpty { try refreshBuckets(space, db, storing: storing) }
        return combine(
            buckets: space.buckets.digests, roster: rosterTerm(space.roster),
            effect: try effectTerm(space, db))
    }

    static func combine(buckets: [Digest], roster: Digest, effect: Digest) -> Digest {
        var all: [UInt8] = []
        all.reserveCapacity(buckets.count * Digest.byteCount)
        for digest in buckets { digest.append(to: &all) }
        var writer = CBORWriter(capacity: 128)
        writer.array(4)
        writer.text("concord digest")
        writer.digest(SHA256.hash(all))
        writer.digest(roster)
        writer.digest(effect)
        return SHA256.hash(writer.bytes)
    }

    /// The digest of a bucket with these records, which are ascending.
    static func bucket(_ terms: [(id: RecordID, term: Digest)]) -> Digest {
        var writer = CBORWriter(capacity: terms.count * 53 + 4)
        writer.array(terms.count)
        for (id, term) in terms {
            writer.array(2)
            writer.byteString(id.bytes)
            writer.digest(term)
        }
        return SHA256.hash(writer.bytes)
    }

    static func rosterTerm(_ roster: Roster) -> Digest {
        var writer = CBORWriter(capacity: roster.entries.count * 40 + 4)
        writer.array(roster.entries.count)
        for entry in roster.entries {
            writer.array(3)
            writer.digest(entry.statement.id.digest)
            writer.unsigned(entry.role.rawValue)
            writer.array(entry.suspensions.count)
            for suspension in entry.suspensions { writer.digest(suspension) }
        }
        return SHA256.hash(writer.bytes)
    }

    private static let empty = bucket([])

    /// Reads the digests of the buckets that have one, the first time.
    private static func readBuckets(_ space: SpaceMemory, _ db: Database) throws {
        guard space.buckets.digests.isEmpty else { return }
        var digests = [Digest](repeating: empty, count: Buckets.count)
        let sql = "SELECT bucket, digest FROM bucket WHERE space = ? AND digest IS NOT NULL"
        for row in try Row.fetchAll(db, sql: sql, arguments: [space.id]) {
            guard digests.indices.contains(row[0]) else { throw damaged("there is a bucket too many") }
            digests[row[0]] = try row.digest(1)
        }
        space.buckets.digests = digests
    }

    private static func refreshBuckets(_ space: SpaceMemory, _ db: Database, storing: Bool) throws {
        let sql = "SELECT uid, term FROM record WHERE space = ? AND bucket = ? ORDER BY uid"
        let read = try db.cachedStatement(sql: sql)
        for bucket in space.buckets.dirty {
            var terms: [(id: RecordID, term: Digest)] = []
            let rows = try Row.fetchCursor(read, arguments: [space.id, bucket])
            while let row = try rows.next() { terms.append((try row.record(0), try row.digest(1))) }
            space.buckets.digests[bucket] = Self.bucket(terms)
        }
        guard storing else { return }
        let store = try db.cachedStatement(
            sql: "UPDATE bucket SET digest = ?, dirty = 0 WHERE space = ? AND bucket = ?")
        try db.inTransaction(.immediate) {
            for bucket in space.buckets.dirty {
                try store.execute(arguments: [space.buckets.digests[bucket].data, space.id, bucket])
            }
            return .commit
        }
        space.buckets.clean()
    }

    private static func effectTerm(_ space: SpaceMemory, _ db: Database) throws -> Digest {
        var heads: [(dot: Dot, hash: Digest)] = []
        for place in space.order {
            let chain = space.chains[place]
            guard chain.effective > 0 else { continue }
            var hash = chain.hash
            if chain.effective < chain.sequence {
                let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
                let row = try Row.fetchOne(db, sql: sql, arguments: [chain.id, chain.effective.stored])
                guard let row else { throw damaged("an effective change is missing from the log") }
                hash = try row.digest(0)
            }
            heads.append((Dot(chain.replica, chain.effective), hash))
        }
        return PublishedSpace.hash(heads.sorted { ($0.dot, $0.hash) < ($1.dot, $1.hash) })
    }
}
