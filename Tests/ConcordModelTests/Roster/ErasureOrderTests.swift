// Acts of erasure: who must sign them, and what they name.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Acts of erasure")
struct ErasureOrderTests {
    private let members: [TestMember]
    private let charter: Charter
    private let some: SomeActs

    init() throws {
        let members = try TestMember.all()
        self.members = members
        charter = try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(4).map(\.statement), admissionThreshold: 1,
            suspensionThreshold: 3)
        some = try SomeActs(charter.space)
    }

    private func orders(_ endorsements: [Endorsement]) -> ErasureOrders {
        ErasureOrders(charter: charter, endorsements: endorsements)
    }

    @Test("an act counts when its subject signed it, or as many as it takes to suspend")
    func threshold() throws {
        let act = some.erase(3, [Dot(1, 5)])
        for signers in [[0], [0, 1], [0, 1, 1, 0]] {
            #expect(orders(try some.endorsements(act, by: signers)).all.isEmpty, "\(signers)")
        }
        for signers in [[3], [0, 1, 2], [0, 3]] {
            #expect(orders(try some.endorsements(act, by: signers)).all.count == 1, "\(signers)")
        }
    }

    @Test("an act names entries of one record in changes of its subject, and nothing else")
    func names() throws {
        let act = try some.endorsements(some.erase(3, [Dot(1, 5), Dot(2, 1)], record: 7), by: [3])
        let other = try some.endorsements(some.erase(3, [Dot(1, 5)], record: 8), by: [3])
        let orders = orders(act + other + act)
        #expect(orders.records(in: Dot(1, 5), of: members[3].id) == [7, 8])
        #expect(orders.records(in: Dot(2, 1), of: members[3].id) == [7])
        #expect(orders.records(in: Dot(1, 4), of: members[3].id).isEmpty)
        #expect(orders.records(in: Dot(1, 5), of: members[2].id).isEmpty)
        #expect(self.orders(other + act).all == orders.all)
    }
}
