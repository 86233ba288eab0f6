// A receipt: what a node says, under its signature, to hold durably. Receipts travel outside the log, the latest of a
// node replaces those before it, and peers pass them on: so a node knows what members lack whom it reaches only
// through others. It is for people who want to know how far something has come, and says what a bundle for the node may
// leave out; nothing else is decided by it. It also shows the certificate to which bundles for the node are encrypted.

import CBOR
import ConcordCrypto

extension Limits {
    /// Milliseconds between two receipts of one node.
    public static let receiptInterval: Int64 = 600_000
    /// Milliseconds by which a receipt's timestamp may be ahead of the reader's clock.
    public static let receiptClockAhead: Int64 = 86_400_000
    /// Nodes of one member whose receipts are kept.
    public static let receiptsPerMember = 64
}

/// What a node holds durably, signed by it.
public struct Receipt: Hashable, Sendable {
    private static let label = "concord receipt"
    /// Of nodes that show no certificate for key agreement, as earlier ones did not.
    private static let partsAlone = 5

    /// The space.
    public let space: SpaceID
    /// The member whose node signs.
    public let member: MemberID
    /// What the node holds, by the names that it has for chains.
    public let holds: VersionVector
    /// When, in milliseconds since 1970 on the node's clock: the latest of a node counts.
    public let timestamp: Int64
    /// The node's certificate for key agreement in DER, nil if it shows none.
    public let agreement: [UInt8]?
    /// The node's signing certificate in DER.
    public let certificate: [UInt8]
    /// The node that the certificate names.
    public let node: NodeID
    /// The node's signature over the hash of ``content``.
    public let signature: Signature

    /// Makes a receipt.
    ///
    /// - Parameters:
    ///   - agreement: the node's certificate for key agreement, to be shown to those who make bundles.
    ///   - sign: signs the hash with the node's key, for ``SignaturePrefix/receipt``.
    /// - Throws: what `sign` throws.
    public init(
        space: SpaceID, member: MemberID, holds: VersionVector, timestamp: Int64, certificate: Certificate,
        agreement: Certificate? = nil, sign: (Digest) throws -> Signature
    ) throws {
        let timestamp = min(max(0, timestamp), Limits.timestamp)
        let content = Self.content(space, member, holds, timestamp, agreement?.der)
        self.init(
            space: space, member: member, holds: holds, timestamp: timestamp, certificate: certificate,
            agreement: agreement?.der, signature: try sign(SHA256.hash(content)))
    }

    /// Makes a receipt with the node's key.
    ///
    /// - Throws: ``CryptoError`` if OpenSSL refuses to sign.
    public init(
        space: SpaceID, member: MemberID, holds: VersionVector, timestamp: Int64, certificate: Certificate,
        key: PrivateKey
    ) throws {
        try self.init(
            space: space, member: member, holds: holds, timestamp: timestamp, certificate: certificate
        ) { try key.sign($0, as: .receipt) }
    }

    private init(
        space: SpaceID, member: MemberID, holds: VersionVector, timestamp: Int64, certificate: Certificate,
        agreement: [UInt8]?, signature: Signature
    ) {
        self.space = space
        self.member = member
        self.holds = holds
        self.timestamp = timestamp
        self.agreement = agreement
        self.certificate = certificate.der
        node = NodeID(certificate: certificate)
        self.signature = signature
    }

    /// Reads a receipt from its canonical bytes. Whether it is true is another question: ``verify(authorities:now:)``.
    ///
    /// - Throws: ``ConcordError`` E-3018 if the bytes are no receipt.
    public init(encoded bytes: [UInt8]) throws {
        do {
            var reader = CBORReader(bytes)
            try self.init(from: &reader)
            try reader.expectEnd()
        } catch let error as CBORError {
            throw Self.refusal("it cannot be read: \(error)")
        }
    }

