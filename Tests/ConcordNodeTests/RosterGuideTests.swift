import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import Testing

@testable import ConcordNode

@Suite("Drafting acts against a roster")
struct RosterGuideTests {
    private let space = SpaceID(SHA256.hash([1]))

    private func line(
        _ code: String, id: UInt8, replicas: [MembersDocument.Replica] = [],
        suspensions: [MembersDocument.Suspension] = [], role: String = "member"
    ) -> MembersDocument.Member {
        let id = SHA256.hash([id]).description
        return MembersDocument.Member(
            id: id, code: code, name: "Land \(code)", role: role, founder: true, fingerprint: id, nodes: [],
            standing: suspensions.isEmpty ? "in standing" : "suspended", suspensions: suspensions,
            offices: [],
            authorities: [id], formerAuthorities: [], predecessors: [], standsOn: [space.description],
            revokedNodes: [], replicas: replicas)
    }

    private func replica(_ digit: String, _ sequence: UInt64, builtUpon: UInt64 = 0)
        -> MembersDocument.Replica
    {
        .init(
            replica: String(repeating: digit, count: 32), node: "node-\(digit)", nodeId: "",
            sequence: sequence,
            effective: sequence, builtUpon: builtUpon, forked: false)
    }

    private func guide(
        _ members: [MembersDocument.Member], offices: [MembersDocument.Office] = [],
        procedures: [ProcedureDocument] = []
    ) throws -> RosterGuide {
        try RosterGuide(
            MembersDocument(
                space: space.description, spaceName: "Network", admissionThreshold: 2, suspensionThreshold: 2,
                members: members, offices: offices, procedures: procedures))
    }

    private func pending(_ act: Act, hash: String? = nil) throws -> ProcedureDocument {
        let bytes = try #require(act.encoded)
        return ProcedureDocument(
            act: hash ?? SHA256.hash(bytes).description, bytes: Base64.encode(bytes), kind: act.kind.string,
            summary: "", subject: nil, role: nil, office: nil, holders: [], reason: nil, draftedAt: "",
            signatures: [], threshold: 2, missing: 1, maySign: [], handOver: [], isReachable: true,
            command: "")
    }

    private func suspension(of id: UInt8, reason: String = "", at time: Int64 = testNow) -> Act {
        .suspension(
            Suspension(
                space: space, subject: MemberID(SHA256.hash([id])), keeps: VersionVector(),
                reason: UTF8Text(reason), timestamp: time))
    }

    // MARK: Members

    @Test("a member is found by its code, and by its fingerprint where two bear the code")
    func members() async throws {
        let guide = try guide([line("ESP", id: 1), line("CAF", id: 2), line("CAF", id: 3)])
        #expect(try guide.member("ESP").id == SHA256.hash([1]).description)
        await expectError(.ambiguousMember) { try guide.member("CAF") }
        await expectError(.unknownMember) { try guide.member("XXX") }
        let fingerprint = SHA256.hash([3]).description
        #expect(try guide.member(String(fingerprint.prefix(8))).id == fingerprint)
        #expect(try guide.member(fingerprint.uppercased()).id == fingerprint)
        await expectError(.unknownMember) { try guide.member(String(fingerprint.prefix(7))) }
    }

    @Test("a former identity is another member of that code, or any fingerprint in full")
    func predecessors() async throws {
        let subject = MemberID(SHA256.hash([2]))
        let guide = try guide([line("CAF", id: 1), line("CAF", id: 2)])
        #expect(try guide.predecessor("CAF", of: subject) == MemberID(SHA256.hash([1])))
        let gone = SHA256.hash([9])
        #expect(try guide.predecessor(gone.description, of: subject) == MemberID(gone))
        await expectError(.usage) { try guide.predecessor(subject.description, of: subject) }
        await expectError(.unknownMember) { try guide.predecessor("XXX", of: subject) }
    }

    @Test("a key signs for the member that is known by it now")
    func signers() async throws {
        var rotated = line("ESP", id: 1)
        rotated.authorities = [SHA256.hash([7]).description]
        rotated.formerAuthorities = [rotated.id]
        let guide = try guide([rotated])
        #expect(try guide.signer(key: SHA256.hash([7])).code == "ESP")
        await expectError(.wrongAuthority) { try guide.signer(key: SHA256.hash([1])) }
        await expectError(.wrongAuthority) { try guide.signer(key: SHA256.hash([8])) }
    }

    // MARK: Pending acts

