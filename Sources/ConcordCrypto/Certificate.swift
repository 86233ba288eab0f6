// X.509 certificates (RFC 5280) as Concord uses them: a member's self-signed authority, which certifies the
// member's nodes. A certificate that is made here has one encoding, a key on P-256, a readable subject and no
// critical extension that OpenSSL does not know; whether it is *trusted*, and its dates, are for the caller
// to judge.

import COpenSSL

/// What a certificate's key may be used for.
public enum CertificatePurpose: String, Hashable, Sendable {
    /// Certifies nodes and signs formal acts.
    case authority
    /// Signs changes and authenticates TLS connections.
    case signing
    /// Receives encrypted bundles.
    case agreement
    /// None of these.
    case other
}

/// A certificate, read and found well-formed.
public final class Certificate: Sendable, Hashable, CustomStringConvertible {
    // An X509 is reference-counted; its cached extensions are computed in `init`, after which it is only
    // read.
    package nonisolated(unsafe) let pointer: OpaquePointer

    /// The certificate in DER.
    public let der: [UInt8]
    /// The SHA-256 of ``der``.
    public let digest: Digest
    /// Whom it names.
    public let subject: CertificateSubject
    /// The key that it certifies.
    public let publicKey: PublicKey
    /// First second of validity, in seconds since 1970 UTC.
    public let notBefore: Int64
    /// Last second of validity, in seconds since 1970 UTC.
    public let notAfter: Int64
    /// The serial number, big-endian without leading zeros.
    public let serial: [UInt8]
    /// What the key may be used for.
    public let purpose: CertificatePurpose

    /// The certificate in DER, exactly one and nothing after it.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedCertificate` or `.unsupportedAlgorithm`.
    public init(der: [UInt8]) throws {
        let decoded = try Self.decode(der)
        do {
            try Self.requireKnownForm(decoded)
            publicKey = try PublicKey(
                spki: OpenSSL.encoded { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(decoded), $0) })
            subject = try CertificateSubject(
                name: X509_get_subject_name(decoded), of: "certificate", failure: .malformedCertificate)
            notBefore = try Self.seconds(X509_get0_notBefore(decoded))
            notAfter = try Self.seconds(X509_get0_notAfter(decoded))
            serial = try Self.serial(of: decoded)
        } catch {
            X509_free(decoded)
            throw error
        }
        purpose = Self.purpose(of: decoded)
        pointer = decoded
        self.der = der
        digest = SHA256.hash(der)
    }

    deinit { X509_free(pointer) }

    /// The only certificate in PEM text.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedCertificate` or `.unsupportedAlgorithm`.
    public convenience init(pem: String) throws {
        let blocks = try PEMBlocks.certificates.read(pem)
        guard blocks.count == 1 else {
            throw CryptoError(
                .malformedCertificate,
                "The PEM text holds \(blocks.count) certificates where one is expected.")
        }
        try self.init(der: blocks[0])
    }

    /// All certificates in PEM text, in its order; at least one.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedCertificate` or `.unsupportedAlgorithm`.
    public static func chain(pem: String) throws -> [Certificate] {
        try PEMBlocks.certificates.read(pem).map { try Certificate(der: $0) }
    }

    /// The certificate in PEM text.
    ///
    /// - Throws: ``CryptoError`` with code `.library` if OpenSSL is out of memory.
    public func pem() throws -> String {
        try OpenSSL.text { PEM_write_bio_X509($0, pointer) }
    }

    /// Whether this is an authority: a CA that may sign certificates.
    public var isAuthority: Bool { purpose == .authority }

    /// Whether `key` made this certificate's signature. No dates, names or extensions are looked at.
    public func isSigned(by key: PublicKey) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return X509_verify(pointer, key.pointer) == 1
    }

    /// Whether `authority` is one, names itself as this certificate's issuer does, and made its signature. No
    /// dates are looked at.
    public func isIssued(by authority: Certificate) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return authority.isAuthority && X509_check_issued(authority.pointer, pointer) == X509_V_OK
            && isSigned(by: authority.publicKey)
    }

    public static func == (a: Certificate, b: Certificate) -> Bool { a.digest == b.digest }
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
    /// Code, common name and fingerprint of the key.
    public var description: String {
        "\(subject.memberCode) \(subject.commonName) (\(publicKey.fingerprint))"
    }
}
