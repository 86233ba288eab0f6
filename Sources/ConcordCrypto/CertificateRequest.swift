// Certificate requests (PKCS#10, RFC 2986): what a machine in the field sends to its member's authority, so that its
// private keys never travel. A request that is made or read here has one encoding, a key on P-256, a readable
// subject, and a signature by that very key: whoever sent it holds the private half. Nothing else in it is taken
// over when it is certified.

import COpenSSL

/// A certificate request, read and found well-formed, whose sender has proved to hold the key.
public final class CertificateRequest: Sendable, Hashable {
    /// The request in DER.
    public let der: [UInt8]
    /// The SHA-256 of ``der``.
    public let digest: Digest
    /// Whom it names.
    public let subject: CertificateSubject
    /// The key that is to be certified.
    public let publicKey: PublicKey
    /// What the key is to be certified for, read off the key usage that the request asks for: `.signing`,
    /// `.agreement` or `.other`.
    public let purpose: CertificatePurpose

    /// The request in DER, exactly one and nothing after it.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedRequest` or `.unsupportedAlgorithm`.
    public init(der: [UInt8]) throws {
        let decoded = try Self.decode(der)
        defer { X509_REQ_free(decoded) }
        guard X509_REQ_get_version(decoded) == 0 else {
            throw CryptoError(.malformedRequest, "The certificate request is not of version 1.")
        }
        guard X509_REQ_get_signature_nid(decoded) == NID_ecdsa_with_SHA256 else {
            throw CryptoError(
                .unsupportedAlgorithm, "The certificate request is not signed with ECDSA and SHA-256.",
                remedy: "Make it with a P-256 key and -sha256.")
        }
        publicKey = try PublicKey(
            spki: OpenSSL.encoded { i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(decoded), $0) })
        subject = try CertificateSubject(
            name: X509_REQ_get_subject_name(decoded), of: "certificate request", failure: .malformedRequest)
        ERR_clear_error()
        guard X509_REQ_verify(decoded, publicKey.pointer) == 1 else {
            throw CryptoError(
                .malformedRequest, "The certificate request is not signed by the key that it names.",
                remedy: "Ask for the file again.")
        }
        purpose = try Self.purpose(of: decoded)
        self.der = der
        digest = SHA256.hash(der)
    }

    /// A request for `key`, signed by it.
    ///
    /// The extensions that it asks for tell other tools what the certificate is for; Concord reads the purpose
    /// off them and lets its own profile decide the rest. A key for agreement signs nothing but this once: that
    /// is how it proves that its sender holds it.
    ///
    /// - Throws: ``CryptoError`` with code `.cannotIssue` if a part of `subject` is empty, longer than 64
    ///   characters or holds control characters, `.signingFailed` if the key may not sign.
    public convenience init(
        subject: CertificateSubject, purpose: CertificateIssuer.NodePurpose, key: PrivateKey
    ) throws {
        ERR_clear_error()
        guard let draft = X509_REQ_new() else { throw CryptoError(.library, "OpenSSL is out of memory.") }
        defer { X509_REQ_free(draft) }
        guard X509_REQ_set_version(draft, 0) == 1, X509_REQ_set_pubkey(draft, key.publicKey.pointer) == 1
        else { throw CryptoError(.library, "OpenSSL could not set the request's key.") }
        try subject.write(to: X509_REQ_get_subject_name(draft))
        try Self.ask(draft, for: purpose)
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            throw CryptoError(.library, "OpenSSL offers no SHA-256.")
        }
        defer { EVP_MD_free(algorithm) }
        guard X509_REQ_sign(draft, key.pointer, algorithm) > 0 else {
            throw CryptoError(.signingFailed, "The key could not sign its certificate request.")
        }
        try self.init(der: OpenSSL.encoded { i2d_X509_REQ(draft, $0) })
    }

    /// All requests in PEM text, in its order; at least one, at most ``CryptoLimits/requestsInFile``.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedRequest` or `.unsupportedAlgorithm`.
    public static func all(pem: String) throws -> [CertificateRequest] {
        try PEMBlocks.requests.read(pem).map { try CertificateRequest(der: $0) }
    }

    /// The request in PEM text.
    ///
    /// - Throws: ``CryptoError`` with code `.library` if OpenSSL is out of memory.
    public func pem() throws -> String {
        let decoded = try Self.decode(der)
        defer { X509_REQ_free(decoded) }
        return try OpenSSL.text { PEM_write_bio_X509_REQ($0, decoded) }
    }

    public static func == (a: CertificateRequest, b: CertificateRequest) -> Bool { a.digest == b.digest }
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension CertificateRequest {
    /// Decodes exactly one request whose encoding is the canonical one. The caller owns the result.
    private static func decode(_ der: [UInt8]) throws -> OpaquePointer {
        guard (1...CryptoLimits.requestBytes).contains(der.count) else {
            throw CryptoError(
                .malformedRequest, "A certificate request has 1 to \(CryptoLimits.requestBytes) bytes.")
        }
        ERR_clear_error()
        var consumed = 0
        let decoded = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            let decoded = d2i_X509_REQ(nil, &start, buffer.count)
            if let start, let base = buffer.baseAddress { consumed = start - base }
            return decoded
        }
        guard let decoded else {
            throw CryptoError(.malformedRequest, "This is not a certificate request in DER.")
        }
        // OpenSSL keeps the bytes of the signed part as they came; asked to, it makes them afresh.
        guard consumed == der.count, (try? OpenSSL.encoded { i2d_re_X509_REQ_tbs(decoded, $0) }) != nil,
            (try? OpenSSL.encoded { i2d_X509_REQ(decoded, $0) }) == der
        else {
            X509_REQ_free(decoded)
            throw CryptoError(
                .malformedRequest, "Bytes follow the certificate request, or its encoding is not DER.")
        }
        return decoded
    }

    /// Reads the purpose off the key usage that is asked for.
    private static func purpose(of request: OpaquePointer) throws -> CertificatePurpose {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let position = X509_REQ_get_attr_by_NID(request, NID_ext_req, -1)
        guard position >= 0 else { return .other }
        guard X509_REQ_get_attr_by_NID(request, NID_ext_req, position) < 0 else {
            throw CryptoError(.malformedRequest, "The certificate request asks for extensions twice.")
        }
        guard let extensions = X509_REQ_get_extensions(request) else {
            throw CryptoError(.malformedRequest, "The extensions that are asked for cannot be read.")
        }
        defer { concord_extensions_free(extensions) }
        if asksForAuthority(extensions) { return .other }
        let usage = keyUsage(extensions)
        if usage & UInt8(KU_DIGITAL_SIGNATURE) != 0 { return .signing }
        return usage & UInt8(KU_KEY_AGREEMENT) != 0 ? .agreement : .other
    }

    private static func asksForAuthority(_ extensions: OpaquePointer) -> Bool {
        guard let value = X509V3_get_d2i(extensions, NID_basic_constraints, nil, nil) else { return false }
        let constraints = value.assumingMemoryBound(to: BASIC_CONSTRAINTS.self)
        defer { BASIC_CONSTRAINTS_free(constraints) }
        return constraints.pointee.ca != 0
    }

    /// The bits `KU_…` of the first octet, which holds all that matter here; 0 if there is no such extension, or
    /// more than one.
    private static func keyUsage(_ extensions: OpaquePointer) -> UInt8 {
        guard let value = X509V3_get_d2i(extensions, NID_key_usage, nil, nil) else { return 0 }
        let bits = value.assumingMemoryBound(to: ASN1_BIT_STRING.self)
        defer { ASN1_BIT_STRING_free(bits) }
        return bits.pointee.length > 0 ? bits.pointee.data[0] : 0
    }

    /// Puts the extensions of the node's profile into the request's attribute (RFC 2985, section 5.4.2).
    private static func ask(_ draft: OpaquePointer, for purpose: CertificateIssuer.NodePurpose) throws {
        guard let extensions = concord_extensions_new() else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { concord_extensions_free(extensions) }
        var wanted = [(NID_basic_constraints, "critical,CA:FALSE")]
        switch purpose {
        case .signing:
            wanted.append((NID_key_usage, "critical,digitalSignature"))
            wanted.append((NID_ext_key_usage, "serverAuth,clientAuth"))
        case .agreement: wanted.append((NID_key_usage, "critical,keyAgreement"))
        }
        for (identifier, value) in wanted {
            guard let made = X509V3_EXT_conf_nid(nil, nil, identifier, value) else {
                throw CryptoError(.library, "OpenSSL could not make the extension \(value).")
            }
            guard concord_extensions_push(extensions, made) > 0 else {
                X509_EXTENSION_free(made)
                throw CryptoError(.library, "OpenSSL is out of memory.")
            }
        }
        guard X509_REQ_add_extensions(draft, extensions) == 1 else {
            throw CryptoError(.library, "OpenSSL could not put the extensions into the request.")
        }
    }
}
