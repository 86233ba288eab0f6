import ConcordCrypto
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("Where a node's keys are found")
struct KeySourcesTests {
    private let folder = TemporaryFolder()
    private let passphrase = Array("correct horse".utf8)

    /// A home whose two keys lie elsewhere, encrypted or not.
    private func homeWithKeys(
        in place: String, mode: Int = 0o440, passphrase: [UInt8]? = nil
    ) throws -> NodeHome {
        let spain = try TestMember("ESP", name: "Spain")
        let home = NodeHome(path: folder.file("home"))
        try home.initialize(
            member: "ESP", name: "Spain", node: "madrid", authority: spain.authority,
            authorityKey: spain.authorityKey, listen: [], addresses: [], now: testNow)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        for role in KeyRole.allCases {
            let key = try role == .signing ? home.signingKey() : home.agreementKey()
            try write(key.pem(passphrase: passphrase), to: "\(place)/\(role.fileName)", mode: mode)
            try FileManager.default.removeItem(atPath: home.identityFiles.key(role))
        }
        return home
    }

    private func write(_ text: String, to path: String, mode: Int) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("systemd's credentials are used where there are some")
    func credentials() async throws {
        let place = folder.file("credentials")
        let home = try homeWithKeys(in: place)
        let configuration = try Configuration.load(
            path: home.configuration, environment: ["CREDENTIALS_DIRECTORY": place])
        let (identity, keys) = try home.load(configuration.keys)
        #expect(keys.signing.publicKey == identity.nodeCertificate.publicKey)
        #expect(keys.agreement.publicKey == identity.agreementCertificate.publicKey)
        // Without them there is nothing; the certificates can still be read.
        await expectError(.unreadableFile) { try home.load(KeySources()) }
        #expect(try home.certificates().nodeName == "madrid")
    }

    @Test(
        "a credential that others than the service may touch is refused",
        arguments: [0o444, 0o460, 0o644])
    func openCredential(mode: Int) async throws {
        let place = folder.file("credentials")
        let home = try homeWithKeys(in: place, mode: mode)
        let error = await expectError(.insecureFileMode) { try home.load(KeySources(credentials: place)) }
        #expect(error?.action?.contains("chmod 600") == true)
    }

    @Test("an encrypted key opens with the passphrase that is handed over, as a credential or as a file")
    func passphrases() async throws {
        let place = folder.file("credentials")
        let home = try homeWithKeys(in: place, passphrase: passphrase)
        var sources = KeySources(credentials: place)
        let needed = await expectError(.passphraseNeeded) { try home.load(sources) }
        #expect(needed?.action?.contains("identity.passphrase_file") == true)

        try write("correct horse\nnot this line\n", to: "\(place)/passphrase", mode: 0o440)
        #expect(try home.load(sources).identity.nodeName == "madrid")
        let wrong = folder.file("wrong")
        try write("wrong horse\n", to: wrong, mode: 0o600)
        sources.passphraseFile = wrong
        await expectError(.wrongPassphrase) { try home.load(sources) }
        let file = folder.file("right")
        try write("correct horse", to: file, mode: 0o640)
        sources.passphraseFile = file
        await expectError(.insecureFileMode) { try home.load(sources) }
        try write("correct horse", to: file, mode: 0o600)
        #expect(try home.load(sources).identity.nodeName == "madrid")
        try write("\n", to: file, mode: 0o600)
        await expectError(.wrongPassphrase) { try home.load(sources) }
    }

    @Test("what the configuration names comes before credentials: a file, or a URI")
    func configured() async throws {
        let place = folder.file("keys")
        let home = try homeWithKeys(in: place, mode: 0o600)
        let sources = KeySources(
            signingKey: "\(place)/node.key", agreementKey: "file:\(place)/agreement.key",
            credentials: folder.file("nonexistent"))
        #expect(try home.load(sources).identity.nodeName == "madrid")
        let exchanged = KeySources(
            signingKey: "\(place)/agreement.key", agreementKey: "file:\(place)/node.key")
        await expectError(.malformedKey) { try home.load(exchanged) }
        var missing = sources
        missing.agreementKey = "file:\(place)/none.key"
        await expectError(.keyUnavailable) { try home.load(missing) }
        missing.provider.name = "concord-no-such-provider"
        let error = await expectError(.keyUnavailable) { try home.load(missing) }
        #expect(error?.message.contains("concord-no-such-provider") == true)
    }

