// The latest receipt of each node, as bytes: what it says and whether it is genuine is for those who make and check
// receipts (ConcordModel/Receipt.swift).

import ConcordModel
import Foundation
import GRDB

/// A receipt that is kept.
public struct StoredReceipt: Hashable, Sendable {
    /// The node that signed it.
    public let node: NodeID
    /// The node's member.
    public let member: MemberID
    /// Milliseconds since 1970 on the node's clock.
    public let timestamp: Int64
    /// The receipt as it travels.
    public let bytes: [UInt8]

    /// A receipt of these parts.
    public init(node: NodeID, member: MemberID, timestamp: Int64, bytes: [UInt8]) {
        self.node = node
        self.member = member
        self.timestamp = timestamp
        self.bytes = bytes
    }
}

extension ReplicaStore {
    /// The receipts that are kept for a space, ascending by node.
    public func receipts(_ space: SpaceID) throws -> [StoredReceipt] {
        let held = try writer.space(space)
        return try reading { db in
            let sql = "SELECT node, member, at, bytes FROM receipt WHERE space = ? ORDER BY node"
            return try Row.fetchAll(db, sql: sql, arguments: [held.id]).map { row in
                StoredReceipt(
                    node: NodeID(try row.digest(0)), member: MemberID(try row.digest(1)),
                    timestamp: row[2],
                    bytes: row.bytes(3))
            }
        }
    }

    /// Keeps receipts that were verified; of each node the latest.
    ///
    /// - Returns: those that are newer than what was kept.
    public func keep(_ receipts: [StoredReceipt], in space: SpaceID) async throws -> [StoredReceipt] {
        let held = try writer.space(space)
        return try await writer.runLocal { db in
            var newer: [StoredReceipt] = []
            for receipt in receipts {
                try db.execute(
                    sql: """
                        INSERT INTO receipt VALUES (?, ?, ?, ?, ?) ON CONFLICT (space, node) DO UPDATE
                        SET member = excluded.member, at = excluded.at, bytes = excluded.bytes
                        WHERE excluded.at > receipt.at
                        """,
                    arguments: [
                        held.id, receipt.node.digest.data, receipt.member.digest.data, receipt.timestamp,
                        Data(receipt.bytes),
                    ])
                if db.changesCount > 0 { newer.append(receipt) }
            }
            return newer
        }
    }
}
