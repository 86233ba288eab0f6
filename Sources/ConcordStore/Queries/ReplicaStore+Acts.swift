// The signed acts of a space, as an invite hands them on: whoever holds them can fold the roster before any
// exchange.

import ConcordModel
import GRDB

extension ReplicaStore {
    /// The acts of a space that count, in the order of the log: permissions that stand in effective changes, and
    /// restrictions wherever they are held. O(acts).
    public func signedActs(_ space: SpaceID) throws -> [SignedAct] {
        let held = try writer.space(space)
        return try reading { db in
            var acts: [SignedAct] = []
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT log.bytes, log.sequence <= chain.effective FROM log
                    JOIN chain ON chain.id = log.chain JOIN space ON space.id = chain.space
                    WHERE space.uid = ? AND log.acts ORDER BY log.position
                    """, arguments: [held.space.digest.data])
            while let row = try rows.next() {
                let isEffective: Bool = row[1]
                for entry in try Change(encoded: row.bytes(0)).entries where entry.record == nil {
                    for case .act(let signed) in entry.operations
                    where try isEffective || Act(encoded: signed.act).isRestriction {
                        acts.append(signed)
                    }
                }
            }
            return acts
        }
    }
}