    @Test("a PIN in a URI does not come out in an error")
    func secretURI() async throws {
        let home = try homeWithKeys(in: folder.file("keys"))
        let sources = KeySources(signingKey: "pkcs11:token=none;type=private?pin-value=97531")
        let error = await expectError(.keyUnavailable) { try home.load(sources) }
        #expect(error?.message.contains("pkcs11:token=none") == true)
        #expect(error?.description.contains("97531") == false)
    }

    @Test(
        "paths and URIs are told apart",
        arguments: [
            ("pkcs11:token=a", true), ("handle:0x81000001", true), ("file:/a", true), ("/etc/key.pem", false),
            ("key.pem", false), ("./a:b", false), ("1a:b", false), (":a", false), ("", false),
        ])
    func forms(text: String, isURI: Bool) { #expect(KeySources.isURI(text) == isURI) }

    @Test("a request makes encrypted keys where there is a passphrase, and the daemon finds both")
    func encryptedRequest() throws {
        let spain = try TestMember("ESP", name: "Spain")
        let file = folder.file("passphrase")
        try write("correct horse\n", to: file, mode: 0o600)
        let home = NodeHome(path: folder.file("field"))
        let request = try home.request(
            member: "ESP", name: "Spain", node: "field-1", listen: [], addresses: [],
            sources: KeySources(passphraseFile: file))
        let key = try String(contentsOfFile: home.requestFiles.key(.signing), encoding: .utf8)
        #expect(key.contains("BEGIN ENCRYPTED PRIVATE KEY"))
        _ = try home.install(
            try NodeCertificates.issue(
                for: request, authority: spain.authority, authorityKey: spain.authorityKey, now: testNow),
            now: testNow)
        let configuration = try Configuration.load(path: home.configuration, environment: [:])
        #expect(configuration.keys.passphraseFile == file)
        #expect(try home.load(configuration.keys).identity.nodeName == "field-1")
    }

    @Test("an authority's key behind a URI certifies as one in a file does")
    func authority() async throws {
        let authority = AuthorityFolder(path: folder.file("ESP"))
        let certificate = try authority.create(code: "ESP", name: "Spain", passphrase: passphrase)
        let elsewhere = folder.file("authority-key.pem")
        try FileManager.default.moveItem(atPath: authority.keyPath, toPath: elsewhere)
        try write("# in the safe\nuri: file:\(elsewhere)\n", to: authority.uriPath, mode: 0o644)
        #expect(authority.exists)
        #expect(try authority.key(passphrase: passphrase).publicKey == certificate.publicKey)
        await expectError(.passphraseNeeded) { try authority.key(passphrase: nil) }
        try write("uri: file:\(folder.file("none.pem"))\n", to: authority.uriPath, mode: 0o644)
        await expectError(.keyUnavailable) { try authority.key(passphrase: nil) }
        let other = try folder.write(try PrivateKey.generate().pem(passphrase: nil), to: "other.pem")
        try write("uri: file:\(other)\n", to: authority.uriPath, mode: 0o644)
        await expectError(.wrongAuthority) { try authority.key(passphrase: nil) }
    }

    @Test(
        "authority.uri is read strictly",
        arguments: [
            ("", ErrorCode.malformedConfiguration), ("uri: no-scheme", .malformedConfiguration),
            ("uri:", .malformedConfiguration), ("just text", .malformedConfiguration),
            ("uri: pkcs11:a\nuri: pkcs11:b", .malformedConfiguration),
            ("uri: pkcs11:a\npin: 1234", .unknownConfigurationKey),
        ])
    func references(text: String, code: ErrorCode) async {
        await expectError(code) { try KeyReference(text: text, file: "authority.uri") }
    }

    @Test("authority.uri says what reaches the key")
    func reference() throws {
        let reference = try KeyReference(
            text: """
                # the ministry's module
                uri: pkcs11:token=ministry;object=authority;type=private
                provider: pkcs11
                provider_configuration: /etc/concord/openssl.cnf
                provider_properties: provider=pkcs11
                """, file: "authority.uri")
        #expect(reference.uri == "pkcs11:token=ministry;object=authority;type=private")
        #expect(
            reference.provider
                == KeyProvider(
                    name: "pkcs11", configuration: "/etc/concord/openssl.cnf", properties: "provider=pkcs11"))
    }
}
