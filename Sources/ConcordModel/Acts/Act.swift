// Formal acts: what members sign with their authorities' keys. Every act names its space, so that it cannot be
// replayed into another, and is named by the hash of its bytes, which several members sign. Grammar:
// Protocol/concord.cddl; what each kind says and who must sign it: Protocol/spaces.md.

import CBOR
import ConcordCrypto

/// A formal act.
public enum Act: Hashable, Sendable {
    /// A member or observer is admitted.
    case admission(Admission)
    /// A member is suspended.
    case suspension(Suspension)
    /// Suspensions are taken back.
    case reinstatement(Reinstatement)
    /// A node of a member is revoked, for good.
    case revocation(Revocation)
    /// A member leaves.
    case departure(Departure)
    /// A member names a new authority key.
    case rotation(Rotation)
    /// An office is given to members.
    case appointment(Appointment)
    /// A member endorses the exact text of a document.
    case endorsement(TextEndorsement)
    /// Values are to go for good.
    case erasure(Erasure)
    /// An act of a later level, kept and relayed without effect.
    case other(kind: UTF8Text, space: SpaceID)

    /// The act as a value of its kind's type, nil for an unknown one.
    private var known: (any FormalAct)? {
        switch self {
        case .admission(let act): act
        case .suspension(let act): act
        case .reinstatement(let act): act
        case .revocation(let act): act
        case .departure(let act): act
        case .rotation(let act): act
        case .appointment(let act): act
        case .endorsement(let act): act
        case .erasure(let act): act
        case .other: nil
        }
    }

    /// The space for which the act is made.
    public var space: SpaceID {
        guard case .other(_, let space) = self else { return known!.space }
        return space
    }

    /// The word by which its kind is known.
    public var kind: UTF8Text {
        guard case .other(let kind, _) = self else { return type(of: known!).kind }
        return kind
    }

    /// The canonical bytes, nil for an act of an unknown kind.
    public var encoded: [UInt8]? { known?.encoded }

    /// Reads an act from its canonical bytes.
    ///
    /// - Throws: ``ConcordError`` E-4003 if the bytes are not an act.
    public init(encoded bytes: [UInt8]) throws {
        guard bytes.count <= Limits.actBytes else {
            throw ConcordError(
                .malformedAct, "an act has \(bytes.count) bytes, \(Limits.actBytes) are allowed")
        }
        do {
            var reader = CBORReader(bytes)
            let parts = try reader.array(upTo: Limits.nesting)
            guard parts >= 2 else { throw ConcordError(.malformedAct, "an act is too short") }
            let kind = UTF8Text(try reader.text(upTo: Limits.nameBytes))
            let space = SpaceID(try reader.digest())
            self = try Self.read(kind, space, parts, &reader)
            try reader.expectEnd()
        } catch let error as CBORError {
            throw ConcordError(.malformedAct, "an act cannot be read: \(error)")
        } catch let error as ConcordError where error.code != .malformedAct {
            throw ConcordError(.malformedAct, error.message)
        }
    }

    private static func read(
        _ kind: UTF8Text, _ space: SpaceID, _ parts: Int, _ reader: inout CBORReader
    ) throws -> Act {
        func form<Form: FormalAct>(_: Form.Type, _ reader: inout CBORReader) throws -> Form {
            guard parts == Form.parts else {
                throw ConcordError(
                    .malformedAct, "an act \(kind) has \(parts) parts instead of \(Form.parts)")
            }
            return try Form(space: space, from: &reader)
        }
        switch kind {
        case Admission.kind: return .admission(try form(Admission.self, &reader))
        case Suspension.kind: return .suspension(try form(Suspension.self, &reader))
        case Reinstatement.kind: return .reinstatement(try form(Reinstatement.self, &reader))
        case Revocation.kind: return .revocation(try form(Revocation.self, &reader))
        case Departure.kind: return .departure(try form(Departure.self, &reader))
        case Rotation.kind: return .rotation(try form(Rotation.self, &reader))
        case Appointment.kind: return .appointment(try form(Appointment.self, &reader))
        case TextEndorsement.kind: return .endorsement(try form(TextEndorsement.self, &reader))
        case Erasure.kind: return .erasure(try form(Erasure.self, &reader))
        default:
            for _ in 2..<parts { try reader.skip() }
            return .other(kind: kind, space: space)
        }
    }
}

/// What all kinds of acts have in common: an array that begins with the kind and the space.
public protocol FormalAct: Hashable, Sendable {
    /// The word that stands first.
    static var kind: UTF8Text { get }
    /// The number of items, kind and space included.
    static var parts: Int { get }
    /// The space for which the act is made.
    var space: SpaceID { get }
    /// Reads what follows kind and space.
    init(space: SpaceID, from reader: inout CBORReader) throws
    /// Writes what follows kind and space.
    func writeParts(to writer: inout CBORWriter)
}

extension FormalAct {
    /// The canonical bytes, which are hashed and signed.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 512)
        writer.array(Self.parts)
        writer.text(Self.kind.string)
        writer.digest(space.digest)
        writeParts(to: &writer)
        return writer.bytes
    }

    /// The SHA-256 of the canonical bytes, which names the act.
    public var hash: Digest { SHA256.hash(encoded) }
}

extension SignedAct {
    /// Signs the canonical bytes of an act with the key of a member's authority.
    ///
    /// - Parameter signer: the member; its founding key's fingerprint if the key was never rotated.
    public init(act: [UInt8], signer: MemberID? = nil, key: PrivateKey) throws {
        self.init(
            act: act, signer: signer ?? MemberID(key.publicKey.fingerprint),
            signature: try key.sign(SHA256.hash(act), as: .act))
    }
}

extension CBORReader {
    mutating func timestamp() throws -> Int64 { Int64(try unsigned(upTo: Int(Limits.timestamp))) }

    mutating func reason() throws -> UTF8Text { UTF8Text(try text(upTo: Limits.reasonBytes)) }

    mutating func member() throws -> MemberID { MemberID(try digest()) }

    mutating func record() throws -> RecordID {
        let words = try twoWords()
        return RecordID(Bytes16(high: words.high, low: words.low))
    }

    /// Hashes, ascending and none twice.
    mutating func digests(_ range: ClosedRange<Int>) throws -> [Digest] {
        let count = try array(upTo: range.upperBound)
        guard count >= range.lowerBound else { throw ConcordError(.malformedAct, "an act names too little") }
        var digests: [Digest] = []
        for _ in 0..<count {
            let next = try digest()
            if let last = digests.last, last >= next {
                throw ConcordError(.malformedAct, "hashes in an act are not in ascending order")
            }
            digests.append(next)
        }
        return digests
    }

    mutating func versionVector() throws -> VersionVector {
        let dots = try dots(upTo: Limits.versionVectorEntries)
        let vector = VersionVector(dots)
        guard vector.elements.count == dots.count else {
            throw ConcordError(.malformedAct, "a version vector names a replica twice")
        }
        return vector
    }
}

extension CBORWriter {
    mutating func timestamp(_ timestamp: Int64) { unsigned(UInt64(max(0, timestamp))) }

    mutating func digests(_ digests: [Digest]) {
        array(digests.count)
        for digest in digests { self.digest(digest) }
    }
}
