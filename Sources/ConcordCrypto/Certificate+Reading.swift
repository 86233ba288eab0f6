// Takes OpenSSL's X509 apart for ``Certificate``. Certificates come from peers and files: whatever is
// unexpected is refused with a sentence that says what.

import COpenSSL

extension Certificate {
    /// Decodes exactly one certificate whose encoding is the canonical one. The caller owns the result.
    static func decode(_ der: [UInt8]) throws -> OpaquePointer {
        guard (1...CryptoLimits.certificateBytes).contains(der.count) else {
            throw CryptoError(
                .malformedCertificate, "A certificate has 1 to \(CryptoLimits.certificateBytes) bytes.")
        }
        ERR_clear_error()
        var consumed = 0
        let decoded = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            let decoded = d2i_X509(nil, &start, buffer.count)
            if let start, let base = buffer.baseAddress { consumed = start - base }
            return decoded
        }
        guard let decoded else {
            throw CryptoError(.malformedCertificate, "This is not a certificate in DER.")
        }
        guard consumed == der.count, (try? OpenSSL.encoded { i2d_X509(decoded, $0) }) == der else {
            X509_free(decoded)
            throw CryptoError(
                .malformedCertificate, "Bytes follow the certificate, or its encoding is not DER.")
        }
        return decoded
    }

    /// Throws unless the extensions are consistent and understood, and the signature ECDSA with SHA-256.
    static func requireKnownForm(_ x509: OpaquePointer) throws {
        ERR_clear_error()
        let flags = X509_get_extension_flags(x509)
        guard flags & UInt32(EXFLAG_INVALID) == 0 else {
            throw CryptoError(.malformedCertificate, "The certificate's extensions contradict one another.")
        }
        guard flags & UInt32(EXFLAG_CRITICAL) == 0 else {
            throw CryptoError(.malformedCertificate, "The certificate has an unknown critical extension.")
        }
        guard X509_get_signature_nid(x509) == NID_ecdsa_with_SHA256 else {
            throw CryptoError(
                .unsupportedAlgorithm, "The certificate is not signed with ECDSA and SHA-256.",
                remedy: "Issue it with a P-256 key and -sha256.")
        }
    }

    /// Seconds since 1970 UTC.
    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws -> Int64 {
        ERR_clear_error()
        guard let epoch = ASN1_TIME_set(nil, 0) else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
            throw CryptoError(.malformedCertificate, "The certificate's dates cannot be read.")
        }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    static func serial(of x509: OpaquePointer) throws -> [UInt8] {
        ERR_clear_error()
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), nil) else {
            throw CryptoError(.malformedCertificate, "The certificate's serial number cannot be read.")
        }
        defer { BN_free(number) }
        guard BN_is_negative(number) == 0 else {
            throw CryptoError(.malformedCertificate, "The certificate's serial number is negative.")
        }
        var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(number)) + 7) / 8)
        guard Int(BN_bn2bin(number, &bytes)) == bytes.count else {
            throw CryptoError(.library, "OpenSSL could not write a number.")
        }
        return bytes
    }

    /// Reads the purpose off basic constraints, key usage and extended key usage:
    ///
    /// | purpose | CA | key usage | extended |
    /// |---|---|---|---|
    /// | authority | yes | keyCertSign | – |
    /// | signing | no | digitalSignature | serverAuth and clientAuth |
    /// | agreement | no | keyAgreement, not digitalSignature | – |
    static func purpose(of x509: OpaquePointer) -> CertificatePurpose {
        let flags = X509_get_extension_flags(x509)
        guard flags & UInt32(EXFLAG_KUSAGE) != 0 else { return .other }
        let usage = X509_get_key_usage(x509)
        func allows(_ bit: Int32) -> Bool { usage & UInt32(bit) != 0 }
        if flags & UInt32(EXFLAG_CA) != 0 { return allows(KU_KEY_CERT_SIGN) ? .authority : .other }
        if allows(KU_DIGITAL_SIGNATURE) {
            let both = UInt32(XKU_SSL_SERVER | XKU_SSL_CLIENT)
            let extended = flags & UInt32(EXFLAG_XKUSAGE) != 0 ? X509_get_extended_key_usage(x509) : 0
            return extended & both == both ? .signing : .other
        }
        return allows(KU_KEY_AGREEMENT) ? .agreement : .other
    }
}
