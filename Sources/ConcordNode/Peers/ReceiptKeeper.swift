// Receipts between sessions and the replica. Only true ones are kept: signed by a node that an authority of a member on
// the roster certified. What a hostile member can do with nodes of its own is bounded in number, so that its receipts
// neither fill the database nor the links of those who pass them on.

import ConcordCrypto
import ConcordModel
import ConcordStore

/// Reads and keeps the receipts of spaces.
struct ReceiptKeeper: Sendable {
    /// What became of receipts that a peer sent.
    struct Kept: Sendable {
        /// Those that are newer than what was kept before.
        var new: [Receipt] = []
        /// How many are not true.
        var refused = 0
        /// Why the first of these is not.
        var refusal: ConcordError?
    }

    let store: ReplicaStore

    /// All receipts that are kept for a space, ascending by node.
    func all(of space: SpaceID) throws -> [Receipt] {
        try store.receipts(space).map { try Receipt(encoded: $0.bytes) }
    }

    /// Verifies receipts and keeps those that are true and new.
    ///
    /// - Parameter isCarried: whether a person brought them, in a bundle: then they may follow one another closely.
    func keep(_ receipts: [Receipt], in space: SpaceID, now: Int64, isCarried: Bool = false) async throws
        -> Kept
    {
        let roster = try store.roster(space)
        var present = Dictionary(try store.receipts(space).map { ($0.node, $0) }) { $1 }
        var kept = Kept()
        var accepted: [NodeID: Receipt] = [:]
        for receipt in receipts {
            do {
                guard
                    try Self.isWanted(
                        receipt, present, roster, space, now,
                        interval: isCarried ? 1 : Limits.receiptInterval / 2)
                else { continue }
                present[receipt.node] = StoredReceipt(receipt)
                accepted[receipt.node] = receipt
            } catch let error as ConcordError {
                kept.refused += 1
                kept.refusal = kept.refusal ?? error
            }
        }
        let offered = accepted.values.sorted { $0.node < $1.node }
        guard !offered.isEmpty else { return kept }
        let newer = Set(try await store.keep(offered.map { StoredReceipt($0) }, in: space).map(\.node))
        kept.new = offered.filter { newer.contains($0.node) }
        return kept
    }

    /// Whether a receipt is new enough to be kept.
    ///
    /// - Throws: ``ConcordError`` E-3018 if it is not true, or one too many of its member.
    private static func isWanted(
        _ receipt: Receipt, _ present: [NodeID: StoredReceipt], _ roster: Roster, _ space: SpaceID,
        _ now: Int64, interval: Int64
    ) throws -> Bool {
        guard receipt.space == space, let entry = roster.entry(receipt.member) else {
            throw ConcordError(.badReceipt, "a receipt is refused: its member is not on the roster")
        }
        guard !roster.isRevoked(receipt.node, of: receipt.member) else {
            throw ConcordError(.badReceipt, "a receipt is refused: its node was revoked")
        }
        if let earlier = present[receipt.node] {
            // An honest node signs one in ten minutes; its clock may be set in between.
            guard receipt.timestamp >= earlier.timestamp + interval else { return false }
        } else {
            let others = present.values.count { $0.member == receipt.member }
            guard others < Limits.receiptsPerMember else {
                throw ConcordError(.badReceipt, "a receipt is refused: too many nodes of its member have one")
            }
        }
        try receipt.verify(authorities: entry.authorities + entry.formerAuthorities, now: now)
        return true
    }
}

extension StoredReceipt {
    /// The receipt as the store keeps it.
    init(_ receipt: Receipt) {
        self.init(
            node: receipt.node, member: receipt.member, timestamp: receipt.timestamp, bytes: receipt.encoded)
    }
}
