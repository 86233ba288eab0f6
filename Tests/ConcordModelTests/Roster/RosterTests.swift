// The roster as the fold of endorsements: thresholds, observers, independence of order, and which signed acts are
// valid endorsements at all.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Roster")
struct RosterTests {
    private let members: [TestMember]

    init() throws { members = try TestMember.all() }

    /// A charter by the first members.
    private func charter(founders: Int, admission: UInt64) throws -> Charter {
        try Charter(
            name: "Space", timestamp: 1, founders: members.prefix(founders).map(\.statement),
            admissionThreshold: admission, suspensionThreshold: 2)
    }

    private func admission(_ subject: Int, _ role: Role, in charter: Charter, at timestamp: Int64 = 1)
        -> Admission
    {
        Admission(
            space: charter.space, subject: members[subject].statement, role: role, predecessor: nil,
            timestamp: timestamp)
    }

    private func endorsements(_ admission: Admission, by signers: [Int]) -> [Endorsement] {
        signers.map {
            Endorsement(
                signer: members[$0].id, hash: SHA256.hash(admission.encoded), act: .admission(admission))
        }
    }

    @Test("founders are members, ascending by id, and nobody else is there")
    func founders() throws {
        let roster = Roster(charter: try charter(founders: 3, admission: 1))
        #expect(roster.entries.map(\.statement.id) == members.prefix(3).map(\.id).sorted())
        #expect(roster.entries.allSatisfy { $0.isFounder && $0.role == .member })
        for member in members.prefix(3) { #expect(roster.role(member.id) == .member) }
        for member in members.dropFirst(3) {
            #expect(roster.role(member.id) == nil && roster.entry(member.id) == nil)
        }
    }

    @Test("an admission counts from its threshold on, of distinct members")
    func threshold() throws {
        for threshold in 1...3 {
            let charter = try charter(founders: 4, admission: UInt64(threshold))
            let admission = admission(5, .member, in: charter)
            for signers in 0...4 {
                let roster = Roster(
                    charter: charter, endorsements: endorsements(admission, by: Array(0..<signers)))
                #expect((roster.role(members[5].id) != nil) == (signers >= threshold))
            }
            let repeated = Roster(charter: charter, endorsements: endorsements(admission, by: [1, 1, 1, 1]))
            #expect((repeated.role(members[5].id) != nil) == (threshold == 1))
        }
    }

    @Test("endorsements of two different acts on one subject do not add up")
    func twoActs() throws {
        let charter = try charter(founders: 3, admission: 2)
        let first = endorsements(admission(5, .member, in: charter, at: 1), by: [0])
        let second = endorsements(admission(5, .member, in: charter, at: 2), by: [1])
        #expect(Roster(charter: charter, endorsements: first + second).role(members[5].id) == nil)
        let third = endorsements(admission(5, .member, in: charter, at: 2), by: [2])
        #expect(Roster(charter: charter, endorsements: first + second + third).role(members[5].id) == .member)
    }

    @Test("whoever was admitted as observer and as member is a member, and a founder stays one")
    func observers() throws {
        let charter = try charter(founders: 2, admission: 1)
        let observer = endorsements(admission(4, .observer, in: charter), by: [0])
        let member = endorsements(admission(4, .member, in: charter), by: [1])
        let founder = endorsements(admission(1, .observer, in: charter), by: [0])
        #expect(Roster(charter: charter, endorsements: observer).role(members[4].id) == .observer)
        #expect(Roster(charter: charter, endorsements: observer + member).role(members[4].id) == .member)
        #expect(Roster(charter: charter, endorsements: member + observer).role(members[4].id) == .member)
        let roster = Roster(charter: charter, endorsements: founder)
        #expect(roster.role(members[1].id) == .member && roster.entry(members[1].id)?.isFounder == true)
    }

    @Test("order and repetition of endorsements do not matter", arguments: 0..<50 as Range<UInt64>)
    func order(seed: UInt64) throws {
        var random = Seeded(seed)
        let charter = try charter(founders: 3, admission: UInt64(1 + random.below(3)))
        var all: [Endorsement] = []
        for _ in 0..<1 + random.below(10) {
            let act = admission(
                random.below(TestKeys.count), random.chance(50) ? .member : .observer, in: charter,
                at: Int64(random.below(3)))
            all += endorsements(act, by: (0..<1 + random.below(3)).map { _ in random.below(3) })
        }
        let expected = Roster(charter: charter, endorsements: all)
        for _ in 0..<4 {
            let again = all.shuffled(using: &random) + all.filter { _ in random.chance(30) }
            #expect(Roster(charter: charter, endorsements: again) == expected, "seed \(seed)")
        }
        #expect(
            zip(expected.entries, expected.entries.dropFirst()).allSatisfy {
                $0.statement.id < $1.statement.id
            })
    }

