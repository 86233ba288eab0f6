// The acts of a member on its own keys: the revocation of a node, and a new authority.

import CBOR
import ConcordCrypto

/// The act by which a member revokes one of its nodes, for good: of the node's replicas only what `keeps` names, and
/// what others built upon, stays in effect.
public struct Revocation: FormalAct {
    public static let kind: UTF8Text = "revoke"
    public static let parts = 6

    /// The space.
    public let space: SpaceID
    /// The node; the act counts only for replicas that the signer's authority certified.
    public let node: NodeID
    /// The cut-offs by replica; a replica that is not named is cut off at 0.
    public let keeps: VersionVector
    /// Why, for people.
    public let reason: UTF8Text
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// A revocation of these parts.
    public init(space: SpaceID, node: NodeID, keeps: VersionVector, reason: UTF8Text, timestamp: Int64) {
        self.space = space
        self.node = node
        self.keeps = keeps
        self.reason = reason
        self.timestamp = timestamp
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        self.space = space
        node = NodeID(try reader.digest())
        keeps = try reader.versionVector()
        reason = try reader.reason()
        timestamp = try reader.timestamp()
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(node.digest)
        writer.dots(keeps.dots)
        writer.text(reason.string)
        writer.timestamp(timestamp)
    }
}

/// The act by which a member names a new authority key, signed with the old one.
public struct Rotation: FormalAct {
    public static let kind: UTF8Text = "rotate"
    public static let parts = 7
    private static let proofLabel = "concord rotation"

    /// The space.
    public let space: SpaceID
    /// Whose authority.
    public let subject: MemberID
    /// The fingerprint of the key that goes.
    public let replaces: Digest
    /// The new authority's certificate in DER, self-signed.
    public let certificate: [UInt8]
    /// The fingerprint of the new key.
    public let key: Digest
    /// The new key's signature over ``proven(space:subject:replaces:key:)``: whoever names it holds it. A certificate alone
    /// anybody can copy, and so have another member's key be taken for its own.
    public let proof: Signature
    /// Milliseconds since 1970 on the drafter's clock.
    public let timestamp: Int64

    /// A rotation of these parts.
    ///
    /// - Parameter proof: the new key's signature over ``proven(space:subject:replaces:key:)``.
    /// - Throws: ``ConcordError`` E-4003 if the certificate is not an authority's or names the key that goes, or the
    ///   proof does not verify.
    public init(
        space: SpaceID, subject: MemberID, replaces: Digest, certificate: [UInt8], proof: Signature,
        timestamp: Int64
    ) throws {
        self.space = space
        self.subject = subject
        self.replaces = replaces
        self.certificate = certificate
        self.timestamp = timestamp
        self.proof = proof
        let new = try Self.key(of: certificate)
        key = new.fingerprint
        guard key != replaces else {
            throw ConcordError(.malformedAct, "a rotation names the key that it replaces")
        }
        let proven = Self.proven(space: space, subject: subject, replaces: replaces, key: key)
        guard new.isValid(proof, for: proven, as: .act) else {
            throw ConcordError(.malformedAct, "a rotation does not prove that its author holds the new key")
        }
    }

    /// A rotation to a key that is at hand.
    public init(
        space: SpaceID, subject: MemberID, replaces: Digest, certificate: [UInt8], key: PrivateKey,
        timestamp: Int64
    ) throws {
        let proven = Self.proven(
            space: space, subject: subject, replaces: replaces, key: key.publicKey.fingerprint)
        try self.init(
            space: space, subject: subject, replaces: replaces, certificate: certificate,
            proof: try key.sign(proven, as: .act), timestamp: timestamp)
    }

    /// What the new key signs: SHA-256 of `["concord rotation", space, subject, replaces, key]`.
    public static func proven(space: SpaceID, subject: MemberID, replaces: Digest, key: Digest) -> Digest {
        var writer = CBORWriter(capacity: 160)
        writer.array(5)
        writer.text(proofLabel)
        writer.digest(space.digest)
        writer.digest(subject.digest)
        writer.digest(replaces)
        writer.digest(key)
        return SHA256.hash(writer.bytes)
    }

    private static func key(of certificate: [UInt8]) throws -> PublicKey {
        // The checks of a statement are those of an authority: its purpose, and that it signed itself.
        do {
            _ = try MemberStatement(code: "", name: "", certificate: certificate)
            return try Certificate(der: certificate).publicKey
        } catch {
            throw ConcordError(.malformedAct, "a rotation names no authority: \(error)")
        }
    }

    public init(space: SpaceID, from reader: inout CBORReader) throws {
        let (subject, replaces) = (try reader.member(), try reader.digest())
        let certificate = try reader.byteString(upTo: Limits.certificateBytes)
        guard let proof = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
            throw ConcordError(.malformedAct, "the proof in a rotation is not in canonical form")
        }
        try self.init(
            space: space, subject: subject, replaces: replaces, certificate: certificate, proof: proof,
            timestamp: try reader.timestamp())
    }

    public func writeParts(to writer: inout CBORWriter) {
        writer.digest(subject.digest)
        writer.digest(replaces)
        writer.byteString(certificate)
        writer.byteString(proof.bytes)
        writer.timestamp(timestamp)
    }
}
