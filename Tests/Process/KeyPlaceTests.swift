// Keys that are not plain files of the home: handed over as systemd does, encrypted, or behind a hardware module, for
// which SoftHSM stands in.

import Foundation
import Testing

@Suite("Where a daemon's keys come from", .serialized)
struct KeyPlaceTests {
    private let concord = programs.appendingPathComponent("concord").path

    @Test("keys and their passphrase are taken from the credentials that a service manager hands over")
    func credentials() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let credentials = scene.path("credentials")
        try FileManager.default.createDirectory(atPath: credentials, withIntermediateDirectories: false)
        // As systemd leaves them: readable for the service and nobody else, the keys encrypted.
        for name in ["node.key", "agreement.key"] {
            let sealed = try await run(
                "/usr/bin/openssl",
                [
                    "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:correct horse", "-in",
                    "\(madrid.home)/identity/\(name)", "-out", "\(credentials)/\(name)",
                ])
            try #require(sealed.status == 0, "\(sealed)")
            try FileManager.default.removeItem(atPath: "\(madrid.home)/identity/\(name)")
        }
        try "correct horse\n".write(toFile: "\(credentials)/passphrase", atomically: false, encoding: .utf8)
        for name in ["node.key", "agreement.key", "passphrase"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o440], ofItemAtPath: "\(credentials)/\(name)")
        }
        try await madrid.start(environment: ["CREDENTIALS_DIRECTORY": credentials])
        try await madrid.concord("space", "create", "Test", "--authority", scene.path("authority-ESP"))
        try await madrid.concord("contact", "add", "name=Signed with a credential")
        // Only the daemon has the keys, and it is the one that asks for their renewal.
        try await madrid.concord("node", "renew", "--out", scene.path("madrid.csr"))
        let checked = try await run(
            "/usr/bin/openssl", ["req", "-in", scene.path("madrid.csr"), "-verify", "-noout"])
        #expect(checked.status == 0, "\(checked)")
        #expect(await madrid.stop() == 0)

        // Without them the daemon says what it lacks, and the status is still there.
        let output = try await run(programs.appendingPathComponent("concordd").path, ["--home", madrid.home])
        #expect(output.status == 1 && output.standardError.contains("E-1010"), "\(output)")
        #expect(output.standardError.contains("node.key"))
        #expect(try await madrid.status().node.name == "madrid")
    }

    @Test("a key file that others may read is refused by name when the daemon starts")
    func insecureKey() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let key = "\(madrid.home)/identity/node.key"
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        let output = try await run(programs.appendingPathComponent("concordd").path, ["--home", madrid.home])
        #expect(output.status == 1 && output.standardError.contains("E-2008"), "\(output)")
        #expect(output.standardError.contains("chmod 600 \(key)"))
    }

    @Test(
        "keys in a PKCS #11 module sign requests, changes, connections and certificates",
        .enabled(
            if: SoftModule.isInstalled, "SoftHSM, pkcs11-tool or OpenSSL's PKCS #11 provider is not installed"
        ))
    func module() async throws {
        let scene = try Scene()
        let module = try await SoftModule(scene)
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        // Both keys of the new node, and the authority's own, move into the module or are made there.
        for label in ["node", "agreement"] { try await module.makeKey(label) }
        try await module.adopt(key: scene.path("authority-ESP/authority.key"), label: "authority")
        try FileManager.default.removeItem(atPath: scene.path("authority-ESP/authority.key"))
        try """
        uri: \(module.uri("authority"))
        provider_configuration: \(module.configuration)
        """.write(toFile: scene.path("authority-ESP/authority.uri"), atomically: false, encoding: .utf8)

        let berlin = Node(scene: scene, name: "berlin", member: "ESP", port: try freePort())
        try FileManager.default.createDirectory(atPath: berlin.home, withIntermediateDirectories: false)
        try """
        listen: ["127.0.0.1:\(berlin.port)"]
        identity:
          signing_key: "\(module.uri("node"))"
          agreement_key: "\(module.uri("agreement"))"
          provider_configuration: \(module.configuration)
          passphrase_file: \(module.pin)
        """.write(toFile: "\(berlin.home)/concord.yaml", atomically: false, encoding: .utf8)
        func run(_ arguments: String...) async throws {
            let output = try await ProcessTests.run(
                concord, arguments + ["--home", berlin.home], environment: module.environment)
            try #require(output.status == 0, "\(arguments): \(output)")
        }
        let csr = scene.path("berlin.csr")
        try await run(
            "node", "request", "--member", "ESP", "--name", "Land ESP", "--node", "berlin", "--out", csr)
        let checked = try await ProcessTests.run(
            "/usr/bin/openssl", ["req", "-in", csr, "-verify", "-noout"])
        #expect(checked.status == 0, "\(checked)")
        try await run(
            "node", "certify", csr, "--authority", scene.path("authority-ESP"), "--passphrase-file",
            module.pin,
            "--out", scene.path("berlin.pem"))
        try await run("node", "install", scene.path("berlin.pem"))
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(berlin.home)/identity").sorted()
        #expect(names == ["agreement.pem", "authority.pem", "node.pem"])

        try await madrid.start()
        try await berlin.start(environment: module.environment)
        let founded = try await ProcessTests.run(
            concord,
            [
                "space", "create", "Test", "--home", madrid.home, "--authority", scene.path("authority-ESP"),
                "--passphrase-file", module.pin,
            ], environment: module.environment)
        try #require(founded.status == 0, "\(founded)")
        try await madrid.concord("space", "invite", "Test", "--out", scene.path("test.invite"))
        try await berlin.concord("space", "join", scene.path("test.invite"))
        let rows = (1...500).map { #"{"kind":"contact","fields":{"name":"Contact \#($0)"}}"# }
        let imported = try await berlin.attempt(
            ["import", "-"], input: Data((rows.joined(separator: "\n") + "\n").utf8))
        try #require(imported.status == 0, "\(imported)")
        try await madrid.waitInStep()
        try await berlin.waitInStep()
        #expect(try await madrid.digest == berlin.digest)
        let verified = try await madrid.attempt(["verify"])
        #expect(verified.status == 0, "\(verified)")
        // New connections in both directions, long after the first signature.
        #expect(await madrid.stop() == 0)
        try await madrid.start()
        try await madrid.concord("contact", "add", "name=Once more")
        try await berlin.waitInStep()
        #expect(await berlin.stop() == 0)
    }
}

