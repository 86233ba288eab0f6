// The encoding of formal acts.

import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@Suite("Formal acts")
struct ActTests {
    /// The bytes of an act of another kind.
    static func other(kind: String, space: SpaceID) -> [UInt8] {
        var writer = CBORWriter()
        writer.array(4)
        writer.text(kind)
        writer.digest(space.digest)
        writer.array(1)
        writer.unsigned(7)
        writer.text("because")
        return writer.bytes
    }

    @Test("an admission comes back from its bytes")
    func roundTrip() throws {
        let subject = try TestMember(2).statement
        for (role, predecessor, timestamp) in [
            (.member, nil, 0), (.observer, MemberID(SHA256.hash([1])), Limits.timestamp),
        ] as [(Role, MemberID?, Int64)] {
            let admission = Admission(
                space: someSpace, subject: subject, role: role, predecessor: predecessor, timestamp: timestamp
            )
            let act = try Act(encoded: admission.encoded)
            #expect(act == .admission(admission) && act.space == someSpace)
        }
    }

    @Test("an act of another kind is known by its kind and space")
    func otherKinds() throws {
        let act = try Act(encoded: Self.other(kind: "suspend", space: someSpace))
        #expect(act == .other(kind: "suspend", space: someSpace) && act.space == someSpace)
    }

    @Test("what is no act is refused")
    func rejects() throws {
        let bytes = Admission(
            space: someSpace, subject: try TestMember(2).statement, role: .member, predecessor: nil,
            timestamp: 5
        ).encoded
        for count in 0..<bytes.count {
            #expect(
                refusal { _ = try Act(encoded: Array(bytes.prefix(count))) } != nil, "first \(count) bytes")
        }
        #expect(refusal { _ = try Act(encoded: bytes + [0]) }?.code == .malformedAct)
        #expect(
            refusal { _ = try Act(encoded: Self.other(kind: "admit", space: someSpace)) }?.code
                == .malformedAct)
        #expect(refusal { _ = try Act(encoded: [0x81, 0x61, 0x78]) }?.code == .malformedAct)
        var shortSpace = CBORWriter()
        shortSpace.array(2)
        shortSpace.text("suspend")
        shortSpace.byteString([1, 2, 3])
        #expect(refusal { _ = try Act(encoded: shortSpace.bytes) }?.code == .malformedAct)
        #expect(
            refusal { _ = try Act(encoded: try Self.admission(role: 2, predecessor: [])) }?.code
                == .malformedAct)
        #expect(
            refusal { _ = try Act(encoded: try Self.admission(role: 0, predecessor: [1])) }?.code
                == .malformedAct)
        #expect(throws: Never.self) { try Act(encoded: try Self.admission(role: 0, predecessor: [])) }
    }

    @Test("only an authority's certificate makes a member")
    func statements() throws {
        let member = try TestMember(0)
        let node = try member.node("node", key: TestKeys.key(1))
        #expect(
            refusal { _ = try MemberStatement(code: "M", name: "M", certificate: node.der) }?.code
                == .malformedCertificate)
        #expect(
            refusal { _ = try MemberStatement(code: "M", name: "M", certificate: [1, 2]) }?.code
                == .malformedCertificate)
        let long = UTF8Text(String(repeating: "x", count: Limits.nameBytes + 1))
        #expect(
            refusal { _ = try MemberStatement(code: long, name: "M", certificate: member.certificate.der) }
                != nil)
        #expect(member.statement.code == "M0" && member.statement.name == "Member 0")
        #expect(member.id == MemberID(member.key.publicKey.fingerprint))
    }

    /// An admission by hand.
    private static func admission(role: UInt64, predecessor: [UInt8]) throws -> [UInt8] {
        let subject = try TestMember(2).statement
        var writer = CBORWriter()
        writer.array(6)
        writer.text("admit")
        writer.digest(someSpace.digest)
        writer.array(3)
        writer.text(subject.code.string)
        writer.text(subject.name.string)
        writer.byteString(subject.certificate)
        writer.unsigned(role)
        writer.byteString(predecessor)
        writer.unsigned(5)
        return writer.bytes
    }
}
