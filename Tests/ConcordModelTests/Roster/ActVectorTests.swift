// Protocol/vectors/acts.json shows one act of each kind with a signature, a few that must be refused, and a roster that
// follows from endorsements. This implementation must agree with it.
//
// `CONCORD_WRITE_VECTORS=1 swift test --filter ActVector` writes the file anew, after a deliberate change of the format.
// Signatures and certificates differ each time it is written, since ECDSA is randomised.

import CBOR
import ConcordCrypto
import ConcordModel
import Foundation
import Testing

/// The file's shape. Bytes are hexadecimal digits.
struct ActVectors: Codable {
    struct SomeAct: Codable {
        let kind: String
        let act: String
        let hash: String
        /// The place of the signer's key in ``keys``.
        let signer: Int
        /// With the prefix "concord/1 act".
        let signature: String
    }

    struct Refused: Codable {
        let note: String
        let act: String
    }

    /// A set of valid endorsements, and the roster that follows from it.
    struct Fold: Codable {
        struct Endorsement: Codable {
            let act: String
            /// The places of the signers' keys in ``keys``.
            let signers: [Int]
        }

        struct Line: Codable, Equatable {
            let member: String
            let role: Int
            let suspensions: [String]
            let authorities: [String]
        }

        let note: String
        let endorsements: [Endorsement]
        /// Ascending by member.
        let roster: [Line]
        /// SHA-256 of the canonical form, which enters the digest of a space.
        let term: String
    }

    let description: String
    /// PKCS#8 PEM of the members' founding authority keys, for tests only.
    let keys: [String]
    let charter: String
    let space: String
    let acts: [SomeAct]
    let refused: [Refused]
    let folds: [Fold]

    static let file = ChangeVectors.file.deletingLastPathComponent().appending(path: "acts.json")

    static func load() throws -> ActVectors {
        try JSONDecoder().decode(ActVectors.self, from: Data(contentsOf: file))
    }

    static func make() throws -> ActVectors {
        let members = try TestMember.all()
        let charter = try Charter(
            name: "Vectors", timestamp: 1_763_999_999_000, founders: members.prefix(4).map(\.statement),
            admissionThreshold: 2, suspensionThreshold: 3)
        let some = try SomeActs(charter.space)
        let acts = try some.all().map { act, form in
            let signed = try SignedAct(act: form.encoded, key: members[0].key)
            return SomeAct(
                kind: act.kind.string, act: hexadecimal(form.encoded), hash: form.hash.description, signer: 0,
                signature: hexadecimal(signed.signature.bytes))
        }
        return ActVectors(
            description:
                "Formal acts, and rosters that follow from valid endorsements of them (Protocol/spaces.md). Bytes are "
                + "hexadecimal. The private keys are public: for tests only.",
            keys: (0..<TestKeys.count).map(TestKeys.pem), charter: hexadecimal(charter.encoded),
            space: charter.space.description, acts: acts, refused: try refused(some),
            folds: try folds(some, charter))
    }

    private static func refused(_ some: SomeActs) throws -> [Refused] {
        let suspension = some.suspend(1, keeps: [Dot(1, 5)]).encoded
        let twice = actBytes("reinstate", 5) {
            $0.digest(SHA256.hash([1]))
            $0.array(2)
            for _ in 0..<2 { $0.digest(SHA256.hash([2])) }
            $0.unsigned(0)
        }
        let office = actBytes("appoint", 6) {
            $0.text("king")
            $0.array(0)
            $0.array(0)
            $0.unsigned(0)
        }
        let nobody = actBytes("leave", 6) {
            $0.digest(SHA256.hash([1]))
            $0.array(0)
            $0.array(0)
            $0.unsigned(0)
        }
        let same = actBytes("rotate", 6) {
            $0.digest(some.members[0].id.digest)
            $0.digest(some.members[0].id.digest)
            $0.byteString(some.members[0].certificate.der)
            $0.unsigned(0)
        }
        let cases: [(String, [UInt8])] = [
            ("the last byte is missing", Array(suspension.dropLast())), ("a byte too many", suspension + [0]),
            ("a part too many", [suspension[0] + 1] + suspension.dropFirst() + [0]),
            ("an act without a space", [0x81, 0x61, 0x78]), ("a hash named twice", twice),
            ("an office that there is not", office), ("a departure from nothing", nobody),
            ("a rotation to the key that goes", same),
        ]
        return cases.map { Refused(note: $0.0, act: hexadecimal($0.1)) }
    }

