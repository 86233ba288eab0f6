import ConcordCrypto
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("Nodes that ask for their certificates")
struct NodeRequestTests {
    private let folder = TemporaryFolder()

    private func ask(
        _ home: String = "field", member: String = "ESP", name: String = "Spain", node: String = "field-1"
    ) throws -> (home: NodeHome, request: NodeRequest) {
        let home = NodeHome(path: folder.file(home))
        let request = try home.request(member: member, name: name, node: node, listen: [], addresses: [])
        return (home, request)
    }

    private func certify(
        _ request: NodeRequest, by member: TestMember, lifetime: Int64 = Validity.nodeMilliseconds,
        now: Int64 = testNow
    ) throws -> NodeCertificates {
        try NodeCertificates.issue(
            for: request, authority: member.authority, authorityKey: member.authorityKey, lifetime: lifetime,
            now: now)
    }

    @Test("a node asks, is certified and has its identity; its keys never left")
    func wholeRoad() throws {
        let spain = try TestMember("ESP", name: "Spain")
        let (home, made) = try ask()
        #expect(!home.hasIdentity && home.hasRequest)
        #expect(mode(of: home.requestFolder) == "700")
        let csr = try folder.write(made.pem(), to: "field.csr")
        #expect(!(try made.pem()).contains("PRIVATE"))

        let request = try NodeRequest(pem: String(contentsOfFile: csr, encoding: .utf8), place: csr)
        #expect(request == made && request.fingerprint == made.fingerprint)
        let pem = try certify(request, by: spain).pem()
        let certificates = try NodeCertificates(pem: pem, place: "field.pem")
        let identity = try home.install(certificates, now: testNow)

        #expect(identity.nodeName == "field-1" && identity.memberID == spain.id)
        #expect(identity.nodeID == request.nodeID)
        #expect(try home.identity().certificates == certificates)
        #expect(!home.hasRequest)
        #expect(mode(of: home.identityFolder) == "700")
        for key in KeyRole.allCases { #expect(mode(of: home.identityFiles.key(key)) == "600") }
        let names = try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
        #expect(names == ["blobs", "concord.yaml", "identity"])
    }

    @Test("openssl verifies both requests, and the certificates against the authority")
    func openssl() throws {
        let spain = try TestMember("ESP", name: "Spain")
        let (_, request) = try ask()
        for (index, part) in [request.signing, request.agreement].enumerated() {
            let file = try folder.write(part.pem(), to: "\(index).csr")
            let result = try run("openssl", ["req", "-in", file, "-verify", "-noout", "-subject"])
            #expect(result.status == 0 && result.output.contains("CN = field-1"), "\(result.output)")
        }
        let certificates = try certify(request, by: spain, now: WallClock.milliseconds())
        let authority = try folder.write(certificates.authority.pem(), to: "authority.pem")
        for (index, part) in [certificates.node, certificates.agreement].enumerated() {
            let file = try folder.write(part.pem(), to: "\(index).pem")
            let result = try run("openssl", ["verify", "-x509_strict", "-CAfile", authority, file])
            #expect(result.status == 0, "\(result.output)")
        }
    }

    @Test("asking again asks for the same keys")
    func again() throws {
        let first = try ask().request
        let second = try ask(node: "field-2").request
        #expect(second.signing.publicKey == first.signing.publicKey)
        #expect(second.agreement.publicKey == first.agreement.publicKey)
        #expect(second.subject.commonName == "field-2")
        #expect(try NodeHome(path: folder.file("field")).pendingRequest() == second)
    }

    @Test("a home that has an identity is pointed to renewal")
    func identityExists() async throws {
        let spain = try TestMember("ESP", name: "Spain")
        let (home, request) = try ask()
        _ = try home.install(try certify(request, by: spain), now: testNow)
        let error = await expectError(.identityExists) { try ask() }
        #expect(error?.action?.contains("concord node renew") == true)
    }

    @Test("names that cannot be certified are refused before anything is written")
    func names() async {
        await expectError(.malformedValue) { try ask("a", member: "es") }
        await expectError(.malformedValue) { try ask("b", node: "") }
        await expectError(.malformedValue) { try ask("c", name: "a\u{1B}[2J") }
        for name in ["a", "b", "c"] { #expect(!FileManager.default.fileExists(atPath: folder.file(name))) }
    }

    @Test("an authority certifies no node of another member")
    func foreign() async throws {
        let germany = try TestMember("DEU", name: "Germany")
        let request = try ask().request
        await expectError(.wrongAuthority) { try certify(request, by: germany) }
        let renamed = try TestMember("ESP", name: "España")
        await expectError(.wrongAuthority) { try certify(request, by: renamed) }
    }

    @Test("a request file in which anything was exchanged is refused or has another fingerprint")
    func exchanged() async throws {
        let (own, other) = (try ask("a").request, try ask("b").request)
        let stranger = try ask("c", node: "field-9").request
        func read(_ parts: CertificateRequest...) throws -> NodeRequest {
            try NodeRequest(pem: parts.map { try $0.pem() }.joined(), place: "field.csr")
        }
        await expectError(.malformedCertificateRequest) { try read(own.signing) }
        await expectError(.malformedCertificateRequest) { try read(own.signing, own.signing) }
        await expectError(.malformedCertificateRequest) { try read(own.signing, stranger.agreement) }
        await expectError(.malformedCertificateRequest) {
            try read(own.signing, own.agreement, other.agreement)
        }
        #expect(try read(own.agreement, own.signing).fingerprint == own.fingerprint)
        #expect(try read(own.signing, other.agreement).fingerprint != own.fingerprint)
        let key = try PrivateKey.generate()
        let twice = try NodeRequest(
            member: "ESP", name: "Spain", node: "x", keys: NodeKeys(signing: key, agreement: key))
        await expectError(.malformedCertificateRequest) { try read(twice.signing, twice.agreement) }
    }

    @Test("the authority's own key is not certified as a node's")
    func authorityAsNode() async throws {
        let spain = try TestMember("ESP", name: "Spain")
        let request = try NodeRequest(
            member: "ESP", name: "Spain", node: "x",
            keys: NodeKeys(signing: spain.authorityKey, agreement: try PrivateKey.generate()))
        await expectError(.malformedKey) { try certify(request, by: spain) }
    }

    @Test("certificates that do not fit are not installed, and nothing changes")
    func misfits() async throws {
        let spain = try TestMember("ESP", name: "Spain")
        let (home, request) = try ask()
        let other = try ask("other").request
        await expectError(.certificateMismatch) {
            try home.install(try certify(other, by: spain), now: testNow)
        }
        let expired = try certify(request, by: spain, lifetime: 1000)
        await expectError(.certificateMismatch) { try home.install(expired, now: testNow + 5000) }
        let early = try certify(request, by: spain, now: testNow + 3 * 86_400_000)
        await expectError(.certificateMismatch) { try home.install(early, now: testNow) }
        #expect(!home.hasIdentity && home.hasRequest)

        let installed = try home.install(try certify(request, by: spain), now: testNow).certificates
        // The same names and another authority: somebody else's idea of Spain.
        let pretender = try TestMember("ESP", name: "Spain")
        await expectError(.certificateMismatch) {
            try home.install(try certify(request, by: pretender), now: testNow)
        }
        // Nor does it help to put the right authority's certificate along as the founding one.
        let dressed = try NodeCertificates.issue(
            for: request, authority: pretender.authority, authorityKey: pretender.authorityKey,
            founding: spain.authority, now: testNow)
        await expectError(.certificateMismatch) { try home.install(dressed, now: testNow) }
        #expect(try home.identity().certificates == installed)
        await expectError(.noIdentity) {
            try NodeHome(path: folder.file("empty")).install(installed, now: testNow)
        }
    }

    @Test("renewed certificates take the place of the old at one stroke, the keys stay the very same files")
    func renewal() throws {
        let spain = try TestMember("ESP", name: "Spain")
        let (home, request) = try ask()
        _ = try home.install(try certify(request, by: spain), now: testNow)
        func inode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        }
        let before = try inode(home.identityFiles.key(.signing))
        let renewal = try home.renewalRequest()
        #expect(renewal.signing.publicKey == request.signing.publicKey)
        let later = testNow + 365 * 86_400_000
        let renewed = try certify(renewal, by: spain, now: later)
        let identity = try home.install(renewed, now: later)
        #expect(identity.certificates == renewed)
        #expect(try home.identity().certificates == renewed)
        #expect(try inode(home.identityFiles.key(.signing)) == before)
        #expect(mode(of: home.identityFiles.key(.signing)) == "600")
        let names = try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
        #expect(names == ["blobs", "concord.yaml", "identity"])
    }

    @Test("a node that a replaced authority certified stays the same member's under the new one")
    func rotation() async throws {
        let (old, new) = (try TestMember("ESP", name: "Spain"), try TestMember("ESP", name: "Spain"))
        let (home, request) = try ask()
        _ = try home.install(try certify(request, by: old), now: testNow)
        let certificates = try NodeCertificates.issue(
            for: request, authority: new.authority, authorityKey: new.authorityKey, founding: old.authority,
            now: testNow)
        let read = try NodeCertificates(pem: try certificates.pem(), place: "field.pem")
        #expect(read == certificates && read.memberID == old.id)
        let identity = try home.install(read, now: testNow) { $0 == new.authority }
        #expect(identity.memberID == old.id)
        #expect(try home.identity().memberID == old.id)
        #expect(try home.signer().member == old.id)
    }

    @Test("PEM that is not what an authority gives to a node is refused")
    func foreignPEM() async throws {
        let spain = try TestMember("ESP", name: "Spain")
        let certificates = try certify(try ask().request, by: spain)
        let others = try certify(try ask("other", node: "field-2").request, by: spain)
        let (node, agreement) = (try certificates.node.pem(), try certificates.agreement.pem())
        let authority = try spain.authority.pem()
        let stranger = try TestMember("ESP", name: "Spain").authority.pem()
        for pem in [
            node, node + agreement, node + node + authority, node + agreement + stranger,
            node + agreement + authority + node, try node + others.agreement.pem() + authority,
        ] {
            await expectError(.malformedCertificate) { try NodeCertificates(pem: pem, place: "field.pem") }
        }
        #expect(try NodeCertificates(pem: authority + agreement + node, place: "field.pem") == certificates)
    }
}
