import ConcordCrypto
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("Homes and authorities")
struct HomeTests {
    private let folder = TemporaryFolder()

    private func makeHome(_ name: String = "home", member: TestMember) throws -> NodeHome {
        let home = NodeHome(path: folder.file(name))
        try home.initialize(
            member: member.code, name: member.code, node: "madrid", authority: member.authority,
            authorityKey: member.authorityKey, listen: [NodeAddress(host: "127.0.0.1", port: 7443)],
            addresses: [NodeAddress(host: "madrid.example.org", port: 443)], now: testNow)
        return home
    }

    @Test("initializing makes keys that nobody else can read, and certificates that say who the node is")
    func initialize() throws {
        let member = try TestMember("ESP")
        let home = try makeHome(member: member)
        #expect(mode(of: home.path) == "750")
        #expect(mode(of: home.identityFolder) == "700")
        for key in ["node.key", "agreement.key"] {
            #expect(mode(of: "\(home.identityFolder)/\(key)") == "600")
        }
        for certificate in ["node.pem", "agreement.pem", "authority.pem"] {
            #expect(mode(of: "\(home.identityFolder)/\(certificate)") == "644")
        }
        let identity = try home.identity()
        #expect(identity.memberCode == "ESP")
        #expect(identity.nodeName == "madrid")
        #expect(identity.memberID == member.id)
        #expect(identity.nodeID.digest == (try home.signingKey()).publicKey.fingerprint)
        #expect(identity.agreementCertificate.publicKey == (try home.agreementKey()).publicKey)
        let years =
            Double(identity.nodeCertificate.notAfter - testNow / 1000) / Double(Validity.secondsOfYear)
        #expect(abs(years - 3) < 0.01)
        let names = try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
        #expect(names == ["blobs", "concord.yaml", "identity"])
    }

    @Test("the configuration of a new home says what was asked for")
    func configuration() throws {
        let home = try makeHome(member: try TestMember("ESP"))
        let configuration = try Configuration.load(path: home.configuration, environment: [:])
        #expect(configuration.listen.map(\.description) == ["127.0.0.1:7443"])
        #expect(configuration.addresses.map(\.description) == ["madrid.example.org:443"])
        #expect(configuration.peers.isEmpty)
    }

    @Test("an identity is never overwritten")
    func twice() async throws {
        let member = try TestMember("ESP")
        let home = try makeHome(member: member)
        let before = try home.identity().nodeID
        await expectError(.identityExists) { try makeHome(member: member) }
        #expect(try home.identity().nodeID == before)
    }

    @Test("a home with a replica but no identity gets one, and the replica stays")
    func restoredHome() throws {
        let path = folder.file("restored")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try "replica".write(toFile: "\(path)/replica.db", atomically: false, encoding: .utf8)
        let home = try makeHome("restored", member: try TestMember("ESP"))
        #expect(try home.identity().nodeName == "madrid")
        #expect(try String(contentsOfFile: home.database, encoding: .utf8) == "replica")
    }

    @Test("a configuration that is there already is kept, and nothing is made")
    func configurationExists() async throws {
        let path = folder.file("kept")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try "listen: []\n".write(toFile: "\(path)/concord.yaml", atomically: false, encoding: .utf8)
        await expectError(.fileExists) { try makeHome("kept", member: try TestMember("ESP")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["concord.yaml"])
    }

    @Test("a node cannot be made with another member's authority")
    func foreignAuthority() async throws {
        let (spain, germany) = (try TestMember("ESP"), try TestMember("DEU"))
        let home = NodeHome(path: folder.file("foreign"))
        await expectError(.wrongAuthority) {
            try home.initialize(
                member: "ESP", name: "ESP", node: "madrid", authority: germany.authority,
                authorityKey: germany.authorityKey, listen: [], addresses: [], now: testNow)
        }
        await expectError(.wrongAuthority) {
            try home.initialize(
                member: "ESP", name: "ESP", node: "madrid", authority: spain.authority,
                authorityKey: germany.authorityKey, listen: [], addresses: [], now: testNow)
        }
        #expect(!FileManager.default.fileExists(atPath: home.path))
    }

    @Test("a home that cannot be written is refused", arguments: ["/proc/concord", "FILE/home"])
    func unwritable(path: String) async throws {
        let file = try folder.write("", to: "FILE")
        let home = NodeHome(path: path.replacingOccurrences(of: "FILE", with: file))
        await expectError(.unwritableHome) { try home.prepare() }
        await expectError(.unwritableHome) { try home.lock() }
    }

    @Test(
        "a key that others may read is refused, and the next step names it",
        arguments: ["node.key", "agreement.key"])
    func insecureKey(name: String) async throws {
        let home = try makeHome(member: try TestMember("ESP"))
        let key = "\(home.identityFolder)/\(name)"
        #expect(chmod(key, 0o640) == 0)
        let error = await expectError(.insecureFileMode) { try home.identity() }
        #expect(error?.action?.contains(key) == true)
    }

    @Test("a key beside another key's certificate is refused")
    func exchangedKeys() async throws {
        let home = try makeHome(member: try TestMember("ESP"))
        let folder = home.identityFolder
        try FileManager.default.removeItem(atPath: "\(folder)/node.key")
        try FileManager.default.copyItem(atPath: "\(folder)/agreement.key", toPath: "\(folder)/node.key")
        await expectError(.malformedKey) { try home.identity() }
    }

    @Test("certificates of another authority than the one beside them are refused")
    func exchangedAuthority() async throws {
        let home = try makeHome(member: try TestMember("ESP"))
        let other = try TestMember("ESP").authority.pem()
        try other.write(toFile: "\(home.identityFolder)/authority.pem", atomically: false, encoding: .utf8)
        await expectError(.malformedCertificate) { try home.identity() }
    }

    @Test("a home without an identity says so")
    func noIdentity() async {
        await expectError(.noIdentity) { try NodeHome(path: folder.path).identity() }
        await expectError(.noIdentity) { try NodeHome(path: folder.path).signingKey() }
    }

    @Test("a home is locked for one daemon at a time")
    func lock() async throws {
        let home = NodeHome(path: folder.file("locked"))
        let lock = try home.lock()
        await expectError(.homeInUse) { try home.lock() }
        lock.release()
        let next = try home.lock()
        next.release()
    }

    @Test("the home is the option, then CONCORD_HOME, then the personal folder")
    func resolution() {
        let environment = ["CONCORD_HOME": "/srv/concord", "HOME": "/home/ana"]
        #expect(NodeHome.resolve(option: "/x/", environment: environment).path == "/x")
        #expect(NodeHome.resolve(option: nil, environment: environment).path == "/srv/concord")
        if !FileManager.default.fileExists(atPath: "/var/lib/concord") {
            #expect(
                NodeHome.resolve(option: nil, environment: ["HOME": "/home/ana"]).path
                    == "/home/ana/.concord/home")
        }
        #expect(
            AuthorityFolder.defaultPath(code: "ESP", environment: ["HOME": "/home/ana"])
                == "/home/ana/.concord/authority/ESP")
    }
}
