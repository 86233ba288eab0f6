// Invites: whoever reads one holds a checked whole, and every part that does not fit is noticed.

import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@Suite("Invites")
struct InviteTests {
    private let members: [TestMember]
    private let nodeKey: PrivateKey
    private let charter: SignedCharter

    init() throws {
        members = try TestMember.all()
        nodeKey = try TestKeys.key(5)
        let charter = try Charter(
            name: "Space", timestamp: 1, founders: [members[0].statement], admissionThreshold: 1,
            suspensionThreshold: 2)
        self.charter = try SignedCharter(charter: charter, key: members[0].key)
    }

    private func act(_ subject: Int, _ role: Role = .member, by signer: Int) throws -> SignedAct {
        let admission = Admission(
            space: charter.charter.space, subject: members[subject].statement, role: role, predecessor: nil,
            timestamp: 1)
        return try SignedAct(act: admission.encoded, key: members[signer].key)
    }

    /// An invite by a node of `inviter`, to be spoiled in one part.
    private func invite(
        by inviter: Int = 1, acts: [SignedAct], addresses: [String] = ["node.example:7443"],
        authorities: [[UInt8]]? = nil, node: Certificate? = nil, key: PrivateKey? = nil
    ) throws -> Invite {
        try Invite(
            charter: charter, authority: members[inviter].certificate,
            node: try node ?? members[inviter].node("node", key: nodeKey), addresses: addresses, acts: acts,
            authorities: authorities ?? [members[0].certificate.der], timestamp: 1_764_000_000_000,
            key: key ?? nodeKey)
    }

    @Test("an invite comes back from its bytes with the roster that its acts show")
    func roundTrip() throws {
        let acts = [try act(1, by: 0), try act(2, by: 1), try act(3, .observer, by: 2)]
        let invite = try invite(acts: acts)
        let again = try Invite(encoded: invite.encoded)
        #expect(again == invite && again.encoded == invite.encoded)
        #expect(again.space == charter.charter.space && again.inviter == members[1].id)
        #expect(again.roster.role(members[2].id) == .member && again.roster.role(members[3].id) == .observer)
    }

    @Test("an invite holds whatever order its writer found the acts in, also after a key was rotated")
    func rotation() throws {
        let some = try SomeActs(charter.charter.space)
        let acts = [
            try some.sign(some.admit(3, at: 9), as: 1, key: 4),
            try some.sign(some.rotate(1, from: 1, to: 4), as: 1),
            try some.sign(some.admit(2, at: 8), as: 1), try act(1, by: 0),
        ]
        let ordered = Invite.ordered(acts, charter: charter.charter)
        #expect(Set(ordered) == Set(acts), "an act that was signed with the old key counts, too")
        let nodeCertificate = try members[4].node("node", key: nodeKey)
        let invite = try Invite(
            charter: charter, authority: members[4].certificate, node: nodeCertificate, addresses: [],
            acts: ordered,
            authorities: [members[1].certificate.der, members[4].certificate.der], timestamp: 1, key: nodeKey)
        let again = try Invite(encoded: invite.encoded)
        #expect(again == invite && again.inviter == members[1].id, "the member keeps its id")
        #expect(again.roster.role(members[2].id) == .member && again.roster.role(members[3].id) == .member)
        let old = refusal { _ = try self.invite(by: 1, acts: ordered) }
        #expect(old?.code == .malformedInvite, "the key that was replaced does not invite any more")
    }

    @Test("a suspended member does not invite, and one that left does not")
    func standing() throws {
        let some = try SomeActs(charter.charter.space)
        let suspension = some.suspend(1)
        let suspended = [
            try act(1, by: 0), try act(2, by: 0), try some.sign(suspension, as: 0),
            try some.sign(suspension, as: 2),
        ]
        #expect(refusal { _ = try self.invite(acts: suspended) }?.code == .malformedInvite)
        let lifted = suspended + [try some.sign(some.reinstate(1, [suspension]), as: 0)]
        #expect(refusal { _ = try self.invite(acts: lifted) } == nil)
        let admission = Admission(
            space: charter.charter.space, subject: members[1].statement, role: .member, predecessor: nil,
            timestamp: 1)
        let left = [try act(1, by: 0), try some.sign(some.leave(1, [admission.hash]), as: 1)]
        #expect(refusal { _ = try self.invite(acts: left) }?.code == .malformedInvite)
    }

    @Test("each part that does not fit is refused")
    func rejects() throws {
        func code(_ make: () throws -> Invite) -> ErrorCode? { refusal { _ = try make() }?.code }
        let first = try act(1, by: 0)
        #expect(code { try invite(acts: [first]) } == nil)
        #expect(code { try invite(acts: []) } == .malformedInvite, "the inviter is not on the roster")
        #expect(
            code { try invite(acts: [try act(1, .observer, by: 0)]) } == .malformedInvite,
            "an observer invites")
        #expect(
            code { try invite(acts: [try act(2, by: 1), first]) } == .malformedInvite, "acts out of order")
        #expect(
            code { try invite(acts: [first, try act(2, by: 3)]) } == .malformedInvite, "a stranger's act")
        #expect(code { try invite(acts: [first], addresses: ["two words:1"]) } == .malformedInvite)
        #expect(code { try invite(acts: [first], addresses: [""]) } == .malformedInvite)
        let tooMany = [String](repeating: "a:1", count: Limits.inviteAddresses + 1)
        #expect(code { try invite(acts: [first], addresses: tooMany) } == .malformedInvite)
        #expect(
            code { try invite(acts: [first], authorities: [members[3].certificate.der]) } == .malformedInvite)
        let foreignNode = try members[2].node("node", key: nodeKey)
        #expect(code { try invite(acts: [first], node: foreignNode) } == .malformedInvite)
        #expect(
            code { try invite(acts: [first], key: members[1].key) } == .malformedInvite, "another key signs")
    }

    @Test("an invite that was altered on the way is refused")
    func altered() throws {
        let bytes = try invite(acts: [try act(1, by: 0)]).encoded
        for count in stride(from: 0, to: bytes.count, by: 61) {
            #expect(
                refusal { _ = try Invite(encoded: Array(bytes.prefix(count))) } != nil, "first \(count) bytes"
            )
        }
        #expect(refusal { _ = try Invite(encoded: bytes + [0]) }?.code == .malformedInvite)
        for place in stride(from: 0, to: bytes.count, by: 23) {
            var altered = bytes
            altered[place] ^= 1
            #expect(refusal { _ = try Invite(encoded: altered) } != nil, "byte \(place)")
        }
    }

    @Test("acts are put into an order in which each is valid after those before it")
    func ordering() throws {
        let acts = [try act(3, by: 2), try act(2, by: 1), try act(1, by: 0)]
        let ordered = Invite.ordered(acts, charter: charter.charter)
        #expect(ordered == [acts[2], acts[1], acts[0]])
        #expect(throws: Never.self) { try invite(acts: ordered) }
        #expect(Invite.ordered([acts[0]], charter: charter.charter).isEmpty)
    }
}
