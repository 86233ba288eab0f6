// Public keys: points of P-256 and nothing else, in one encoding (the 91 bytes of DER SubjectPublicKeyInfo
// with a named curve and an uncompressed point, RFC 5480), so that one key has one fingerprint.

import COpenSSL

/// A public key on P-256.
public final class PublicKey: Sendable, Hashable, CustomStringConvertible {
    // An EVP_PKEY is reference-counted and, once made, only read; OpenSSL locks what it caches inside.
    package nonisolated(unsafe) let pointer: OpaquePointer

    /// DER SubjectPublicKeyInfo.
    public let spki: [UInt8]

    /// The SHA-256 of ``spki``: the name of whoever holds the private key.
    public let fingerprint: Digest

    /// The key in DER SubjectPublicKeyInfo.
    ///
    /// - Throws: ``CryptoError`` with code `.malformedKey`, or `.unsupportedAlgorithm` if it is not on P-256.
    public init(spki: [UInt8]) throws {
        ERR_clear_error()
        let decoded: OpaquePointer? = try spki.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            guard let key = d2i_PUBKEY(nil, &start, buffer.count) else { return nil }
            guard start == buffer.baseAddress.map({ $0 + buffer.count }) else {
                EVP_PKEY_free(key)
                throw CryptoError(.malformedKey, "Bytes follow the public key.")
            }
            return key
        }
        guard let decoded else { throw CryptoError(.malformedKey, "This is not a public key in DER.") }
        do {
            try Self.requireP256(decoded)
            guard try OpenSSL.encoded({ i2d_PUBKEY(decoded, $0) }) == spki, spki.count == Self.spkiByteCount
            else {
                throw CryptoError(
                    .malformedKey,
                    "The public key is not encoded as a named curve with an uncompressed point.")
            }
        } catch {
            EVP_PKEY_free(decoded)
            throw error
        }
        pointer = decoded
        self.spki = spki
        fingerprint = SHA256.hash(spki)
    }

    deinit { EVP_PKEY_free(pointer) }

    /// Whether `signature` was made by this key over `hash` for `prefix`.
    ///
    /// About 80 µs.
    public func isValid(_ signature: Signature, for hash: Digest, as prefix: SignaturePrefix) -> Bool {
        guard let der = try? signature.der(), let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let message = prefix.message(hash)
        return EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, pointer, nil) == 1
            && EVP_DigestVerify(context, der, der.count, message, message.count) == 1
    }

    public static func == (a: PublicKey, b: PublicKey) -> Bool { a.fingerprint == b.fingerprint }
    public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
    /// The fingerprint in hexadecimal digits.
    public var description: String { fingerprint.description }

    /// The bytes of every encoded key.
    static let spkiByteCount = 91

    /// What stands before the point in every encoded key.
    static let spkiPrefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
        0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ]

    /// The public half of a key that a provider holds, which is on P-256, in DER SubjectPublicKeyInfo. Providers
    /// for hardware keys may spell out the curve where the encoding asks for its name (that of PKCS #11 does);
    /// the point stands at the end in any case.
    static func encoding(ofHeld key: OpaquePointer) throws -> [UInt8] {
        try requireP256(key)
        let encoding = try OpenSSL.encoded { i2d_PUBKEY(key, $0) }
        // BIT STRING of 66 bytes: no unused bits, then an uncompressed point.
        guard encoding.suffix(68).starts(with: [0x03, 0x42, 0x00, 0x04]) else { return encoding }
        return spkiPrefix + encoding.suffix(65)
    }

    /// Throws unless `key` is an elliptic-curve key on P-256.
    static func requireP256(_ key: OpaquePointer) throws {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_is_a(key, "EC") == 1,
            EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1,
            ["prime256v1", "P-256"].contains(
                String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self))
        else {
            throw CryptoError(
                .unsupportedAlgorithm, "The key is not on the curve P-256.",
                remedy: "Make a key with: openssl ecparam -name prime256v1 -genkey")
        }
    }
}