    private static func folds(_ some: SomeActs, _ charter: Charter) throws -> [Fold] {
        let (first, second) = (some.suspend(3, at: 1), some.suspend(3, at: 2))
        let leave = some.leave(2, [charter.space.digest], keeps: [Dot(1, 7)])
        let rotation = try some.rotate(1, from: 1, to: 5)
        let cases: [(String, [(any FormalAct, [Int])])] = [
            ("the founders alone", []),
            (
                "an observer, and a member below the threshold",
                [(some.admit(4, .observer), [0, 1]), (some.admit(5), [0])]
            ),
            (
                "two suspensions, of which one is taken back",
                [
                    (first, [0, 1, 2]), (second, [0, 1, 2]), (some.reinstate(3, [first]), [0, 1]),
                ]
            ),
            ("a suspension by two, where it takes three", [(first, [0, 1])]),
            (
                "a departure, and a return as observer",
                [(leave, [2]), (some.admit(2, .observer, at: 5), [0, 1])]
            ),
            (
                "a rotated key, and one rotated in a circle",
                [
                    (rotation, [1]), (try some.rotate(0, from: 0, to: 4), [0]),
                    (try some.rotate(0, from: 4, to: 0), [0]),
                ]
            ),
            (
                "leaving does not lift a suspension, and a return brings it back",
                [
                    (first, [0, 1, 2]), (some.leave(3, [charter.space.digest]), [3]),
                    (some.admit(3, at: 9), [0, 1]),
                ]
            ),
        ]
        return try cases.map { note, acts in
            let endorsements = try acts.flatMap { pair in
                let act = pair.0
                return try some.endorsements(act, by: pair.1)
            }
            let roster = Roster(charter: charter, endorsements: endorsements)
            return Fold(
                note: note,
                endorsements: acts.map { .init(act: hexadecimal($0.0.encoded), signers: $0.1) },
                roster: lines(roster), term: term(roster).description)
        }
    }

    static func lines(_ roster: Roster) -> [Fold.Line] {
        roster.entries.map { entry in
            Fold.Line(
                member: entry.statement.id.description, role: Int(entry.role.rawValue),
                suspensions: entry.suspensions.map(\.description),
                authorities: entry.authorityKeys.map(\.description))
        }
    }

    /// The roster's term of the digest, as changes.md says.
    static func term(_ roster: Roster) -> Digest {
        var writer = CBORWriter()
        writer.array(roster.entries.count)
        for entry in roster.entries {
            writer.array(3)
            writer.digest(entry.statement.id.digest)
            writer.unsigned(entry.role.rawValue)
            writer.array(entry.suspensions.count)
            for suspension in entry.suspensions { writer.digest(suspension) }
        }
        return SHA256.hash(writer.bytes)
    }
}

@Suite("Formal acts: vectors", .serialized)
struct ActVectorTests {
    private static let isWriting = ProcessInfo.processInfo.environment["CONCORD_WRITE_VECTORS"] == "1"

    @Test("the file is written anew", .enabled(if: isWriting))
    func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var bytes = try encoder.encode(try ActVectors.make())
        bytes.append(0x0a)
        try bytes.write(to: ActVectors.file)
    }

    @Test("every kind of act is read, has its hash, and is signed with a key of the file")
    func acts() throws {
        let vectors = try ActVectors.load()
        #expect(vectors.acts.count == 9)
        for vector in vectors.acts {
            let encoded = try #require(bytes(hexadecimal: vector.act))
            let act = try Act(encoded: encoded)
            #expect(
                act.kind.string == vector.kind && act.encoded == encoded
                    && act.space.description == vectors.space)
            let hash = SHA256.hash(encoded)
            #expect(hash.description == vector.hash, "\(vector.kind)")
            let key = try PrivateKey(pem: vectors.keys[vector.signer]).publicKey
            let signed = try #require(bytes(hexadecimal: vector.signature))
            let signature = try #require(Signature(bytes: signed))
            #expect(key.isValid(signature, for: hash, as: .act), "\(vector.kind)")
        }
    }

    @Test("what the file lists as refused is refused")
    func refused() throws {
        let vectors = try ActVectors.load()
        #expect(vectors.refused.count >= 8)
        for vector in vectors.refused {
            let encoded = try #require(bytes(hexadecimal: vector.act))
            #expect(refusal { _ = try Act(encoded: encoded) }?.code == .malformedAct, "\(vector.note)")
        }
    }

    @Test("endorsements give the rosters of the file")
    func folds() throws {
        let vectors = try ActVectors.load()
        let charter = try Charter(encoded: try #require(bytes(hexadecimal: vectors.charter)))
        let members = try vectors.keys.map { MemberID(try PrivateKey(pem: $0).publicKey.fingerprint) }
        for fold in vectors.folds {
            let endorsements = try fold.endorsements.flatMap { endorsement in
                let encoded = try #require(bytes(hexadecimal: endorsement.act))
                let act = try Act(encoded: encoded)
                return endorsement.signers.map {
                    Endorsement(signer: members[$0], hash: SHA256.hash(encoded), act: act)
                }
            }
            let roster = Roster(charter: charter, endorsements: endorsements)
            #expect(ActVectors.lines(roster) == fold.roster, "\(fold.note)")
            #expect(ActVectors.term(roster).description == fold.term, "\(fold.note)")
        }
    }
}
