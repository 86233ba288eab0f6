// The digest of a space (section E of the model): equal on all nodes that hold the same changes and know the
// same vocabulary. The sum over the records is kept up as they are written, so asking costs nothing that grows with them.
//
//     records  the sum modulo 2^256 of the digest terms of all records, each read as a big-endian number
//     roster   SHA-256 of [[member, role, [suspensions in force]]…], ascending by member
//     effect   SHA-256 of [[replica, sequence, hash]…], ascending, of the effective part of each chain
//     digest   SHA-256 of ["concord digest", records, roster, effect]
//
// all in deterministic CBOR.

import CBOR
import ConcordCrypto
import ConcordModel
import GRDB

enum SpaceDigest {
    /// The digest; on the writer's queue.
    static func compute(_ space: SpaceMemory, _ db: Database) throws -> Digest {
        combine(
            records: space.terms, roster: rosterTerm(space.roster), effect: try effectTerm(space, db))
    }

    static func combine(records: DigestSum, roster: Digest, effect: Digest) -> Digest {
        var writer = CBORWriter(capacity: 128)
        writer.array(4)
        writer.text("concord digest")
        writer.digest(records.digest)
        writer.digest(roster)
        writer.digest(effect)
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
