// Which values acts of erasure order to go (Protocol/changes.md, "Erasure"). Like restrictions they count wherever they
// are held, and for good: what is gone cannot come back. What an `erase` operation orders follows from its own change
// and past instead, and is judged with it.

/// What the counted acts of erasure order.
public struct ErasureOrders: Hashable, Sendable {
    /// One entry of one change.
    public struct Order: Hashable, Comparable, Sendable {
        /// The change, by its real name: on all branches of a replica what bears it.
        public let dot: Dot
        /// Whose change it must be.
        public let member: MemberID
        /// The record whose entry loses its values.
        public let record: RecordID

        public static func < (a: Self, b: Self) -> Bool {
            (a.dot, a.member, a.record) < (b.dot, b.member, b.record)
        }
    }

    /// The orders, ascending.
    public let all: [Order]

    /// What follows from the endorsements that are held. An act of erasure counts when its subject signed it, or as
    /// many members as it takes to suspend one.
    public init(charter: Charter, endorsements: [Endorsement]) {
        var signers: [Erasure: Set<MemberID>] = [:]
        for endorsement in endorsements {
            guard case .erasure(let erasure) = endorsement.act else { continue }
            signers[erasure, default: []].insert(endorsement.signer)
        }
        var orders: Set<Order> = []
        for (act, signers) in signers
        where signers.contains(act.subject) || UInt64(signers.count) >= charter.suspensionThreshold {
            for dot in act.changes { orders.insert(Order(dot: dot, member: act.subject, record: act.record)) }
        }
        all = orders.sorted()
    }

    /// The records whose values in this change of this member are to go. O(log n).
    public func records(in dot: Dot, of member: MemberID) -> [RecordID] {
        let start = all.firstIndex(notBefore: dot, by: \.dot)
        return all[start...].prefix { $0.dot == dot }.filter { $0.member == member }.map(\.record)
    }
}

extension Change {
    /// The places of the entries on these records that have values.
    public func erasableEntries(on records: some Collection<RecordID>) -> Set<Int> {
        Set(
            entries.indices.filter { index in
                guard let record = entries[index].record, entries[index].isErasable else { return false }
                return records.contains(record)
            })
    }
}
