import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import ConcordNode

@Suite("Where written procedure stands")
struct ProceduresTests {
    private let esp: TestMember
    private let deu: TestMember
    private let nam: TestMember
    private let caf: TestMember
    private let chl: TestMember

    init() throws {
        esp = try TestMember("ESP")
        deu = try TestMember("DEU")
        nam = try TestMember("NAM")
        caf = try TestMember("CAF")
        chl = try TestMember("CHL")
    }

    /// A space of the first `founders` members, three of which must sign anything.
    private func charter(founders: Int = 4, admission: UInt64 = 3, suspension: UInt64 = 3) throws -> Charter {
        try Charter(
            name: "Network", timestamp: testNow,
            founders: try [esp, deu, nam, caf].prefix(founders).map {
                try MemberStatement(authority: $0.authority)
            },
            admissionThreshold: admission, suspensionThreshold: suspension)
    }

    /// The signatures of these members under an act, each in a change of its own.
    private func signed(
        _ act: Act, by signers: [TestMember], effective: Bool = true, from start: UInt64 = 1
    ) throws -> [CarriedEndorsement] {
        let bytes = try #require(act.encoded)
        let replica = ReplicaID(Bytes16(high: 1, low: 2))
        return signers.enumerated().map { index, signer in
            CarriedEndorsement(
                endorsement: Endorsement(signer: signer.id, hash: SHA256.hash(bytes), act: act),
                carrier: Dot(replica, start + UInt64(index)), at: testNow + Int64(index) * 1000,
                isEffective: effective)
        }
    }

    private func procedures(_ charter: Charter, _ carried: [CarriedEndorsement]) -> Procedures {
        let effective = carried.filter(\.isEffective).map(\.endorsement)
        return Procedures(
            charter: charter,
            roster: Roster(
                charter: charter, permissions: effective, restrictions: carried.map(\.endorsement)),
            carried: carried)
    }

    private func suspension(of member: TestMember, in charter: Charter, at time: Int64 = testNow) -> Act {
        .suspension(
            Suspension(
                space: charter.space, subject: member.id, keeps: VersionVector(), reason: "unpaid dues",
                timestamp: time))
    }

    private func codes(_ members: [MemberID], _ procedures: Procedures) -> Set<String> {
        Set(members.map { procedures.party($0).code })
    }

    @Test(
        "an act below its threshold waits, and says how many are missing and who may sign, never the subject")
    func waits() throws {
        let charter = try charter()
        let act = suspension(of: caf, in: charter)
        let procedures = procedures(charter, try signed(act, by: [esp, esp]))
        let pending = try #require(procedures.pending.first)
        #expect(procedures.pending.count == 1)
        #expect(pending.signatures.map(\.member) == [esp.id])
        #expect(pending.missing == 2)
        #expect(codes(pending.maySign, procedures) == ["DEU", "NAM"])
        #expect(pending.isReachable)
        #expect(!pending.isInForce)
    }

    @Test("with its last signature an act is in force, and nothing waits any more")
    func comesIntoForce() throws {
        let charter = try charter()
        let act = suspension(of: caf, in: charter)
        let carried = try signed(act, by: [esp, deu, nam])
        let procedures = procedures(charter, carried)
        #expect(procedures.pending.isEmpty)
        let standing = try #require(procedures.standing(carried[0].endorsement.hash))
        #expect(standing.isInForce)
        #expect(standing.missing == 0)
        #expect(standing.maySign.isEmpty)
        #expect(procedures.decidedAt(standing.hash) == testNow + 2000)
    }

    @Test("a signature in a change without effect counts for restrictions, and not for permissions")
    func withoutEffect() throws {
        let charter = try charter()
        let suspension = suspension(of: caf, in: charter)
        let hidden = try signed(suspension, by: [esp, deu, nam], effective: false)
        #expect(procedures(charter, hidden).standing(hidden[0].endorsement.hash)?.isInForce == true)
        let admission = Act.admission(
            Admission(
                space: charter.space, subject: try MemberStatement(authority: chl.authority), role: .member,
                predecessor: nil, timestamp: testNow))
        let carried =
            try signed(admission, by: [esp], from: 1)
            + signed(admission, by: [deu], effective: false, from: 9)
        let pending = try #require(procedures(charter, carried).pending.first)
        #expect(pending.signatures.map(\.member) == [esp.id])
        #expect(pending.missing == 2)
    }

