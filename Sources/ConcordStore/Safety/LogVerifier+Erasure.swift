// Erasure, as the log alone says: whatever is ordered to go is gone, and nothing is missing that was not.

import ConcordModel
import GRDB

/// One entry of one change, by the name of its chain.
struct NaiveErasure: Hashable, Comparable {
    let dot: Dot
    let record: RecordID

    static func < (a: Self, b: Self) -> Bool { (a.dot, a.record) < (b.dot, b.record) }
}

extension LogVerifier {
    /// Notes what is missing in a change, and what its operations order.
    mutating func noteErasures(_ change: Change, _ dot: Dot, isMember: Bool) {
        for entry in change.entries {
            guard let record = entry.record else { continue }
            if entry.isErased { missing.insert(NaiveErasure(dot: dot, record: record)) }
            guard isMember, let author = chains[dot.replica]?.member else { continue }
            for operation in entry.operations {
                guard case .erase(let dots, _) = named(operation) else { continue }
                for other in dots where past(of: dot).contains(other) {
                    guard let member = chains[other.replica]?.member,
                        owns(author, recordsOf: member, at: dot)
                    else { continue }
                    ordered.insert(NaiveErasure(dot: other, record: record))
                }
            }
        }
    }

    /// Compares what is missing with what all orders together name.
    mutating func checkErasures() throws {
        let acts = ErasureOrders(charter: charter, endorsements: endorsements.values.flatMap { $0 })
        for order in acts.all {
            for chain in chains.values
            where chain.replica == order.dot.replica && chain.member == order.member
                && (chain.start...max(chain.start, chain.sequence)).contains(order.dot.sequence)
            {
                ordered.insert(NaiveErasure(dot: Dot(chain.name, order.dot.sequence), record: order.record))
            }
        }
        if let surplus = missing.subtracting(ordered).min() {
            throw Divergence(
                code: .erasureMissing,
                message: "its values are missing, and no erasure that is held orders it",
                dot: surplus.dot, record: surplus.record)
        }
        for order in ordered.subtracting(missing).sorted() where try hasValues(order) {
            throw Divergence(
                code: .verificationFailed,
                message: "its values are ordered to be erased, and are still there",
                dot: order.dot, record: order.record)
        }
    }

    private func hasValues(_ order: NaiveErasure) throws -> Bool {
        guard let chain = chains[order.dot.replica] else { return false }
        let sql = "SELECT bytes FROM log WHERE chain = ? AND sequence = ?"
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [chain.id, order.dot.sequence.stored])
        return try row.map { !(try Change(encoded: $0.bytes(0))).erasableEntries(on: [order.record]).isEmpty }
            ?? false
    }
}
