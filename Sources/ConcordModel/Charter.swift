// The immutable founding statement of a space. Its hash is the space's id, so whoever knows the id can check the
// charter, and whoever holds the charter knows whom to trust first.

import CBOR
import ConcordCrypto

/// A member as a charter or an admission names it: its authority certificate, and code and name for display.
public struct MemberStatement: Hashable, Sendable {
    /// ISO 3166-1 alpha-3 for a State, an acronym for an organization; for display, not unique by force.
    public let code: UTF8Text
    /// The name, for display.
    public let name: UTF8Text
    /// The authority certificate in DER; its public key is the member's identity.
    public let certificate: [UInt8]
    /// The identity that follows from the certificate.
    public let id: MemberID

    /// A statement of these parts.
    ///
    /// - Throws: ``ConcordError`` E-2004 if the certificate is not an authority's.
    public init(code: UTF8Text, name: UTF8Text, certificate: [UInt8]) throws {
        guard code.byteCount <= Limits.nameBytes, name.byteCount <= Limits.authorLabelBytes,
            certificate.count <= Limits.certificateBytes
        else { throw ConcordError(.malformedCertificate, "a member's code, name or certificate is too long") }
        let parsed = try Self.parse(certificate)
        guard parsed.purpose == .authority else {
            throw ConcordError(.malformedCertificate, "the certificate of \(code) is not an authority's")
        }
        // Who introduces a key must have it: otherwise a key that was computed from somebody's node certificate, so that
        // the certificate's signature verifies with it too, could claim that member's chains.
        guard parsed.isSigned(by: parsed.publicKey) else {
            throw ConcordError(
                .malformedCertificate, "the certificate of \(code) is not signed with its own key")
        }
        self.code = code
        self.name = name
        self.certificate = certificate
        id = MemberID(authority: parsed)
    }

    /// What an authority certificate says of its member.
    public init(authority: Certificate) throws {
        try self.init(
            code: UTF8Text(authority.subject.memberCode), name: UTF8Text(authority.subject.memberName),
            certificate: authority.der)
    }

    private static func parse(_ der: [UInt8]) throws -> Certificate {
        do {
            return try Certificate(der: der)
        } catch {
            throw ConcordError(.malformedCertificate, "an authority certificate cannot be read: \(error)")
        }
    }

    func write(to writer: inout CBORWriter) {
        writer.array(3)
        writer.text(code.string)
        writer.text(name.string)
        writer.byteString(certificate)
    }

    init(from reader: inout CBORReader) throws {
        try reader.array(count: 3)
        try self.init(
            code: UTF8Text(try reader.text(upTo: Limits.nameBytes)),
            name: UTF8Text(try reader.text(upTo: Limits.authorLabelBytes)),
            certificate: try reader.byteString(upTo: Limits.certificateBytes))
    }
}

/// The founding statement: what the space is called, who founds it, and how many must agree.
public struct Charter: Hashable, Sendable {
    /// The name, for display.
    public let name: UTF8Text
    /// Milliseconds since 1970 on the founder's clock.
    public let timestamp: Int64
    /// The founding members, ascending by id, at least one.
    public let founders: [MemberStatement]
    /// How many distinct members must endorse an admission or a reinstatement; at least 1.
    public let admissionThreshold: UInt64
    /// How many distinct members must endorse a suspension; at least 2.
    public let suspensionThreshold: UInt64
    /// The canonical bytes, which are hashed.
    public let encoded: [UInt8]

    /// The space that this charter founds.
    public var space: SpaceID { SpaceID(SHA256.hash(encoded)) }

    /// A charter of these parts; founders are put into order.
    ///
    /// - Throws: ``ConcordError`` E-4002 if there is no founder, one twice, or a threshold out of range.
    public init(
        name: UTF8Text, timestamp: Int64, founders: [MemberStatement],
        admissionThreshold: UInt64, suspensionThreshold: UInt64
    ) throws {
        let founders = founders.sorted { $0.id < $1.id }
        self.name = name
        self.timestamp = timestamp
        self.founders = founders
        self.admissionThreshold = admissionThreshold
        self.suspensionThreshold = suspensionThreshold
        var writer = CBORWriter(capacity: 1024)
        writer.array(6)
        writer.text("concord charter")
        writer.text(name.string)
        writer.unsigned(UInt64(max(0, timestamp)))
        writer.array(founders.count)
        for founder in founders { founder.write(to: &writer) }
        writer.unsigned(admissionThreshold)
        writer.unsigned(suspensionThreshold)
        encoded = writer.bytes
        try check()
    }

