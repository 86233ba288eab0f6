import ConcordCrypto
import ConcordModel
import ConcordTransport
import Testing

@testable import ConcordNode

@Suite("Configuration")
struct ConfigurationTests {
    private let folder = TemporaryFolder()

    private func load(_ text: String, environment: [String: String] = [:]) throws -> Configuration {
        try Configuration.load(path: try folder.write(text, to: "concord.yaml"), environment: environment)
    }

    @Test("every key is read")
    func complete() throws {
        let configuration = try load(
            """
            # a comment
            listen:
              - 127.0.0.1:7443
              - "[::1]:0"
            addresses: ["madrid.example.org:443"]
            peers:
              - berlin.example.org:7443
            proxy: "http://proxy.example.org:3128"
            log_level: debug
            log_format: json
            identity:
              signing_key: "pkcs11:token=concord;object=node;type=private"
              agreement_key: /etc/concord/agreement.key
              passphrase_file: /etc/concord/passphrase
              provider: pkcs11
              provider_configuration: /etc/concord/openssl.cnf
              provider_properties: provider=pkcs11
            access:
              administrators: [ana, "@concord-admin"]
              editors:
                - "@concord"
              readers: ["1001"]
            """)
        #expect(configuration.listen.map(\.description) == ["127.0.0.1:7443", "[::1]:0"])
        #expect(configuration.addresses.map(\.description) == ["madrid.example.org:443"])
        #expect(configuration.peers.map(\.description) == ["berlin.example.org:7443"])
        #expect(configuration.proxy == HTTPProxy(host: "proxy.example.org", port: 3128))
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .json)
        #expect(
            configuration.keys
                == KeySources(
                    signingKey: "pkcs11:token=concord;object=node;type=private",
                    agreementKey: "/etc/concord/agreement.key",
                    provider: KeyProvider(
                        name: "pkcs11", configuration: "/etc/concord/openssl.cnf",
                        properties: "provider=pkcs11"),
                    passphraseFile: "/etc/concord/passphrase"))
        #expect(
            configuration.access
                == AccessPolicy(
                    readers: [.user("1001")], editors: [.group("concord")],
                    administrators: [.user("ana"), .group("concord-admin")]))
    }

    @Test("a proxy is read with its user, and named in the environment")
    func proxy() async throws {
        let plain = try load("proxy: http://proxy.example.org:3128\n").proxy
        #expect(plain == HTTPProxy(host: "proxy.example.org", port: 3128))
        let full = try load(#"proxy: "http://an%40:p%3a@ss@[::1]:80/""# + "\n").proxy
        #expect(full == HTTPProxy(host: "::1", port: 80, user: "an@", password: "p:@ss"))
        #expect(try load("proxy: \"\"\n").proxy == nil)
        let environment = ["CONCORD_PROXY": "http://u@localhost:1"]
        #expect(
            try load("proxy: http://proxy:2\n", environment: environment).proxy
                == HTTPProxy(host: "localhost", port: 1, user: "u"))
        #expect(try load("proxy: http://proxy:2\n", environment: ["CONCORD_PROXY": ""]).proxy == nil)
        for text in [
            "https://u:secret@proxy:1", "proxy:3128", "http://u:secret@proxy", "http://u:secret@proxy:0",
            "http://:secret@proxy:1", "http://u:secret%4@proxy:1", "http://u:secret%0a@proxy:1",
            "http://u:secret@proxy:1/path", "http://u%3a:secret@proxy:1", "http://u:secret%ff@proxy:1",
        ] {
            let error = await expectError(.malformedConfiguration) { try load("proxy: \"\(text)\"\n") }
            #expect(error?.message.contains("secret") == false)
            #expect(error?.message.contains("line 1") == true && error?.message.contains("`proxy`") == true)
        }
        #expect("\(try load("proxy: http://ana:secret@proxy:1\n"))".contains("secret") == false)
    }

    @Test("keys of a section stand indented below it, and nowhere else")
    func sections() async throws {
        #expect(try load("identity:\naccess:\n") == Configuration())
        await expectError(.unknownConfigurationKey) { try load("identity.signing_key: a\n") }
        await expectError(.unknownConfigurationKey) { try load("signing_key: a\n") }
        await expectError(.unknownConfigurationKey) { try load("access:\n  listen: []\n") }
        await expectError(.malformedConfiguration) { try load("access: [ana]\n") }
        await expectError(.malformedConfiguration) { try load("access:\n  readers: ana\n") }
        let error = await expectError(.malformedConfiguration) {
            try load("access:\n  readers:\n    - \"a b\"\n")
        }
        #expect(error?.message.contains("access.readers") == true && error?.message.contains("line") == true)
    }

    @Test("backups and the reserve of the disk are configured, and what is none of their values is refused")
    func storage() throws {
        let configuration = try load(
            "storage:\n  reserve: 10 MiB\nbackup:\n  every: 6h\n  folder: /srv/x\n  keep_days: 3\n  keep_weeks: 0\n"
        )
        #expect(configuration.reserveBytes == 10 << 20)
        #expect(configuration.blobs.reservedBytes == 20 << 20)
        #expect(configuration.backup.interval == 6 * 3_600_000 && configuration.backup.folder == "/srv/x")
        #expect(configuration.backup.keptDays == 3 && configuration.backup.keptWeeks == 0)
        #expect(try load("backup:\n  every: off\n").backup.interval == nil)
        for text in ["every: daily", "folder: here", "keep_days: -1", "keep_weeks: many"] {
            #expect(throws: ConcordError.self) { try load("backup:\n  \(text)\n") }
        }
    }

    @Test("the sample that a new home gets is read, and says nothing of its own")
    func sample() throws {
        let text = Configuration.sample(listen: Configuration.defaultListen, addresses: [])
        #expect(try load(text) == Configuration())
        let quoted = Configuration.sample(listen: [], addresses: [], passphraseFile: #"/a "b" \c"#)
        #expect(try load(quoted).keys.passphraseFile == #"/a "b" \c"#)
    }

    @Test(
        "without a file, or with one of comments alone, the defaults hold",
        arguments: [nil, "", "# nothing\n"])
    func defaults(text: String?) throws {
        let configuration =
            try text.map { try load($0) }
            ?? Configuration.load(path: folder.file("missing.yaml"), environment: [:])
        #expect(configuration == Configuration())
        #expect(configuration.listen == Configuration.defaultListen)
    }

    @Test(
        "an empty list of addresses to listen on means to dial out only",
        arguments: ["listen: []", "listen:"])
    func dialOnly(text: String) throws { #expect(try load(text).listen.isEmpty) }

    @Test("an unknown key is named with its line")
    func unknownKey() async {
        let error = await expectError(.unknownConfigurationKey) {
            try load("# one\nlisten: []\nlissten: []\n")
        }
        #expect(error?.message.contains("lissten") == true)
        #expect(error?.message.contains("line 3") == true)
    }

    @Test(
        "what cannot be read is refused with its line",
        arguments: [
            ("listen: [\n", "line"), ("listen: 127.0.0.1:1\n", "line 1"), ("- a\n", "line 1"),
            ("text\n", "line 1"),
            ("log_level: loud\n", "line 1"), ("log_level: [info]\n", "line 1"), ("log_format: xml\n", "xml"),
            ("listen: []\nlisten: []\n", "listen"), ("listen: {a: b}\n", "line 1"),
            ("\tlisten: []\n", "line 1"),
            ("listen:\n  - [::]:7443\n", "line 2"),
        ])
    func malformed(text: String, mention: String) async {
        let error = await expectError(.malformedConfiguration) { try load(text) }
        #expect(error?.message.contains(mention) == true, "\(error?.message ?? "")")
    }

    @Test("a bad address is named with its key and line")
    func badAddress() async {
        let error = await expectError(.badAddress) { try load("peers:\n  - berlin\n") }
        #expect(error?.message.contains("`peers`") == true)
        await expectError(.badAddress) { try load("peers: [\"berlin:0\"]\n") }
    }

    @Test("a folder in place of the file is refused")
    func folderAsFile() async {
        await expectError(.malformedConfiguration) {
            try Configuration.load(path: folder.path, environment: [:])
        }
    }

    @Test("environment variables win over the file, and are checked in the same way")
    func environment() async throws {
        let environment = [
            "CONCORD_LISTEN": "127.0.0.1:1, 127.0.0.1:2", "CONCORD_PEERS": "", "CONCORD_LOG_LEVEL": "error",
            "CONCORD_HOME": "/srv", "CONCORD_ACCESS_READERS": "ana, @staff",
            "CONCORD_IDENTITY_PROVIDER": "tpm2",
            "CREDENTIALS_DIRECTORY": "/run/credentials/concordd.service",
        ]
        let configuration = try load(
            "listen: []\npeers: [\"berlin:1\"]\nlog_level: info", environment: environment)
        #expect(configuration.listen.map(\.port) == [1, 2])
        #expect(configuration.peers.isEmpty)
        #expect(configuration.logLevel == .error)
        #expect(configuration.access.readers == [.user("ana"), .group("staff")])
        #expect(configuration.keys.provider.name == "tpm2")
        #expect(configuration.keys.credentials == "/run/credentials/concordd.service")
        let error = await expectError(.badAddress) {
            try load("", environment: ["CONCORD_ADDRESSES": "nowhere"])
        }
        #expect(error?.message.contains("CONCORD_ADDRESSES") == true)
        await expectError(.malformedConfiguration) {
            try load("", environment: ["CONCORD_LOG_FORMAT": "xml"])
        }
    }
}
