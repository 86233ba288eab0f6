import ConcordCrypto
import Testing

@Suite("Keys and signatures")
struct KeyTests {
    let hash = SHA256.hash(Array("a summary note".utf8))

    @Test("a signature is valid for its key, hash and purpose and for no other")
    func roundTrip() throws {
        let key = try PrivateKey.generate()
        for prefix in SignaturePrefix.allCases {
            let signature = try key.sign(hash, as: prefix)
            #expect(key.publicKey.isValid(signature, for: hash, as: prefix))
            for other in SignaturePrefix.allCases where other != prefix {
                #expect(!key.publicKey.isValid(signature, for: hash, as: other))
            }
            #expect(!key.publicKey.isValid(signature, for: SHA256.hash([]), as: prefix))
            #expect(try !PrivateKey.generate().publicKey.isValid(signature, for: hash, as: prefix))
        }
    }

    @Test("a signature with any bit altered is refused")
    func altered() throws {
        let key = try PrivateKey.generate()
        let bytes = try key.sign(hash, as: .change).bytes
        for bit in stride(from: 0, to: 512, by: 3) {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            guard let signature = Signature(bytes: other) else { continue }
            #expect(!key.publicKey.isValid(signature, for: hash, as: .change))
        }
    }

    @Test("all signatures made have a low s, and their high twin is refused")
    func lowS() throws {
        let key = try PrivateKey.generate()
        for _ in 0..<40 {
            let signature = try key.sign(hash, as: .act)
            #expect(Signature(bytes: signature.bytes) == signature)
            let twin = Array(signature.bytes[..<32]) + minus(signature.bytes[32...])
            #expect(Signature(bytes: twin) == nil)
        }
    }

    @Test("the bounds of r and s are exact")
    func bounds() {
        let one = [UInt8](repeating: 0, count: 31) + [1]
        let zero = [UInt8](repeating: 0, count: 32)
        let half: [UInt8] = Array(hex("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8"))
        #expect(Signature(bytes: one + half) != nil)
        #expect(Signature(bytes: one + half.dropLast() + [0xA9]) == nil)
        #expect(Signature(bytes: minus(one[...]) + one) != nil)
        #expect(Signature(bytes: order + one) == nil)
        #expect(Signature(bytes: zero + one) == nil)
        #expect(Signature(bytes: one + zero) == nil)
        #expect(Signature(bytes: one) == nil)
    }

    @Test("OpenSSL's own program verifies a signature, over the prefix and the hash")
    func independentVerification() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generate()
        let keyFile = try folder.write(try key.pem(passphrase: nil), "key.pem")
        let signature = try key.sign(hash, as: .receipt)
        let message = folder.url.appendingPathComponent("message")
        try (Array("concord/1 receipt".utf8) + hash.bytes).withUnsafeBytes { try write($0, to: message.path) }
        let der = folder.url.appendingPathComponent("signature")
        try derForm(signature.bytes).withUnsafeBytes { try write($0, to: der.path) }
        let result = try openssl(
            "dgst", "-sha256", "-prverify", keyFile, "-signature", der.path, message.path)
        #expect(result.output.contains("Verified OK"), "\(result.output)")
    }

    @Test("a key comes back from PEM text, with and without a passphrase")
    func pem() throws {
        let key = try PrivateKey.generate()
        #expect(try PrivateKey(pem: key.pem(passphrase: nil)).publicKey == key.publicKey)
        let sealed = try key.pem(passphrase: Array("contraseña".utf8))
        #expect(sealed.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        #expect(try PrivateKey(pem: sealed, passphrase: Array("contraseña".utf8)).publicKey == key.publicKey)
        #expect(code { _ = try PrivateKey(pem: sealed, passphrase: Array("other".utf8)) } == .wrongPassphrase)
        #expect(code { _ = try PrivateKey(pem: sealed, passphrase: []) } == .wrongPassphrase)
        #expect(code { _ = try PrivateKey(pem: sealed) } == .passphraseNeeded)
        #expect(code { _ = try key.pem(passphrase: []) } == .unusablePassphrase)
        let folder = try TemporaryFolder()
        let file = try folder.write(sealed, "key.pem")
        let text = try openssl("pkcs8", "-in", file, "-passin", "pass:contraseña").output
        #expect(try PrivateKey(pem: text).publicKey == key.publicKey)
        let structure = try openssl("asn1parse", "-in", file, "-i").output
        #expect(
            structure.contains("PBKDF2") && structure.contains("aes-256-cbc")
                && structure.contains("hmacWithSHA256"))
    }

    @Test("what is not a key on P-256 is refused with the reason")
    func otherKeys() throws {
        #expect(code { _ = try PrivateKey(pem: "nonsense") } == .malformedKey)
        #expect(code { _ = try PrivateKey(pem: "") } == .malformedKey)
        let rsa = try openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
            .output
        #expect(code { _ = try PrivateKey(pem: rsa) } == .unsupportedAlgorithm)
        let p384 = try openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout").output
        #expect(code { _ = try PrivateKey(pem: p384) } == .unsupportedAlgorithm)
        let p256 = try openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout").output
        #expect(throws: Never.self) { _ = try PrivateKey(pem: p256) }
    }

    @Test("a public key has one encoding")
    func encodings() throws {
        let spki = try PrivateKey.generate().publicKey.spki
        #expect(try PublicKey(spki: spki).spki == spki)
        #expect(try PublicKey(spki: spki).fingerprint == SHA256.hash(spki))
        #expect(code { _ = try PublicKey(spki: spki + [0]) } == .malformedKey)
        #expect(code { _ = try PublicKey(spki: []) } == .malformedKey)
        for length in 0..<spki.count {
            #expect(throws: CryptoError.self) { _ = try PublicKey(spki: Array(spki[..<length])) }
        }
        var compressed = Array(spki[..<59])
        compressed[1] = 57
        compressed[24] = 34
        compressed[26] = spki[90] & 1 == 0 ? 2 : 3
        #expect(code { _ = try PublicKey(spki: compressed) } == .malformedKey)
        var offCurve = spki
        offCurve[90] ^= 1
        #expect(throws: CryptoError.self) { _ = try PublicKey(spki: offCurve) }
    }

    @Test("random bytes differ and have the length asked for")
    func randomness() throws {
        #expect(try Randomness.bytes(0).isEmpty)
        #expect(try Randomness.bytes(33).count == 33)
        #expect(try Randomness.bytes(16) != Randomness.bytes(16))
    }

    // MARK: Arithmetic of its own, so that the tests do not repeat the code's

    private let order = Array(hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))

    /// n - value
    private func minus(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var borrow = 0
        for (a, b) in zip(order.reversed(), value.reversed()) {
            let difference = Int(a) - Int(b) - borrow
            borrow = difference < 0 ? 1 : 0
            result.insert(UInt8((difference + 256) % 256), at: 0)
        }
        return result
    }

    private func derForm(_ signature: [UInt8]) -> [UInt8] {
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var body = Array(bytes.drop { $0 == 0 })
            if body[0] >= 0x80 { body.insert(0, at: 0) }
            return [2, UInt8(body.count)] + body
        }
        let body = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(body.count)] + body
    }
}