    @Test("an act that fewer may sign than must is out of reach")
    func outOfReach() throws {
        let charter = try charter(founders: 3)
        let procedures = procedures(charter, try signed(suspension(of: nam, in: charter), by: [esp]))
        let pending = try #require(procedures.pending.first)
        #expect(pending.missing == 2)
        #expect(codes(pending.maySign, procedures) == ["DEU"])
        #expect(!pending.isReachable)
        #expect(procedures.documents(option: "").first?.isReachable == false)
    }

    @Test("whoever is suspended may not sign, and observers may not either")
    func whoMaySign() throws {
        let charter = try charter()
        let observer = Act.admission(
            Admission(
                space: charter.space, subject: try MemberStatement(authority: chl.authority), role: .observer,
                predecessor: nil, timestamp: testNow))
        let appointment = Act.appointment(
            Appointment(
                space: charter.space, office: "chair", holders: [esp.id], replaces: [], timestamp: testNow))
        let carried =
            try signed(observer, by: [esp, deu, nam])
            + signed(suspension(of: caf, in: charter), by: [esp, deu, nam])
            + signed(appointment, by: [esp])
        let procedures = procedures(charter, carried)
        #expect(procedures.roster.entry(chl.id)?.role == .observer)
        let pending = try #require(procedures.pending.first)
        #expect(pending.act == appointment)
        #expect(codes(pending.maySign, procedures) == ["DEU", "NAM"])
    }

    @Test("an office is handed over by its holders alone, or given by as many as admit")
    func handOver() throws {
        let charter = try charter()
        let first = Act.appointment(
            Appointment(
                space: charter.space, office: "troika", holders: [esp.id, deu.id], replaces: [],
                timestamp: testNow))
        let given = try signed(first, by: [esp, deu, nam])
        let second = Act.appointment(
            Appointment(
                space: charter.space, office: "troika", holders: [nam.id],
                replaces: [given[0].endorsement.hash], timestamp: testNow))
        var procedures = procedures(charter, given + (try signed(second, by: [esp])))
        let pending = try #require(procedures.pending.first)
        #expect(pending.handOver == [deu.id])
        #expect(pending.missing == 2)
        procedures = self.procedures(charter, given + (try signed(second, by: [esp, deu])))
        #expect(procedures.pending.isEmpty)
        #expect(procedures.roster.offices.map(\.holders) == [[nam.id]])
    }

    @Test("an act that would change nothing does not wait")
    func moot() throws {
        let charter = try charter()
        let again = Act.admission(
            Admission(
                space: charter.space, subject: try MemberStatement(authority: deu.authority), role: .member,
                predecessor: nil, timestamp: testNow))
        let suspended = try signed(suspension(of: caf, in: charter), by: [esp, deu, nam])
        let lifted = Act.reinstatement(
            Reinstatement(
                space: charter.space, subject: caf.id, suspensions: [suspended[0].endorsement.hash],
                timestamp: testNow))
        let late = Act.reinstatement(
            Reinstatement(
                space: charter.space, subject: caf.id, suspensions: [suspended[0].endorsement.hash],
                timestamp: testNow + 1))
        let carried = try signed(again, by: [esp]) + suspended + signed(lifted, by: [esp, deu, nam])
        #expect(procedures(charter, carried + (try signed(late, by: [esp]))).pending.isEmpty)
        #expect(procedures(charter, suspended + (try signed(late, by: [esp]))).pending.count == 1)
    }

    @Test("an admission that brings the records of a former identity is not in vain for a member")
    func predecessor() throws {
        let charter = try charter()
        let heir = Act.admission(
            Admission(
                space: charter.space, subject: try MemberStatement(authority: deu.authority), role: .member,
                predecessor: chl.id, timestamp: testNow))
        let procedures = procedures(charter, try signed(heir, by: [esp]))
        #expect(procedures.pending.count == 1)
        #expect(procedures.documents(option: "")[0].summary.contains("takes over the records of"))
    }

    @Test("the order in which signatures arrived does not matter for what is in force", arguments: 0..<20)
    func order(seed: UInt64) throws {
        var random = ClientSeed(state: seed)
        let charter = try charter()
        var carried = try signed(suspension(of: caf, in: charter), by: [esp, deu, nam])
        carried += try signed(suspension(of: deu, in: charter, at: testNow + 5), by: [esp, nam])
        let expected = procedures(charter, carried)
        let shuffled = procedures(charter, carried.shuffled(using: &random))
        #expect(shuffled.roster == expected.roster)
        #expect(shuffled.pending.map(\.hash) == expected.pending.map(\.hash))
        #expect(Set(shuffled.pending.flatMap(\.maySign)) == Set(expected.pending.flatMap(\.maySign)))
    }
}
