// The signed acts of a space, as an invite hands them on: whoever holds them can fold the roster before any
// exchange.

import ConcordModel
import GRDB

extension ReplicaStore {
    /// The acts that stand in effective changes of a space, in the order of the log. O(acts).
    public func signedActs(_ space: SpaceID) throws -> [SignedAct] {
        let held = try writer.space(space)
        return try mappingErrors {
            try pool.read { db in
                var acts: [SignedAct] = []
                let rows = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT log.bytes FROM log JOIN chain ON chain.id = log.chain
                        JOIN space ON space.id = chain.space
                        WHERE space.uid = ? AND log.acts AND log.sequence <= chain.effective ORDER BY log.position
                        """, arguments: [held.space.digest.data])
                while let row = try rows.next() {
                    for entry in try Change(encoded: row.bytes(0)).entries where entry.record == nil {
                        for case .act(let signed) in entry.operations { acts.append(signed) }
                    }
                }
                return acts
            }
        }
    }
}