    /// Reads a receipt as a part of something else.
    ///
    /// - Throws: ``ConcordError`` E-3018, or ``CBORError`` if the bytes are not in their one encoding.
    public init(from reader: inout CBORReader) throws {
        try reader.array(count: 3)
        var content = CBORReader(try reader.byteString(upTo: Limits.frameBytes))
        let der = try reader.byteString(upTo: Limits.certificateBytes)
        guard let signature = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
            throw Self.refusal("its signature is not in canonical form")
        }
        let parts = try content.array(upTo: Self.partsAlone + 1)
        guard parts >= Self.partsAlone else { throw Self.refusal("the bytes are not a receipt") }
        guard try content.text(upTo: Limits.nameBytes) == Self.label else {
            throw Self.refusal("the bytes are not a receipt")
        }
        let space = SpaceID(try content.digest())
        let member = MemberID(try content.digest())
        let holds = try content.receiptVector()
        let timestamp = Int64(try content.unsigned(upTo: Int(Limits.timestamp)))
        let agreement =
            parts > Self.partsAlone ? try content.byteString(upTo: Limits.certificateBytes) : nil
        try content.expectEnd()
        guard let certificate = try? Certificate(der: der) else {
            throw Self.refusal("its certificate cannot be read")
        }
        self.init(
            space: space, member: member, holds: holds, timestamp: timestamp, certificate: certificate,
            agreement: agreement, signature: signature)
    }

    /// `[content, certificate, signature]` in deterministic CBOR.
    public var encoded: [UInt8] {
        let content = content
        var writer = CBORWriter(capacity: content.count + certificate.count + 96)
        writer.array(3)
        writer.byteString(content)
        writer.byteString(certificate)
        writer.byteString(signature.bytes)
        return writer.bytes
    }

    /// The canonical bytes, which are hashed and signed.
    public var content: [UInt8] { Self.content(space, member, holds, timestamp, agreement) }

    /// Checks that a node of the member signed this.
    ///
    /// - Parameters:
    ///   - authorities: the certificates, in DER, of the authority keys by which the roster knows the member.
    ///   - now: milliseconds since 1970 on the own clock. The dates of the node's certificate do not count.
    /// - Throws: ``ConcordError`` E-3018.
    public func verify(authorities: [[UInt8]], now: Int64) throws {
        guard timestamp <= now + Limits.receiptClockAhead else {
            throw Self.refusal("its timestamp is more than a day ahead of our clock")
        }
        guard let node = try? Certificate(der: certificate), node.purpose == .signing else {
            throw Self.refusal("its certificate is made for another purpose")
        }
        let known = authorities.compactMap { try? Certificate(der: $0) }
        guard known.contains(where: { node.isIssued(by: $0) }) else {
            throw Self.refusal("its node is not certified by an authority of the member that it names")
        }
        if let agreement {
            let shown = try? Certificate(der: agreement)
            guard let shown, shown.purpose == .agreement, known.contains(where: { shown.isIssued(by: $0) })
            else {
                throw Self.refusal("the certificate that it shows is none of the member's for key agreement")
            }
        }
        guard node.publicKey.isValid(signature, for: SHA256.hash(content), as: .receipt) else {
            throw Self.refusal("its signature does not verify")
        }
    }

    /// Whether this one takes the place of another of the same node in the same space: the later one does, and of two
    /// with one timestamp the one whose content has the higher hash, so that all readers choose alike.
    public func replaces(_ other: Receipt) -> Bool {
        guard timestamp == other.timestamp else { return timestamp > other.timestamp }
        return SHA256.hash(other.content) < SHA256.hash(content)
    }

    private static func content(
        _ space: SpaceID, _ member: MemberID, _ holds: VersionVector, _ timestamp: Int64,
        _ agreement: [UInt8]?
    ) -> [UInt8] {
        var writer = CBORWriter(capacity: holds.elements.count * 28 + 112 + (agreement?.count ?? 0))
        writer.array(agreement == nil ? partsAlone : partsAlone + 1)
        writer.text(label)
        writer.digest(space.digest)
        writer.digest(member.digest)
        writer.dots(holds.dots)
        writer.unsigned(UInt64(timestamp))
        if let agreement { writer.byteString(agreement) }
        return writer.bytes
    }

    private static func refusal(_ reason: String) -> ConcordError {
        ConcordError(.badReceipt, "a receipt is refused: \(reason)")
    }
}

extension CBORReader {
    /// Reads `[replica, sequence]` pairs, ascending by replica and each replica once.
    fileprivate mutating func receiptVector() throws -> VersionVector {
        let dots: [Dot]
        do {
            dots = try self.dots(upTo: Limits.versionVectorEntries)
        } catch let error as ConcordError {
            throw ConcordError(.badReceipt, "a receipt is refused: \(error.message)")
        }
        var last: ReplicaID?
        for dot in dots {
            guard dot.replica != last else {
                throw ConcordError(.badReceipt, "a receipt is refused: it names a replica twice")
            }
            last = dot.replica
        }
        return VersionVector(dots)
    }
}
