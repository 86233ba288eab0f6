// Charters: their one encoding, what is refused, and who may sign them.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Charters")
struct CharterTests {
    private let members: [TestMember]

    init() throws { members = try TestMember.all() }

    private func charter(
        name: UTF8Text = "Espace é", timestamp: Int64 = 1_764_000_000_000, founders: [Int] = [0, 1, 2],
        admission: UInt64 = 2, suspension: UInt64 = 2
    ) throws -> Charter {
        try Charter(
            name: name, timestamp: timestamp, founders: founders.map { members[$0].statement },
            admissionThreshold: admission, suspensionThreshold: suspension)
    }

    @Test("a charter comes back from its bytes, and its hash is the space")
    func roundTrip() throws {
        let charter = try charter()
        let again = try Charter(encoded: charter.encoded)
        #expect(again == charter)
        #expect(charter.space == SpaceID(SHA256.hash(charter.encoded)))
        #expect(charter.founders.map(\.id) == members.prefix(3).map(\.id).sorted())
        #expect(
            try self.charter(founders: [2, 0, 1]) == charter,
            "the order in which founders are given does not matter")
        #expect(try self.charter(timestamp: 5).space != charter.space)
    }

    @Test("each rule of charters is kept")
    func rules() throws {
        let long = UTF8Text(String(repeating: "x", count: Limits.authorLabelBytes + 1))
        func code(_ make: () throws -> Charter) -> ErrorCode? { refusal { _ = try make() }?.code }
        #expect(code { try charter(name: "") } == .malformedCharter)
        #expect(code { try charter(name: long) } == .malformedCharter)
        #expect(code { try charter(timestamp: -1) } == .malformedCharter)
        #expect(code { try charter(timestamp: Limits.timestamp + 1) } == .malformedCharter)
        #expect(code { try charter(founders: []) } == .malformedCharter)
        #expect(code { try charter(founders: [0, 1, 0]) } == .malformedCharter)
        #expect(code { try charter(admission: 0) } == .malformedCharter)
        #expect(code { try charter(admission: 513) } == .malformedCharter)
        #expect(code { try charter(suspension: 1) } == .malformedCharter)
        #expect(code { try charter(suspension: 513) } == .malformedCharter)
        #expect(code { try charter(founders: [0], admission: 1) } == nil)
    }

    @Test("thresholds that are less safe than they could be are said to be so")
    func warnings() throws {
        #expect(try charter(admission: 2, suspension: 2).warning == nil)
        #expect(try charter(admission: 1, suspension: 2).warning != nil)
        #expect(try charter(founders: [0, 1, 2, 3], admission: 2, suspension: 2).warning != nil)
        #expect(try charter(founders: [0, 1, 2, 3], admission: 3, suspension: 3).warning == nil)
    }

    @Test("bytes that are no charter, or not its one encoding, are refused")
    func rejects() throws {
        let charter = try charter(founders: [0, 1])
        let bytes = charter.encoded
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(refusal { _ = try Charter(encoded: Array(bytes.prefix(count))) } != nil)
        }
        #expect(refusal { _ = try Charter(encoded: bytes + [0]) }?.code == .malformedCharter)
        var label = bytes
        label[2] ^= 0x20
        #expect(refusal { _ = try Charter(encoded: label) }?.code == .malformedCharter)
        #expect(refusal { _ = try Charter(encoded: swapFounders(charter)) }?.code == .malformedCharter)
    }

    /// The charter's bytes with its two founders in descending order.
    private func swapFounders(_ charter: Charter) throws -> [UInt8] {
        let single = try charter.founders.map {
            try Charter(
                name: charter.name, timestamp: charter.timestamp, founders: [$0],
                admissionThreshold: charter.admissionThreshold,
                suspensionThreshold: charter.suspensionThreshold
            ).encoded
        }
        // The bytes around the founders are the same in both: one byte of count, then the statement, then two bytes.
        let start = zip(single[0], charter.encoded).prefix { $0 == $1 }.count + 1
        let statements = single.map { Array($0[start..<$0.count - 2]) }
        let swapped =
            Array(charter.encoded[..<start]) + statements[1] + statements[0] + charter.encoded.suffix(2)
        let straight =
            Array(charter.encoded[..<start]) + statements[0] + statements[1] + charter.encoded.suffix(2)
        #expect(straight == charter.encoded)
        return swapped
    }

    @Test("a signed charter comes back, and only a founder's signature over it is accepted")
    func signed() throws {
        let charter = try charter()
        let signed = try SignedCharter(charter: charter, key: members[1].key)
        #expect(signed.signer == members[1].id)
        let again = try SignedCharter(encoded: signed.encoded)
        #expect(again == signed && again.encoded == signed.encoded)
        func code(_ make: () throws -> SignedCharter) -> ErrorCode? { refusal { _ = try make() }?.code }
        #expect(code { try SignedCharter(charter: charter, key: members[3].key) } == .malformedCharter)
        let other = try SignedCharter(charter: try self.charter(timestamp: 7), key: members[1].key)
        #expect(
            code { try SignedCharter(charter: charter, signer: members[1].id, signature: other.signature) }
                == .malformedCharter)
        #expect(
            code { try SignedCharter(charter: charter, signer: members[0].id, signature: signed.signature) }
                == .malformedCharter)
        let act = try members[1].key.sign(charter.space.digest, as: .act)
        #expect(
            code { try SignedCharter(charter: charter, signer: members[1].id, signature: act) }
                == .malformedCharter)
        let bytes = signed.encoded
        #expect(code { try SignedCharter(encoded: bytes + [0]) } == .malformedCharter)
        #expect(code { try SignedCharter(encoded: Array(bytes.dropLast())) } == .malformedCharter)
        for place in [5, 40, bytes.count - 1, bytes.count - 70] {
            var altered = bytes
            altered[place] ^= 1
            #expect(code { try SignedCharter(encoded: altered) } != nil, "byte \(place)")
        }
    }
}
