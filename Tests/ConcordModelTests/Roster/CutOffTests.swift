// Cut-offs: which restriction bounds which chains, which of several counts, and what lifts them.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Cut-offs")
struct CutOffTests {
    private let members: [TestMember]
    private let charter: Charter
    private let some: SomeActs
    private let laptop = NodeID(SHA256.hash([1]))
    private let server = NodeID(SHA256.hash([2]))

    init() throws {
        let members = try TestMember.all()
        self.members = members
        charter = try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(4).map(\.statement), admissionThreshold: 1,
            suspensionThreshold: 2)
        some = try SomeActs(charter.space)
    }

    private func cut(
        _ replica: ReplicaID, _ member: Int, _ endorsements: [Endorsement], on node: NodeID? = nil,
        permissions: [Endorsement]? = nil
    ) -> UInt64? {
        let roster = Roster(
            charter: charter, permissions: permissions ?? endorsements, restrictions: endorsements)
        return CutOffs(roster: roster, restrictions: endorsements)
            .cutOff(of: replica, node: node ?? server, member: members[member].id)
    }

    @Test("without restrictions nothing is bounded")
    func nothing() throws {
        #expect(CutOffs(roster: Roster(charter: charter), restrictions: []).isEmpty)
        #expect(cut(1, 0, []) == nil)
        let below = try some.endorsements(some.suspend(3), by: [0])
        #expect(cut(1, 3, below) == nil, "below its threshold a suspension bounds nothing")
    }

    @Test("a suspension bounds every chain of its subject, at 0 where it names none, and nobody else's")
    func suspension() throws {
        let act = try some.endorsements(some.suspend(3, keeps: [Dot(1, 5)]), by: [0, 1])
        #expect(cut(1, 3, act) == 5 && cut(2, 3, act) == 0 && cut(1, 2, act) == nil)
        #expect(cut(1, 3, act, on: laptop) == 5)
    }

    @Test("of several restrictions the lowest counts, and a reinstatement lifts what it names")
    func lowest() throws {
        let (first, second) = (
            some.suspend(3, keeps: [Dot(1, 5)]), some.suspend(3, keeps: [Dot(1, 9), Dot(2, 2)])
        )
        let both = try some.endorsements(first, by: [0, 1]) + some.endorsements(second, by: [0, 2])
        #expect(cut(1, 3, both) == 5 && cut(2, 3, both) == 0)
        let lifting = try some.endorsements(some.reinstate(3, [first]), by: [0])
        #expect(cut(1, 3, both + lifting) == 9 && cut(2, 3, both + lifting) == 2)
        let whole = try some.endorsements(some.reinstate(3, [first, second]), by: [0])
        #expect(cut(1, 3, both + whole) == nil)
        #expect(cut(1, 3, both + whole, permissions: []) == 5, "a reinstatement that is hidden lifts nothing")
    }

    @Test("a revocation bounds the chains of that node of its signer, for ever")
    func revocation() throws {
        let act = try some.endorsements(some.revoke(laptop, keeps: [Dot(1, 5)]), by: [3])
        #expect(cut(1, 3, act, on: laptop) == 5 && cut(2, 3, act, on: laptop) == 0)
        #expect(cut(1, 3, act, on: server) == nil && cut(1, 2, act, on: laptop) == nil)
        let again = try some.endorsements(some.revoke(laptop, keeps: [Dot(1, 9)]), by: [3])
        #expect(cut(1, 3, act + again, on: laptop) == 5)
    }

    @Test(
        "a departure bounds its subject's chains until it stands on something that the departure does not name"
    )
    func departure() throws {
        let leave = some.leave(3, [charter.space.digest], keeps: [Dot(1, 5)])
        let gone = try some.endorsements(leave, by: [3])
        #expect(cut(1, 3, gone) == 5 && cut(2, 3, gone) == 0 && cut(1, 2, gone) == nil)
        let admission = some.admit(3, at: 7)
        let back = try some.endorsements(admission, by: [0])
        #expect(cut(1, 3, gone + back) == nil)
        #expect(cut(1, 3, gone + back, permissions: []) == 5, "an admission that is hidden lifts nothing")
        let observer = try some.endorsements(some.admit(3, .observer, at: 8), by: [0])
        #expect(cut(1, 3, gone + observer) == 5, "an observer has not returned as a member")
        let again = some.leave(3, [charter.space.digest, admission.hash], keeps: [Dot(1, 20)], at: 9)
        let left = try some.endorsements(again, by: [3])
        #expect(cut(1, 3, gone + back + left) == 20, "the first departure stays lifted")
    }

    @Test("a departure that leaves something to stand on bounds nothing")
    func partialDeparture() throws {
        let admission = some.admit(3, at: 7)
        let acts =
            try some.endorsements(admission, by: [0])
            + some.endorsements(some.leave(3, [admission.hash]), by: [3])
        #expect(cut(1, 3, acts) == nil)
    }

    @Test("a suspended member that leaves stays bounded by its suspension")
    func leavingSuspended() throws {
        let suspension = try some.endorsements(some.suspend(3, keeps: [Dot(1, 5)]), by: [0, 1])
        let leave = try some.endorsements(some.leave(3, [charter.space.digest], keeps: [Dot(1, 99)]), by: [3])
        #expect(cut(1, 3, suspension + leave) == 5)
        let back = try some.endorsements(some.admit(3, at: 7), by: [0])
        #expect(cut(1, 3, suspension + leave + back) == 5)
    }
}
