// Private keys on P-256, in memory as OpenSSL's EVP_PKEY and in files as PKCS#8 PEM (RFC 5958), encrypted
// with PBES2 when a passphrase is given: PBKDF2 with HMAC-SHA-256 and many rounds, then AES-256-CBC, which
// every OpenSSL reads.

import COpenSSL

/// A private key on P-256, and its public key.
public final class PrivateKey: Sendable {
    // An EVP_PKEY is reference-counted and, once made, only read; OpenSSL locks what it caches inside.
    package nonisolated(unsafe) let pointer: OpaquePointer

    /// The public half.
    public let publicKey: PublicKey

    /// Takes over the reference to `key`, also if it throws.
    ///
    /// - Parameter isHeld: Whether a provider holds the key, whose encoding of it may be another than ours.
    init(owning key: OpaquePointer, isHeld: Bool = false) throws {
        do {
            try PublicKey.requireP256(key)
            publicKey = try PublicKey(
                spki: isHeld
                    ? try PublicKey.encoding(ofHeld: key) : try OpenSSL.encoded { i2d_PUBKEY(key, $0) })
        } catch {
            EVP_PKEY_free(key)
            throw error
        }
        pointer = key
    }

    deinit { EVP_PKEY_free(pointer) }

    /// A new random key.
    public static func generate() throws -> PrivateKey {
        ERR_clear_error()
        guard let key = concord_generate_p256() else {
            throw CryptoError(.library, "OpenSSL could not generate a key.")
        }
        return try PrivateKey(owning: key)
    }

    /// The key in PEM text, of any form that OpenSSL reads.
    ///
    /// - Throws: ``CryptoError`` with code `.passphraseNeeded`, `.wrongPassphrase`, `.malformedKey` or
    ///   `.unsupportedAlgorithm`.
    public convenience init(pem: String, passphrase: [UInt8]? = nil) throws {
        guard pem.utf8.count <= CryptoLimits.pemBytes else {
            throw CryptoError(.malformedKey, "The PEM text has more than \(CryptoLimits.pemBytes) bytes.")
        }
        var request = PassphraseRequest(passphrase: passphrase)
        let key = try OpenSSL.reading(pem) { bio in
            withUnsafeMutablePointer(to: &request) { PEM_read_bio_PrivateKey(bio, nil, answerPassphrase, $0) }
        }
        guard let key else {
            if request.wasAsked, passphrase == nil {
                throw CryptoError(
                    .passphraseNeeded, "The private key is encrypted.", remedy: "Give its passphrase.")
            }
            if request.wasAsked {
                throw CryptoError(.wrongPassphrase, "The passphrase does not open the private key.")
            }
            throw CryptoError(.malformedKey, "This is not a private key in PEM text.")
        }
        try self.init(owning: key)
    }

    /// The key as PKCS#8 PEM text, encrypted if there is a passphrase.
    ///
    /// - Throws: ``CryptoError`` with code `.unusablePassphrase` if the passphrase is empty or too long.
    public func pem(passphrase: [UInt8]?) throws -> String {
        guard let passphrase else {
            return try OpenSSL.text { PEM_write_bio_PKCS8PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
        }
        guard (1...CryptoLimits.passphraseBytes).contains(passphrase.count) else {
            throw CryptoError(
                .unusablePassphrase, "A passphrase has 1 to \(CryptoLimits.passphraseBytes) bytes.")
        }
        ERR_clear_error()
        guard let plain = EVP_PKEY2PKCS8(pointer) else {
            throw CryptoError(.library, "OpenSSL could not encode the private key.")
        }
        defer { PKCS8_PRIV_KEY_INFO_free(plain) }
        var salt = try Randomness.bytes(16)
        let sealed = passphrase.withUnsafeBytes { bytes in
            PKCS8_encrypt(
                -1, EVP_aes_256_cbc(), bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count),
                &salt, Int32(salt.count), CryptoLimits.passphraseIterations, plain)
        }
        guard let sealed else { throw CryptoError(.library, "OpenSSL could not encrypt the private key.") }
        defer { X509_SIG_free(sealed) }
        return try OpenSSL.text { PEM_write_bio_PKCS8($0, sealed) }
    }

    /// Signs `hash` for the purpose that `prefix` names: ECDSA with SHA-256 over prefix ‖ hash.
    ///
    /// About 25 µs. Two signatures of one hash differ (the nonce is random).
    public func sign(_ hash: Digest, as prefix: SignaturePrefix) throws -> Signature {
        ERR_clear_error()
        guard let context = EVP_MD_CTX_new() else { throw CryptoError(.library, "OpenSSL is out of memory.") }
        defer { EVP_MD_CTX_free(context) }
        let message = prefix.message(hash)
        var der = [UInt8](repeating: 0, count: 80)
        var count = der.count
        guard EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, pointer, nil) == 1,
            EVP_DigestSign(context, &der, &count, message, message.count) == 1
        else { throw CryptoError(.signingFailed, "The private key could not sign.") }
        return try Signature(der: Array(der.prefix(count)))
    }
}

/// What the C callback below is given and what it reports.
struct PassphraseRequest {
    let passphrase: [UInt8]?
    var wasAsked = false
}

/// OpenSSL's question for a passphrase: fills `buffer` and returns the length, or -1 if there is none that
/// fits. Without an own callback OpenSSL would ask on the terminal.
func answerPassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int32, _: Int32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let request = argument?.assumingMemoryBound(to: PassphraseRequest.self), let buffer else {
        return -1
    }
    request.pointee.wasAsked = true
    guard let passphrase = request.pointee.passphrase, passphrase.count <= Int(capacity) else { return -1 }
    for (index, byte) in passphrase.enumerated() { buffer[index] = CChar(bitPattern: byte) }
    return Int32(passphrase.count)
}