    @Test("an act that says the same is found whatever its reason; where two do, a person chooses by hash")
    func same() async throws {
        let first = suspension(of: 2, reason: "dues")
        let alone = try guide([line("CAF", id: 2)], procedures: [try pending(first)])
        #expect(try alone.pending(like: suspension(of: 2, at: testNow + 9))?.act == first)
        #expect(try alone.pending(like: suspension(of: 3)) == nil)
        let second = suspension(of: 2, reason: "other dues")
        let two = try guide([line("CAF", id: 2)], procedures: [try pending(first), try pending(second)])
        await expectError(.ambiguousMember) { try two.pending(like: suspension(of: 2)) }
        let hash = SHA256.hash(try #require(second.encoded)).description
        #expect(try two.pending(hash: String(hash.prefix(8))).act == second)
        await expectError(.malformedAct) { try two.pending(hash: "00000000") }
        await expectError(.malformedAct) { try two.pending(hash: String(hash.prefix(4))) }
    }

    @Test("what is signed is read from the bytes: a daemon that says otherwise is not believed")
    func lies() async throws {
        let lie = try guide(
            [line("CAF", id: 2)],
            procedures: [try pending(suspension(of: 2), hash: SHA256.hash([0]).description)])
        await expectError(.malformedAct) { try lie.pending() }
        let elsewhere = Act.suspension(
            Suspension(
                space: SpaceID(SHA256.hash([5])), subject: MemberID(SHA256.hash([2])), keeps: VersionVector(),
                reason: "", timestamp: testNow))
        let foreign = try guide([line("CAF", id: 2)], procedures: [try pending(elsewhere)])
        await expectError(.malformedAct) { try foreign.pending() }
    }

    // MARK: Drafts

    @Test("cut-offs are all that is held, nothing, or what is typed for a replica")
    func keeps() async throws {
        let member = line("CAF", id: 2, replicas: [replica("a", 57), replica("b", 3)])
        let guide = try guide([member])
        #expect(try guide.keeps([], of: member).elements.map(\.sequence) == [57, 3])
        #expect(try guide.keeps([.nothing], of: member).isEmpty)
        #expect(
            try guide.keeps([.replica(prefix: "AA", sequence: 40)], of: member).elements.map(\.sequence) == [
                40, 3,
            ])
        #expect(
            try guide.keeps([.nothing, .replica(prefix: "b", sequence: 2)], of: member).elements.map(
                \.sequence) == [2])
        await expectError(.malformedValue) {
            try guide.keeps([.replica(prefix: "c", sequence: 1)], of: member)
        }
        await expectError(.malformedValue) {
            try guide.keeps([.replica(prefix: "", sequence: 1)], of: member)
        }
    }

    @Test("a cut-off below what is held says that it is without effect on it")
    func consequences() throws {
        let member = line("CAF", id: 2, replicas: [replica("a", 57, builtUpon: 45), replica("b", 3)])
        let guide = try guide([member])
        #expect(try guide.consequences(of: try guide.keeps([], of: member), for: member).isEmpty)
        let said = try guide.consequences(
            of: try guide.keeps([.replica(prefix: "a", sequence: 40)], of: member), for: member)
        #expect(said.count == 1)
        #expect(said[0].contains("the changes 41 to 57 are held here and stay, although they are cut off"))
        #expect(said[0].contains("others built on 45"))
    }

    @Test("acts that would change nothing are not drafted")
    func needless() async throws {
        let suspended = line(
            "CAF", id: 2, replicas: [replica("a", 57)],
            suspensions: [
                .init(
                    act: SHA256.hash([4]).description, since: "", reason: "", signers: [],
                    keeps: [String(repeating: "a", count: 32): 40])
            ])
        let spain = line("ESP", id: 1)
        let holder = PartyDocument(id: spain.id, code: "ESP", name: "")
        let guide = try guide(
            [spain, suspended, line("OBS", id: 5, role: "observer")],
            offices: [.init(office: "chair", holders: [holder], act: SHA256.hash([6]).description)])
        await expectError(.actInForce) { try guide.reinstatement(of: spain, now: testNow) }
        await expectError(.actInForce) {
            try guide.suspension(
                of: suspended, keeping: try guide.keeps([], of: suspended), reason: "", now: testNow)
        }
        // A lower cut-off is something else.
        _ = try guide.suspension(of: suspended, keeping: VersionVector(), reason: "", now: testNow)
        await expectError(.limitExceeded) {
            try guide.suspension(
                of: spain, keeping: VersionVector(), reason: String(repeating: "x", count: 1025), now: testNow
            )
        }
        await expectError(.actInForce) { try guide.appointment(to: "chair", holders: [spain], now: testNow) }
        await expectError(.actInForce) { try guide.appointment(to: "troika", holders: [], now: testNow) }
        await expectError(.notInStanding) {
            try guide.appointment(to: "chair", holders: [suspended], now: testNow)
        }
        await expectError(.notInStanding) {
            try guide.appointment(to: "chair", holders: [try guide.member("OBS")], now: testNow)
        }
        guard case .appointment(let up) = try guide.appointment(to: "chair", holders: [], now: testNow) else {
            Issue.record("no appointment")
            return
        }
        #expect(up.replaces == [SHA256.hash([6])])
    }
}
