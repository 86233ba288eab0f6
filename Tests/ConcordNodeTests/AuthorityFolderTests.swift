import ConcordCrypto
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("Authority folders")
struct AuthorityFolderTests {
    private let folder = TemporaryFolder()
    private let passphrase = Array("correct horse".utf8)

    @Test("an authority's key is encrypted, for its keeper alone, and opens with the passphrase only")
    func encrypted() async throws {
        let authority = AuthorityFolder(path: folder.file("authority/ESP"))
        let certificate = try authority.create(code: "ESP", name: "Spain", passphrase: passphrase)
        #expect(mode(of: authority.path) == "700")
        #expect(mode(of: authority.keyPath) == "600")
        #expect(
            try String(contentsOfFile: authority.keyPath, encoding: .utf8).contains(
                "BEGIN ENCRYPTED PRIVATE KEY"))
        #expect(try authority.certificate() == certificate)
        #expect(try authority.key(passphrase: passphrase).publicKey == certificate.publicKey)
        let needed = await expectError(.passphraseNeeded) { try authority.key(passphrase: nil) }
        #expect(
            needed
                == ConcordError(
                    .passphraseNeeded,
                    "\(authority.keyPath): The key is encrypted and no passphrase was given"))
        let wrong = await expectError(.wrongPassphrase) {
            try authority.key(passphrase: Array("wrong horse".utf8))
        }
        #expect(
            wrong
                == ConcordError(
                    .wrongPassphrase, "\(authority.keyPath): The passphrase does not open the key"))
        let years = (certificate.notAfter - certificate.notBefore) / Validity.secondsOfYear
        #expect(years >= 10)
    }

    @Test("an authority is never overwritten")
    func twice() async throws {
        let authority = AuthorityFolder(path: folder.file("ESP"))
        let first = try authority.create(code: "ESP", name: "Spain", passphrase: nil)
        await expectError(.identityExists) {
            try authority.create(code: "ESP", name: "Spain", passphrase: nil)
        }
        #expect(try authority.certificate() == first)
    }

    @Test(
        "a code that cannot stand on a certificate is refused",
        arguments: ["", "E", "esp", "ES P", "ÉSP", "A\nB"])
    func badCode(code: String) async {
        let authority = AuthorityFolder(path: folder.file("bad"))
        await expectError(.malformedValue) {
            try authority.create(code: code, name: "Spain", passphrase: nil)
        }
        #expect(!authority.exists)
    }

    @Test(
        "a name that cannot stand on a certificate is refused",
        arguments: ["", String(repeating: "x", count: 65)])
    func badName(name: String) async {
        let authority = AuthorityFolder(path: folder.file("bad"))
        await expectError(.malformedValue) { try authority.create(code: "ESP", name: name, passphrase: nil) }
        #expect(!authority.exists)
    }

    @Test("a key that others may read, or of another authority, is refused")
    func unsafeKey() async throws {
        let authority = AuthorityFolder(path: folder.file("ESP"))
        try authority.create(code: "ESP", name: "Spain", passphrase: nil)
        #expect(chmod(authority.keyPath, 0o644) == 0)
        await expectError(.insecureFileMode) { try authority.key(passphrase: nil) }
        try PrivateKey.generate().pem(passphrase: nil)
            .write(toFile: authority.keyPath, atomically: false, encoding: .utf8)
        #expect(chmod(authority.keyPath, 0o600) == 0)
        await expectError(.wrongAuthority) { try authority.key(passphrase: nil) }
        try "nonsense".write(toFile: authority.keyPath, atomically: false, encoding: .utf8)
        #expect(chmod(authority.keyPath, 0o600) == 0)
        await expectError(.malformedKey) { try authority.key(passphrase: nil) }
    }

    @Test("the openssl program reads and verifies what init makes")
    func openssl() throws {
        let authority = AuthorityFolder(path: folder.file("ESP"))
        let certificate = try authority.create(code: "ESP", name: "España", passphrase: nil)
        let home = NodeHome(path: folder.file("home"))
        try home.initialize(
            member: "ESP", name: "España", node: "madrid", authority: certificate,
            authorityKey: try authority.key(passphrase: nil), listen: [], addresses: [])
        let identity = home.identityFolder
        for name in ["node", "agreement"] {
            let shown = try run("openssl", ["x509", "-in", "\(identity)/\(name).pem", "-noout", "-text"])
            #expect(shown.status == 0)
            #expect(shown.output.contains("CN = madrid"))
            #expect(shown.output.contains("CA:FALSE"))
            let verified = try run(
                "openssl",
                ["verify", "-x509_strict", "-CAfile", authority.certificatePath, "\(identity)/\(name).pem"])
            #expect(verified.status == 0, "\(verified.output)")
        }
        let purpose = try run(
            "openssl",
            [
                "verify", "-purpose", "sslserver", "-CAfile", "\(identity)/authority.pem",
                "\(identity)/node.pem",
            ])
        #expect(purpose.status == 0, "\(purpose.output)")
        let shown = try run("openssl", ["x509", "-in", authority.certificatePath, "-noout", "-text"])
        #expect(shown.output.contains("CA:TRUE"))
    }

    @Test("a folder whose key was replaced knows the member by its founding key")
    func replaced() async throws {
        let (old, new) = (
            AuthorityFolder(path: folder.file("old")), AuthorityFolder(path: folder.file("new"))
        )
        let founding = try old.create(code: "ESP", name: "Spain", passphrase: nil)
        let present = try new.create(code: "ESP", name: "Spain", passphrase: nil)
        #expect(try new.founding() == nil)
        #expect(try new.memberID() == MemberID(authority: present))
        let member = MemberID(authority: founding)
        try "\(member)\n".write(toFile: new.memberPath, atomically: false, encoding: .utf8)
        await expectError(.unreadableFile) { try new.founding() }
        let kept = "\(new.path)/authority-\(member.description.prefix(16)).pem"
        try founding.pem().write(toFile: kept, atomically: false, encoding: .utf8)
        #expect(try new.founding() == founding)
        #expect(try new.memberID() == member)
        try present.pem().write(toFile: kept, atomically: false, encoding: .utf8)
        await expectError(.wrongAuthority) { try new.founding() }
        try "Spain".write(toFile: new.memberPath, atomically: false, encoding: .utf8)
        await expectError(.malformedKey) { try new.memberID() }
    }
}
