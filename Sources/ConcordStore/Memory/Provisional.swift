// What a peer hears of chains with changes whose values are missing although nothing that is held orders them to go.
// Either the erasure is still on its way, or somebody took the values out of what was passed on. So such a chain counts
// as held only up to the change before: whoever holds more sends the rest again, and with it the values or the erasure.

import ConcordCrypto
import ConcordModel
import GRDB

enum Provisional {
    /// The summary of what is held without what is provisional.
    static func summary(_ space: PublishedSpace, _ db: Database) throws -> HeldSummary {
        var left: [Chain] = []
        var ends: [ReplicaID: UInt64] = [:]
        // By start: a branch comes after the chain that it leaves.
        for chain in space.chains.sorted(by: { ($0.start, $0.name) < ($1.start, $1.name) }) {
            if let parent = chain.parent, ends[parent] ?? 0 < chain.start - 1 { continue }
            var chain = chain
            if let first = space.provisional[chain.name] { try cut(&chain, before: first, db) }
            ends[chain.name] = chain.sequence
            left.append(chain)
        }
        let cut = space.summary(of: left.sorted { $0.name < $1.name })
        // Equal only where the same is held, whole or not: what follows a provisional change must not be lost of sight.
        let hash = SHA256.hash(space.summary.hash.bytes, cut.hash.bytes)
        return HeldSummary(vector: cut.vector, heads: cut.heads, hash: hash, position: cut.position)
    }

    /// Whether the visible state depends on a provisional change: then others may see something else.
    static func isVisible(_ space: PublishedSpace) -> Bool {
        space.provisional.contains { name, first in space.chain(name).map { $0.effective >= first } ?? false }
    }

    private static func cut(_ chain: inout Chain, before first: UInt64, _ db: Database) throws {
        chain.sequence = first - 1
        guard !chain.isEmpty else { return }
        let sql = "SELECT hash FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, chain.sequence.stored])
        guard let row else { throw damaged("change \(chain.head) is missing from the log") }
        chain.hash = try row.digest(0)
    }
}