    /// Reads a charter from its canonical bytes.
    public init(encoded bytes: [UInt8]) throws {
        do {
            var reader = CBORReader(bytes)
            try reader.array(count: 6)
            guard try reader.text(upTo: Limits.nameBytes) == "concord charter" else {
                throw ConcordError(.malformedCharter, "the bytes are not a charter")
            }
            let name = UTF8Text(try reader.text(upTo: Limits.authorLabelBytes))
            let timestamp = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
            var founders: [MemberStatement] = []
            for _ in 0..<(try reader.array(upTo: Limits.founders)) {
                founders.append(try MemberStatement(from: &reader))
            }
            let admission = try reader.unsigned()
            let suspension = try reader.unsigned()
            try reader.expectEnd()
            try self.init(
                name: name, timestamp: timestamp, founders: founders, admissionThreshold: admission,
                suspensionThreshold: suspension)
            guard encoded == bytes else {
                throw ConcordError(.malformedCharter, "the founders are not in ascending order")
            }
        } catch let error as CBORError {
            throw ConcordError(.malformedCharter, "a charter cannot be read: \(error)")
        }
    }

    private func check() throws {
        func refuse(_ message: String) -> ConcordError { ConcordError(.malformedCharter, message) }
        guard !name.string.isEmpty, name.byteCount <= Limits.authorLabelBytes else {
            throw refuse("the name of a space has 1 to \(Limits.authorLabelBytes) bytes")
        }
        guard timestamp >= 0, timestamp <= Limits.timestamp else { throw refuse("the date is out of range") }
        guard !founders.isEmpty, founders.count <= Limits.founders else {
            throw refuse("a space has 1 to \(Limits.founders) founders")
        }
        for (a, b) in zip(founders, founders.dropFirst()) where a.id == b.id {
            throw refuse("\(a.code) is a founder twice")
        }
        guard (1...UInt64(Limits.founders)).contains(admissionThreshold) else {
            throw refuse("the threshold for admission is at least 1")
        }
        guard (2...UInt64(Limits.founders)).contains(suspensionThreshold) else {
            throw refuse("the threshold for suspension is at least 2")
        }
    }

    /// Why the thresholds are less safe than they could be, for the person who founds the space; nil if they are safe.
    public var warning: String? {
        if suspensionThreshold * 2 <= UInt64(founders.count) {
            return "half of the founders could suspend the others: safe is a suspension threshold above "
                + "\(founders.count / 2)"
        }
        if admissionThreshold < suspensionThreshold {
            return
                "fewer members can admit than suspend, so some could admit the votes that they lack: safe is an "
                + "admission threshold of at least \(suspensionThreshold)"
        }
        return nil
    }
}

/// A charter with a founder's signature: who wrote it.
public struct SignedCharter: Hashable, Sendable {
    /// The charter.
    public let charter: Charter
    /// The founder that signs.
    public let signer: MemberID
    /// Its authority's signature over the charter's hash.
    public let signature: Signature

    /// Checks the signature.
    ///
    /// - Throws: ``ConcordError`` E-4002 if the signer is no founder or the signature does not verify.
    public init(charter: Charter, signer: MemberID, signature: Signature) throws {
        guard let founder = charter.founders.first(where: { $0.id == signer }) else {
            throw ConcordError(.malformedCharter, "the charter is not signed by a founder")
        }
        let key = try Certificate(der: founder.certificate).publicKey
        guard key.isValid(signature, for: charter.space.digest, as: .charter) else {
            throw ConcordError(.malformedCharter, "the signature under the charter does not verify")
        }
        self.charter = charter
        self.signer = signer
        self.signature = signature
    }

    /// Signs a charter with a founder's authority key.
    public init(charter: Charter, key: PrivateKey) throws {
        try self.init(
            charter: charter, signer: MemberID(key.publicKey.fingerprint),
            signature: try key.sign(charter.space.digest, as: .charter))
    }

    /// `[charter, signer, signature]` in deterministic CBOR.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: charter.encoded.count + 128)
        writer.array(3)
        writer.byteString(charter.encoded)
        writer.digest(signer.digest)
        writer.byteString(signature.bytes)
        return writer.bytes
    }

    /// Reads and checks a signed charter.
    public init(encoded bytes: [UInt8]) throws {
        do {
            var reader = CBORReader(bytes)
            try reader.array(count: 3)
            let charter = try Charter(encoded: try reader.byteString(upTo: Limits.frameBytes))
            let signer = MemberID(try reader.digest())
            guard let signature = Signature(bytes: try reader.byteString(count: Signature.byteCount)) else {
                throw ConcordError(.malformedCharter, "the signature is not in canonical form")
            }
            try reader.expectEnd()
            try self.init(charter: charter, signer: signer, signature: signature)
        } catch let error as CBORError {
            throw ConcordError(.malformedCharter, "a signed charter cannot be read: \(error)")
        }
    }
}
