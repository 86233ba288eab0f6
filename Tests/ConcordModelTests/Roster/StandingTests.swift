// Who is in standing: suspension and reinstatement, departure and return, and whose records a member owns.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Roster: standing")
struct StandingTests {
    private let members: [TestMember]
    private let charter: Charter
    private let some: SomeActs

    init() throws {
        let members = try TestMember.all()
        self.members = members
        charter = try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(4).map(\.statement), admissionThreshold: 2,
            suspensionThreshold: 3)
        some = try SomeActs(charter.space)
    }

    private func roster(_ endorsements: [Endorsement]...) -> Roster {
        Roster(charter: charter, endorsements: endorsements.flatMap { $0 })
    }

    private func id(_ member: Int) -> MemberID { members[member].id }

    /// Whether a roster takes this member's signature under the act as an endorsement.
    private func counts(_ form: some FormalAct, by signer: Int, key: Int? = nil, on roster: Roster) throws
        -> Bool
    {
        roster.endorsement(of: try some.sign(form, as: signer, key: key), in: charter.space) != nil
    }

    // MARK: Suspension

    @Test("a suspension is in force from its threshold of distinct signers of the same bytes on")
    func suspensionThreshold() throws {
        let (act, other) = (some.suspend(3), some.suspend(3, at: 9))
        for signers in [[], [0], [0, 1], [0, 1, 1, 0]] {
            let roster = roster(try some.endorsements(act, by: signers))
            #expect(roster.role(id(3)) == .member && roster.suspended.isEmpty, "\(signers)")
        }
        let two = try some.endorsements(act, by: [0, 1])
        let elsewhere = try some.endorsements(other, by: [2])
        #expect(roster(two, elsewhere).role(id(3)) == .member, "signatures under two acts do not add up")
        let roster = roster(two, try some.endorsements(act, by: [2]))
        #expect(roster.role(id(3)) == nil && roster.entry(id(3))?.suspensions == [act.hash])
        #expect(roster.isSuspended(id(3), by: act.hash) && roster.isAdmitted(id(3)))
    }

    @Test("neither an observer nor the subject nor a suspended member signs what members decide")
    func signers() throws {
        let observer = roster(try some.endorsements(some.admit(4, .observer), by: [0, 1]))
        let suspended = roster(try some.endorsements(some.suspend(3), by: [0, 1, 2]))
        let decisions: [any FormalAct] = [
            some.admit(5), some.suspend(1), some.reinstate(1, [some.suspend(1)]), some.appoint("chair", [1]),
            some.endorse("text"), some.erase(1, [Dot(1, 1)]),
        ]
        for act in decisions {
            #expect(try counts(act, by: 0, on: observer))
            #expect(try !counts(act, by: 4, on: observer), "an observer: \(act)")
            #expect(try !counts(act, by: 3, on: suspended), "a suspended member: \(act)")
            #expect(try !counts(act, by: 5, on: observer), "a stranger: \(act)")
        }
        #expect(try !counts(some.suspend(1), by: 1, on: observer))
        #expect(try !counts(some.admit(1, .member), by: 1, on: observer))
        let lifting = some.reinstate(3, [some.suspend(3)])
        #expect(try !counts(lifting, by: 3, on: observer), "the subject of a reinstatement")
    }

    @Test("a suspended member may still leave, rotate, revoke its nodes and have its own values erased")
    func suspendedSigners() throws {
        let suspended = roster(try some.endorsements(some.suspend(3), by: [0, 1, 2]))
        let own: [any FormalAct] = [
            some.leave(3, [charter.space.digest]), try some.rotate(3, from: 3, to: 5),
            some.revoke(NodeID(SHA256.hash([1]))), some.erase(3, [Dot(1, 1)]),
        ]
        for act in own { #expect(try counts(act, by: 3, on: suspended), "\(act)") }
        #expect(try !counts(some.leave(3, [charter.space.digest]), by: 0, on: suspended))
        #expect(try !counts(some.rotate(3, from: 3, to: 5), by: 0, on: suspended))
    }

    @Test("a reinstatement lifts the suspensions that it names, and only its own subject's")
    func reinstatement() throws {
        let (first, second, others) = (some.suspend(3), some.suspend(3, at: 2), some.suspend(2))
        let suspensions =
            try some.endorsements(first, by: [0, 1, 2]) + some.endorsements(second, by: [0, 1, 2])
            + some.endorsements(others, by: [0, 1, 3])
        let partly = roster(suspensions, try some.endorsements(some.reinstate(3, [first]), by: [0, 1]))
        #expect(partly.entry(id(3))?.suspensions == [second.hash] && partly.role(id(3)) == nil)
        let whole = roster(
            suspensions, try some.endorsements(some.reinstate(3, [first, second]), by: [0, 1]))
        #expect(whole.role(id(3)) == .member && whole.role(id(2)) == nil)
        let smuggled = some.reinstate(3, [first, second, others])
        let roster = roster(suspensions, try some.endorsements(smuggled, by: [0, 1]))
        #expect(roster.entry(id(2))?.suspensions == [others.hash], "the other's stays in force")
        let below = self.roster(
            suspensions, try some.endorsements(some.reinstate(3, [first, second]), by: [0]))
        #expect(below.role(id(3)) == nil)
    }

    @Test("a reinstatement lifts nothing that it does not name, also what comes later")
    func laterSuspension() throws {
        let (first, later) = (some.suspend(3), some.suspend(3, at: 5))
        let roster = roster(
            try some.endorsements(first, by: [0, 1, 2]),
            try some.endorsements(some.reinstate(3, [first]), by: [0, 1]),
            try some.endorsements(later, by: [0, 1, 2]))
        #expect(roster.entry(id(3))?.suspensions == [later.hash])
    }

    // MARK: Departure and return

    @Test("who gives up all that it stands on is off the roster, and a later admission brings it back")
    func departure() throws {
        let leave = try some.endorsements(some.leave(3, [charter.space.digest]), by: [3])
        let gone = roster(leave)
        #expect(gone.entry(id(3)) == nil && gone.role(id(3)) == nil)
        #expect(gone.isAdmitted(id(3)), "what it wrote is for the cut-offs to judge")
        let back = try some.endorsements(some.admit(3, at: 7), by: [0, 1])
        let returned = roster(leave, back)
        #expect(returned.role(id(3)) == .member && returned.entry(id(3))?.isFounder == false)
        let all = [charter.space.digest, some.admit(3, at: 7).hash].sorted()
        #expect(returned.entry(id(3))?.standing == all)
        let again = try some.endorsements(some.leave(3, all, at: 8), by: [3])
        #expect(roster(leave, back, again).entry(id(3)) == nil)
    }

    @Test("who gives up one of two admissions stays by the other")
    func partialDeparture() throws {
        let (observer, member) = (some.admit(4, .observer), some.admit(4, .member))
        let admitted =
            try some.endorsements(observer, by: [0, 1]) + some.endorsements(member, by: [0, 1])
        #expect(roster(admitted).role(id(4)) == .member)
        let asObserver = roster(admitted, try some.endorsements(some.leave(4, [member.hash]), by: [4]))
        #expect(asObserver.role(id(4)) == .observer)
        let gone = roster(
            admitted, try some.endorsements(some.leave(4, [member.hash, observer.hash]), by: [4]))
        #expect(gone.entry(id(4)) == nil)
    }

    @Test("nobody gives up what is another's")
    func foreignStanding() throws {
        let admission = some.admit(4)
        let roster = roster(
            try some.endorsements(admission, by: [0, 1]),
            try some.endorsements(some.leave(3, [admission.hash]), by: [3]))
        #expect(roster.role(id(4)) == .member && roster.role(id(3)) == .member)
    }

    @Test("leaving and coming back does not wash off a suspension")
    func suspensionStays() throws {
        let act = some.suspend(3)
        let history =
            try some.endorsements(act, by: [0, 1, 2])
            + some.endorsements(some.leave(3, [charter.space.digest]), by: [3])
        let gone = roster(history)
        #expect(gone.entry(id(3)) == nil && gone.isSuspended(id(3), by: act.hash))
        let back = roster(history, try some.endorsements(some.admit(3, at: 7), by: [0, 1]))
        #expect(back.entry(id(3))?.suspensions == [act.hash] && back.role(id(3)) == nil)
    }

    // MARK: Predecessors

    @Test("an heir owns the records of those whose place it took, and of those before them")
    func succession() throws {
        let heir = try some.endorsements(some.admit(4, after: 3), by: [0, 1])
        let grandchild = try some.endorsements(some.admit(5, .observer, after: 4), by: [0, 1])
        let roster = roster(heir, grandchild)
        #expect(roster.owns(id(4), recordsOf: id(3)) && roster.owns(id(5), recordsOf: id(3)))
        #expect(roster.owns(id(5), recordsOf: id(4)) && roster.owns(id(3), recordsOf: id(3)))
        #expect(!roster.owns(id(3), recordsOf: id(4)) && !roster.owns(id(4), recordsOf: id(2)))
        #expect(roster.entry(id(4))?.predecessors == [id(3)])
        let below = self.roster(try some.endorsements(some.admit(4, after: 3), by: [0]))
        #expect(!below.owns(id(4), recordsOf: id(3)))
        let left = self.roster(
            heir, grandchild, try some.endorsements(some.leave(4, [some.admit(4, after: 3).hash]), by: [4]))
        #expect(left.owns(id(5), recordsOf: id(3)), "the line is not broken when one in it leaves")
    }

    @Test("predecessors in a circle own each other's records, and nobody waits for ever")
    func circle() throws {
        let roster = roster(
            try some.endorsements(some.admit(4, after: 5), by: [0, 1]),
            try some.endorsements(some.admit(5, after: 4), by: [0, 1]))
        #expect(roster.owns(id(4), recordsOf: id(5)) && roster.owns(id(5), recordsOf: id(4)))
        #expect(!roster.owns(id(4), recordsOf: id(0)))
    }

    // MARK: The fold

    @Test("restrictions count from one set of endorsements, permissions from the other")
    func twoSets() throws {
        let suspension = some.suspend(3)
        let restrictive = try some.endorsements(suspension, by: [0, 1, 2])
        let permissive =
            try some.endorsements(some.admit(4), by: [0, 1])
            + some.endorsements(some.reinstate(3, [suspension]), by: [0, 1])
        let hidden = Roster(charter: charter, permissions: [], restrictions: restrictive + permissive)
        #expect(hidden.role(id(3)) == nil && hidden.role(id(4)) == nil)
        let effective = Roster(charter: charter, permissions: permissive, restrictions: restrictive)
        #expect(effective.role(id(3)) == .member && effective.role(id(4)) == .member)
        let reversed = Roster(charter: charter, permissions: restrictive, restrictions: [])
        #expect(reversed == Roster(charter: charter))
    }

    @Test("order and repetition of acts of all kinds do not matter", arguments: 0..<60 as Range<UInt64>)
    func order(seed: UInt64) throws {
        var random = Seeded(seed)
        let suspensions = (0..<3).map { some.suspend(2 + random.below(3), keeps: [Dot(1, 5)], at: Int64($0)) }
        let appointments = (0..<2).map { some.appoint("chair", [random.below(4)], at: Int64($0)) }
        var acts: [any FormalAct] = suspensions + appointments
        acts += (0..<4).map {
            some.admit(
                2 + random.below(4), random.chance(60) ? .member : .observer,
                after: random.chance(30) ? random.below(6) : nil, at: Int64($0))
        }
        acts.append(
            some.reinstate(suspensions[0].subject == id(2) ? 2 : 3, [suspensions[0], suspensions[1]]))
        acts.append(some.appoint("chair", [random.below(4)], replacing: appointments, at: 3))
        acts.append(some.leave(3, [charter.space.digest, acts[5].hash]))
        acts.append(try some.rotate(random.below(3), from: random.below(3), to: 3 + random.below(3)))
        acts.append(try some.rotate(random.below(3), from: random.below(3), to: 3 + random.below(3), at: 1))
        acts.append(some.revoke(NodeID(SHA256.hash([1]))))
        var all: [Endorsement] = []
        for act in acts {
            all += try some.endorsements(act, by: (0..<1 + random.below(5)).map { _ in random.below(4) })
        }
        let expected = Roster(charter: charter, endorsements: all)
        let cuts = CutOffs(roster: expected, restrictions: all)
        for _ in 0..<4 {
            let again = all.shuffled(using: &random) + all.filter { _ in random.chance(30) }
            let roster = Roster(charter: charter, endorsements: again)
            #expect(roster == expected, "seed \(seed)")
            let same = CutOffs(roster: roster, restrictions: again)
            for member in members {
                for node in [NodeID(SHA256.hash([1])), NodeID(SHA256.hash([2]))] {
                    #expect(
                        same.cutOff(of: 1, node: node, member: member.id)
                            == cuts.cutOff(of: 1, node: node, member: member.id), "seed \(seed)")
                }
            }
        }
    }
}
