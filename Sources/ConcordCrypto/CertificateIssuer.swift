// Makes certificates: a member's self-signed authority, and what the authority certifies for its nodes. What
// is made here passes `openssl verify`, so that a ministry can run its authority with other tools just as
// well.

import COpenSSL

/// Issues X.509 certificates.
public enum CertificateIssuer {
    /// What the key of a node is certified for.
    public enum NodePurpose: Hashable, Sendable {
        /// Signing changes and authenticating TLS connections.
        case signing
        /// Receiving encrypted bundles.
        case agreement
    }

    /// A self-signed authority certificate for `key`, valid from `notBefore` to `notAfter` (seconds since
    /// 1970 UTC).
    ///
    /// - Throws: ``CryptoError`` with code `.cannotIssue` if a part of `subject` is empty, longer than 64
    ///   characters or holds control characters, or if the dates are in the wrong order.
    public static func authority(
        subject: CertificateSubject, key: PrivateKey, notBefore: Int64, notAfter: Int64
    ) throws -> Certificate {
        let draft = try CertificateDraft(publicKey: key.publicKey, notBefore: notBefore, notAfter: notAfter)
        try draft.setSubject(subject)
        try draft.setIssuer(nil)
        try draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature")
        try draft.addKeyIdentifiers(issuer: nil, issuerKey: key)
        return try draft.signed(with: key)
    }

    /// A certificate by which the authority `issuer` certifies `publicKey` as a key of its node `commonName`.
    /// Code and name of the member are the authority's.
    ///
    /// - Throws: ``CryptoError`` with code `.keyMismatch` if `issuerKey` is not the authority's, or
    ///   `.cannotIssue`.
    public static func node(
        commonName: String, publicKey: PublicKey, purpose: NodePurpose, issuer: Certificate,
        issuerKey: PrivateKey,
        notBefore: Int64, notAfter: Int64
    ) throws -> Certificate {
        guard issuer.isAuthority else {
            throw CryptoError(.cannotIssue, "The issuer's certificate is not an authority's.")
        }
        guard issuer.publicKey == issuerKey.publicKey else {
            throw CryptoError(.keyMismatch, "The key does not belong to the authority's certificate.")
        }
        let draft = try CertificateDraft(publicKey: publicKey, notBefore: notBefore, notAfter: notAfter)
        try draft.setSubject(
            CertificateSubject(
                memberCode: issuer.subject.memberCode, memberName: issuer.subject.memberName,
                commonName: commonName))
        try draft.setIssuer(issuer)
        try draft.add(NID_basic_constraints, "critical,CA:FALSE")
        switch purpose {
        case .signing:
            try draft.add(NID_key_usage, "critical,digitalSignature")
            try draft.add(NID_ext_key_usage, "serverAuth,clientAuth")
        case .agreement:
            try draft.add(NID_key_usage, "critical,keyAgreement")
        }
        try draft.addKeyIdentifiers(issuer: issuer, issuerKey: issuerKey)
        return try draft.signed(with: issuerKey)
    }
}

/// A certificate under construction.
private final class CertificateDraft {
    private let pointer: OpaquePointer

    init(publicKey: PublicKey, notBefore: Int64, notAfter: Int64) throws {
        guard notBefore < notAfter else {
            throw CryptoError(.cannotIssue, "The certificate would end before it begins.")
        }
        ERR_clear_error()
        guard let draft = X509_new() else { throw CryptoError(.library, "OpenSSL is out of memory.") }
        pointer = draft
        var serial = try Randomness.bytes(16)
        serial[0] = serial[0] & 0x3F | 0x40  // positive, and always 16 bytes long
        guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { BN_free(number) }
        try Self.check(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(draft)) != nil, "serial number")
        try Self.check(X509_set_version(draft, Int(X509_VERSION_3)) == 1, "version")
        try Self.check(ASN1_TIME_set(X509_getm_notBefore(draft), Int(notBefore)) != nil, "first date")
        try Self.check(ASN1_TIME_set(X509_getm_notAfter(draft), Int(notAfter)) != nil, "last date")
        try Self.check(X509_set_pubkey(draft, publicKey.pointer) == 1, "public key")
    }

    deinit { X509_free(pointer) }

    func setSubject(_ subject: CertificateSubject) throws {
        try subject.write(to: X509_get_subject_name(pointer))
    }

    /// Names the issuer; nil means the certificate itself.
    func setIssuer(_ issuer: Certificate?) throws {
        let name = X509_get_subject_name(issuer?.pointer ?? pointer)
        try Self.check(X509_set_issuer_name(pointer, name) == 1, "issuer")
    }

    /// Adds an extension in the notation of openssl.cnf.
    func add(_ identifier: Int32, _ value: String, context: UnsafeMutablePointer<X509V3_CTX>? = nil) throws {
        guard let made = X509V3_EXT_conf_nid(nil, context, identifier, value) else {
            throw CryptoError(.library, "OpenSSL could not make the extension \(value).")
        }
        defer { X509_EXTENSION_free(made) }
        try Self.check(X509_add_ext(pointer, made, -1) == 1, "extension \(value)")
    }

    /// Adds the subject's and the authority's key identifiers, by which other tools order a chain.
    func addKeyIdentifiers(issuer: Certificate?, issuerKey: PrivateKey) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer?.pointer ?? pointer, pointer, nil, nil, 0)
        try Self.check(X509V3_set_issuer_pkey(&context, issuerKey.pointer) == 1, "issuer's key")
        try add(NID_subject_key_identifier, "hash", context: &context)
        try add(NID_authority_key_identifier, "keyid:always", context: &context)
    }

    /// Signs the draft and reads it back, so that nothing is issued that Concord itself would refuse.
    func signed(with key: PrivateKey) throws -> Certificate {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            throw CryptoError(.library, "OpenSSL offers no SHA-256.")
        }
        defer { EVP_MD_free(algorithm) }
        guard X509_sign(pointer, key.pointer, algorithm) > 0 else {
            throw CryptoError(.signingFailed, "The authority's key could not sign the certificate.")
        }
        return try Certificate(der: OpenSSL.encoded { i2d_X509(pointer, $0) })
    }

    private static func check(_ succeeded: Bool, _ what: String) throws {
        guard succeeded else {
            throw CryptoError(.library, "OpenSSL could not set the certificate's \(what).")
        }
    }
}
