// Formal acts on the roster: what members sign with their authorities' keys. Every act names its space, so that it
// cannot be replayed into another. Grammar of all acts: Protocol/concord.cddl; this level interprets admissions and
// keeps and relays the others, whose form is final already, as opaque bytes.

import CBOR
import ConcordCrypto

/// A formal act.
public enum Act: Hashable, Sendable {
    /// A member or observer is admitted.
    case admission(Admission)
    /// An act of another kind, kept and relayed without effect at this level.
    case other(kind: UTF8Text, space: SpaceID)

    /// The space for which the act is made.
    public var space: SpaceID {
        switch self {
        case .admission(let admission): admission.space
        case .other(_, let space): space
        }
    }

    /// Reads an act from its canonical bytes.
    ///
    /// - Throws: ``ConcordError`` E-4003 if the bytes are not an act.
    public init(encoded bytes: [UInt8]) throws {
        do {
            var reader = CBORReader(bytes)
            let count = try reader.array(upTo: Limits.nesting)
            guard count >= 2 else { throw ConcordError(.malformedAct, "an act is too short") }
            let kind = UTF8Text(try reader.text(upTo: Limits.nameBytes))
            let space = SpaceID(try reader.digest())
            guard kind == Admission.kind else {
                for _ in 2..<count { try reader.skip() }
                try reader.expectEnd()
                self = .other(kind: kind, space: space)
                return
            }
            guard count == Admission.parts else {
                throw ConcordError(.malformedAct, "an admission is incomplete")
            }
            let admission = try Admission(space: space, from: &reader)
            try reader.expectEnd()
            self = .admission(admission)
        } catch let error as CBORError {
            throw ConcordError(.malformedAct, "an act cannot be read: \(error)")
        }
    }
}

/// The role in which a member stands on the roster.
public enum Role: UInt64, Hashable, Sendable {
    /// Reads and writes.
    case member = 0
    /// Reads.
    case observer = 1

    /// The word for people and for JSON.
    public var word: String { self == .member ? "member" : "observer" }
}

/// The act by which a member or observer is admitted to a space.
public struct Admission: Hashable, Sendable {
    static let kind: UTF8Text = "admit"
    static let parts = 6

    /// The space.
    public let space: SpaceID
    /// Who is admitted.
    public let subject: MemberStatement
    /// As what.
    public let role: Role
    /// The former identity whose records the subject takes over, for a member whose authority was lost.
    public let predecessor: MemberID?
    /// Milliseconds since 1970 on the drafter's clock; tells two admissions of one subject apart.
    public let timestamp: Int64

    /// An admission of these parts.
    public init(
        space: SpaceID, subject: MemberStatement, role: Role, predecessor: MemberID?, timestamp: Int64
    ) {
        self.space = space
        self.subject = subject
        self.role = role
        self.predecessor = predecessor
        self.timestamp = timestamp
    }

    /// The canonical bytes, which are hashed and signed.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: subject.certificate.count + 256)
        writer.array(Self.parts)
        writer.text(Self.kind.string)
        writer.digest(space.digest)
        subject.write(to: &writer)
        writer.unsigned(role.rawValue)
        writer.byteString(predecessor?.digest.bytes ?? [])
        writer.unsigned(UInt64(max(0, timestamp)))
        return writer.bytes
    }

    init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        subject = try MemberStatement(from: &reader)
        guard let role = Role(rawValue: try reader.unsigned()) else {
            throw ConcordError(.malformedAct, "an admission names an unknown role")
        }
        self.role = role
        let predecessor = try reader.byteString(upTo: 32)
        guard predecessor.isEmpty || predecessor.count == 32 else {
            throw ConcordError(.malformedAct, "an admission names a malformed predecessor")
        }
        self.predecessor = Digest(bytes: predecessor).map(MemberID.init)
        timestamp = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
    }
}

extension SignedAct {
    /// Signs the canonical bytes of an act with an authority's key.
    public init(act: [UInt8], key: PrivateKey) throws {
        self.init(
            act: act, signer: MemberID(key.publicKey.fingerprint),
            signature: try key.sign(SHA256.hash(act), as: .act))
    }
}
