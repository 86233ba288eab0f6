import ConcordModel
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
            log_level: debug
            log_format: json
            """)
        #expect(configuration.listen.map(\.description) == ["127.0.0.1:7443", "[::1]:0"])
        #expect(configuration.addresses.map(\.description) == ["madrid.example.org:443"])
        #expect(configuration.peers.map(\.description) == ["berlin.example.org:7443"])
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .json)
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
            "CONCORD_HOME": "/srv",
        ]
        let configuration = try load(
            "listen: []\npeers: [\"berlin:1\"]\nlog_level: info", environment: environment)
        #expect(configuration.listen.map(\.port) == [1, 2])
        #expect(configuration.peers.isEmpty)
        #expect(configuration.logLevel == .error)
        let error = await expectError(.badAddress) {
            try load("", environment: ["CONCORD_ADDRESSES": "nowhere"])
        }
        #expect(error?.message.contains("CONCORD_ADDRESSES") == true)
        await expectError(.malformedConfiguration) {
            try load("", environment: ["CONCORD_LOG_FORMAT": "xml"])
        }
    }
}
