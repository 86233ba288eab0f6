// Keys behind URIs, as far as OpenSSL's own provider goes; those of a hardware module are tested with whole processes,
// since a provider is loaded for the whole of one.

import ConcordCrypto
import Testing

@Suite("Keys behind a URI")
struct StoredKeyTests {
    private let passphrase = Array("correct horse".utf8)

    @Test("a key is loaded, signs, and has the fingerprint that it has as a file")
    func loaded() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generate()
        let plain = try folder.write(key.pem(passphrase: nil), "plain.pem")
        let sealed = try folder.write(key.pem(passphrase: passphrase), "sealed.pem")
        for (path, passphrase) in [(plain, nil), (plain, passphrase), (sealed, passphrase)] {
            let stored = try PrivateKey(uri: "file:\(path)", passphrase: passphrase)
            #expect(stored.publicKey == key.publicKey)
            let hash = SHA256.hash([1, 2, 3])
            #expect(key.publicKey.isValid(try stored.sign(hash, as: .change), for: hash, as: .change))
        }
        let sealedURI = "file:\(sealed)"
        #expect(code { _ = try PrivateKey(uri: sealedURI) } == .passphraseNeeded)
        #expect(
            code { _ = try PrivateKey(uri: sealedURI, passphrase: Array("wrong".utf8)) } == .wrongPassphrase)
    }

    @Test("what is not one private key is refused")
    func refused() throws {
        let folder = try TemporaryFolder()
        let pem = try PrivateKey.generate().pem(passphrase: nil)
        let certificate = try TestMember().authority.pem()
        let uris = [
            "file:/nonexistent/key.pem", "pkcs11:token=none;object=none", "nothing:at-all",
            "file:\(try folder.write(certificate, "certificate.pem"))",
            "file:\(try folder.write(pem + (try PrivateKey.generate().pem(passphrase: nil)), "two.pem"))",
        ]
        for uri in uris {
            #expect(code { _ = try PrivateKey(uri: uri) } == .keyUnavailable, "\(uri)")
        }
        let other = try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
        let file = try folder.write(other.output, "p384.pem")
        #expect(code { _ = try PrivateKey(uri: "file:\(file)") } == .unsupportedAlgorithm)
    }

    @Test("a provider or configuration that is not there is named")
    func missingProvider() throws {
        let provider = KeyProvider(name: "concord-no-such-provider")
        #expect(code { try provider.load() } == .keyUnavailable)
        #expect(code { try KeyProvider(configuration: "/nonexistent/openssl.cnf").load() } == .keyUnavailable)
        #expect(throws: Never.self) { try KeyProvider().load() }
    }
}