/// A PKCS #11 module in software, with a token of this test's own.
private struct SoftModule {
    let configuration: String
    let pin: String
    let environment: [String: String]
    private let scene: Scene

    private static let library = first([
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    ])
    private static let provider = first(
        [
            "/usr/lib/x86_64-linux-gnu/ossl-modules", "/usr/lib/aarch64-linux-gnu/ossl-modules",
            "/usr/lib64/ossl-modules", "/usr/local/lib/ossl-modules",
        ].map { "\($0)/pkcs11.so" })
    private static let tool = first(["/usr/bin/pkcs11-tool"])
    private static let manager = first(["/usr/bin/softhsm2-util"])

    static var isInstalled: Bool { library != nil && provider != nil && tool != nil && manager != nil }

    init(_ scene: Scene) async throws {
        self.scene = scene
        let folder = scene.path("module")
        try FileManager.default.createDirectory(atPath: "\(folder)/tokens", withIntermediateDirectories: true)
        func write(_ text: String, _ name: String, _ mode: Int = 0o644) throws -> String {
            try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: "\(folder)/\(name)")
            return "\(folder)/\(name)"
        }
        let settings = try write(
            "directories.tokendir = \(folder)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
            "softhsm2.conf")
        environment = ["SOFTHSM2_CONF": settings]
        pin = try write("98765\n", "pin", 0o600)
        let (library, provider) = (try #require(Self.library), try #require(Self.provider))
        // SoftHSM uses OpenSSL itself and must not be taken down before it.
        configuration = try write(
            """
            openssl_conf = settings
            [settings]
            providers = providers
            [providers]
            default = default_provider
            pkcs11 = pkcs11_provider
            [default_provider]
            activate = 1
            [pkcs11_provider]
            module = \(provider)
            pkcs11-module-path = \(library)
            pkcs11-module-quirks = no-deinit no-operation-state
            activate = 1
            """, "openssl.cnf")
        let made = try await run(
            try #require(Self.manager),
            ["--init-token", "--free", "--label", "concord", "--so-pin", "12345678", "--pin", "98765"],
            environment: environment)
        try #require(made.status == 0, "\(made)")
    }

    func uri(_ label: String) -> String { "pkcs11:token=concord;object=\(label);type=private" }

    func makeKey(_ label: String) async throws {
        try await tool([
            "--keypairgen", "--key-type", "EC:prime256v1", "--usage-sign", "--usage-derive", "--label", label,
            "--id", id(label),
        ])
    }

    func adopt(key: String, label: String) async throws {
        let imported = try await run(
            try #require(Self.manager),
            ["--import", key, "--token", "concord", "--label", label, "--id", id(label), "--pin", "98765"],
            environment: environment)
        try #require(imported.status == 0, "\(imported)")
    }

    private func id(_ label: String) -> String { label.utf8.map { String($0, radix: 16) }.joined() }

    private func tool(_ arguments: [String]) async throws {
        let output = try await run(
            try #require(Self.tool),
            ["--module", try #require(Self.library), "--token-label", "concord", "--login", "--pin", "98765"]
                + arguments, environment: environment)
        try #require(output.status == 0, "\(output)")
    }

    private static func first(_ paths: [String]) -> String? {
        paths.first { FileManager.default.fileExists(atPath: $0) }
    }
}
