// The encoding of formal acts.

import CBOR
import ConcordCrypto
import ConcordModel
import Testing

@Suite("Formal acts")
struct ActTests {
    private let some: SomeActs

    init() throws { some = try SomeActs() }

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

    @Test("an act of every kind comes back from its bytes, which name it")
    func everyKind() throws {
        let all = try some.all()
        for (act, form) in all {
            let bytes = form.encoded
            let read = try Act(encoded: bytes)
            #expect(read == act && read.encoded == bytes, "\(act.kind)")
            #expect(read.space == someSpace && read.kind == type(of: form).kind)
            #expect(form.hash == SHA256.hash(bytes))
        }
        #expect(Set(all.map(\.act.kind)).count == 9)
    }

    @Test(
        "an act of every kind is refused when a byte is missing, too many, or another one, or is read as it stands"
    )
    func everyKindAltered() throws {
        for (act, form) in try some.all() {
            let bytes = form.encoded
            for count in 0..<bytes.count {
                let error = refusal { _ = try Act(encoded: Array(bytes.prefix(count))) }
                #expect(error?.code == .malformedAct, "\(act.kind): first \(count) bytes")
            }
            #expect(refusal { _ = try Act(encoded: bytes + [0]) }?.code == .malformedAct, "\(act.kind)")
            for place in bytes.indices {
                var altered = bytes
                altered[place] ^= 1 << UInt8(place % 8)
                do {
                    let read = try Act(encoded: altered)
                    #expect(read != act, "\(act.kind), byte \(place)")
                    if let again = read.encoded { #expect(again == altered, "\(act.kind), byte \(place)") }
                } catch {
                    #expect((error as? ConcordError)?.code == .malformedAct, "\(act.kind), byte \(place)")
                }
            }
        }
    }

    @Test("an act of a known kind with parts too many or too few is refused")
    func parts() throws {
        for (act, form) in try some.all() {
            for parts in [2, 15] {
                let bytes = actBytes("\(act.kind)", parts) { writer in
                    for _ in 2..<parts { writer.unsigned(0) }
                }
                #expect(refusal { _ = try Act(encoded: bytes) }?.code == .malformedAct, "\(act.kind)")
            }
            let grown = [form.encoded[0] + 1] + form.encoded.dropFirst() + [0]
            #expect(refusal { _ = try Act(encoded: grown) }?.code == .malformedAct, "\(act.kind)")
        }
        let large = actBytes("petition", 3) { $0.byteString([UInt8](repeating: 0, count: Limits.actBytes)) }
        #expect(refusal { _ = try Act(encoded: large) }?.code == .malformedAct)
    }

    @Test("lists in acts are ascending, name nothing twice, and name something where they must")
    func lists() throws {
        let (low, high) = (
            [SHA256.hash([1]), SHA256.hash([2])].min()!, [SHA256.hash([1]), SHA256.hash([2])].max()!
        )
        func digests(_ digests: [Digest], _ writer: inout CBORWriter) {
            writer.array(digests.count)
            for digest in digests { writer.digest(digest) }
        }
        func reinstate(_ suspensions: [Digest]) -> [UInt8] {
            actBytes("reinstate", 5) {
                $0.digest(low)
                digests(suspensions, &$0)
                $0.unsigned(0)
            }
        }
        func leave(_ standing: [Digest]) -> [UInt8] {
            actBytes("leave", 6) {
                $0.digest(low)
                digests(standing, &$0)
                $0.array(0)
                $0.unsigned(0)
            }
        }
        func appoint(_ office: String, _ holders: [Digest], _ replaces: [Digest]) -> [UInt8] {
            actBytes("appoint", 6) {
                $0.text(office)
                digests(holders, &$0)
                digests(replaces, &$0)
                $0.unsigned(0)
            }
        }
        for sound in [
            reinstate([low, high]), leave([low]), appoint("chair", [], []),
            appoint("chair", [low, high], [low]),
        ] {
            #expect(throws: Never.self) { try Act(encoded: sound) }
        }
        for wrong in [
            reinstate([]), reinstate([high, low]), reinstate([low, low]), leave([]), leave([high, low]),
            appoint("chair", [high, low], []), appoint("chair", [], [low, low]), appoint("king", [low], []),
        ] {
            #expect(refusal { _ = try Act(encoded: wrong) }?.code == .malformedAct)
        }
        let many = (0...Limits.dependencies).map { SHA256.hash([UInt8($0)]) }.sorted()
        #expect(throws: Never.self) { try Act(encoded: reinstate(Array(many.dropLast()))) }
        #expect(refusal { _ = try Act(encoded: reinstate(many)) }?.code == .malformedAct)
    }

    @Test("version vectors and dots in acts are in their one form")
    func vectors() throws {
        func suspend(_ dots: [Dot], reason: String = "") -> [UInt8] {
            actBytes("suspend", 6) {
                $0.digest(SHA256.hash([1]))
                $0.dots(dots)
                $0.text(reason)
                $0.unsigned(0)
            }
        }
        #expect(throws: Never.self) { try Act(encoded: suspend([Dot(1, 2), Dot(2, 1)])) }
        let longest = String(repeating: "r", count: Limits.reasonBytes)
        #expect(throws: Never.self) { try Act(encoded: suspend([], reason: longest)) }
        for wrong in [
            suspend([Dot(2, 1), Dot(1, 2)]), suspend([Dot(1, 2), Dot(1, 3)]), suspend([Dot(1, 0)]),
            suspend([], reason: longest + "r"),
        ] {
            #expect(refusal { _ = try Act(encoded: wrong) }?.code == .malformedAct)
        }
        let late = actBytes("endorse", 5) {
            $0.byteString(RecordID(integerLiteral: 1).bytes)
            $0.digest(SHA256.hash([1]))
            $0.unsigned(UInt64(Limits.timestamp) + 1)
        }
        #expect(refusal { _ = try Act(encoded: late) }?.code == .malformedAct)
    }

    @Test("a rotation names an authority other than the one that goes")
    func rotations() throws {
        let members = some.members
        func code(_ old: Int, _ certificate: [UInt8], provenBy key: Int = 1) -> ErrorCode? {
            refusal {
                _ = try Rotation(
                    space: someSpace, subject: members[0].id,
                    replaces: members[old].key.publicKey.fingerprint,
                    certificate: certificate, key: members[key].key, timestamp: 0)
            }?.code
        }
        #expect(code(0, members[1].certificate.der) == nil)
        #expect(code(0, members[1].certificate.der, provenBy: 0) == .malformedAct, "a key that is not held")
        #expect(code(0, members[0].certificate.der) == .malformedAct, "the key that goes")
        #expect(code(0, try members[1].node("node", key: TestKeys.key(2)).der) == .malformedAct, "a node's")
        #expect(code(0, [1, 2]) == .malformedAct)
        let bytes = actBytes("rotate", 7) {
            $0.digest(members[0].id.digest)
            $0.digest(members[0].id.digest)
            $0.byteString(members[0].certificate.der)
            $0.byteString([UInt8](repeating: 1, count: 64))
            $0.unsigned(0)
        }
        #expect(refusal { _ = try Act(encoded: bytes) }?.code == .malformedAct)
    }

    @Test("an act of another kind is known by its kind and space")
    func otherKinds() throws {
        let act = try Act(encoded: Self.other(kind: "petition", space: someSpace))
        #expect(act == .other(kind: "petition", space: someSpace))
        #expect(act.space == someSpace && act.kind == "petition" && act.encoded == nil)
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