    @Test("an act that a member in standing signed is a valid endorsement")
    func valid() throws {
        let charter = try charter(founders: 2, admission: 1)
        let act = admission(4, .member, in: charter)
        let signed = try SignedAct(act: act.encoded, key: members[0].key)
        let endorsement = try #require(Roster(charter: charter).endorsement(of: signed, in: charter.space))
        #expect(endorsement.signer == members[0].id && endorsement.act == .admission(act))
        #expect(endorsement.hash == signed.hash && signed.hash == SHA256.hash(act.encoded))
    }

    @Test("what is no valid endorsement has no effect")
    func invalid() throws {
        let charter = try charter(founders: 2, admission: 1)
        let act = admission(4, .member, in: charter)
        let observer = Roster(
            charter: charter, endorsements: endorsements(admission(3, .observer, in: charter), by: [0]))
        func isValid(_ signed: SignedAct, _ roster: Roster) -> Bool {
            roster.endorsement(of: signed, in: charter.space) != nil
        }
        let signed = try SignedAct(act: act.encoded, key: members[0].key)
        let founders = Roster(charter: charter)
        #expect(isValid(signed, founders))
        #expect(!isValid(try SignedAct(act: act.encoded, key: members[5].key), founders), "a stranger signs")
        #expect(!isValid(try SignedAct(act: act.encoded, key: members[3].key), observer), "an observer signs")
        let other = SignedAct(act: act.encoded, signer: members[1].id, signature: signed.signature)
        #expect(!isValid(other, founders), "one member signs in another's name")
        let altered = SignedAct(
            act: admission(4, .observer, in: charter).encoded, signer: signed.signer,
            signature: signed.signature)
        #expect(!isValid(altered, founders), "the act was altered after it was signed")
        #expect(
            !isValid(SignedAct(act: [1, 2, 3], signer: signed.signer, signature: signed.signature), founders))
        let own = try SignedAct(act: admission(1, .member, in: charter).encoded, key: members[1].key)
        #expect(!isValid(own, founders), "the subject signs its own admission")
        let purpose = SignedAct(
            act: act.encoded, signer: members[0].id,
            signature: try members[0].key.sign(SHA256.hash(act.encoded), as: .charter))
        #expect(!isValid(purpose, founders), "the signature was made for another purpose")
        let foreign = try Charter(
            name: "Other", timestamp: 2, founders: [members[0].statement], admissionThreshold: 1,
            suspensionThreshold: 2)
        let elsewhere = try SignedAct(act: admission(4, .member, in: foreign).encoded, key: members[0].key)
        #expect(!isValid(elsewhere, founders), "the act is of another space")
    }

    @Test("an act of a later level may be endorsed and admits nobody")
    func laterLevel() throws {
        let charter = try charter(founders: 2, admission: 1)
        let act = ActTests.other(kind: "petition", space: charter.space)
        let signed = try SignedAct(act: act, key: members[0].key)
        let endorsement = try #require(Roster(charter: charter).endorsement(of: signed, in: charter.space))
        #expect(endorsement.act == .other(kind: "petition", space: charter.space))
        #expect(Roster(charter: charter, endorsements: [endorsement]) == Roster(charter: charter))
    }
}
