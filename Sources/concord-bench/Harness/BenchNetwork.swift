// Real daemons in a temporary folder that goes with the measurement. Nodes are made, and spaces founded, by the
// programs that people use; what is measured is asked for on the daemons' own local API.

import ConcordAPI
import ConcordClient
import Foundation
import Glibc

/// The nodes of one measurement and the folder of their homes.
final class BenchNetwork {
    let folder: String
    private var nodes: [BenchNode] = []
    private var ports: Set<Int> = []

    /// The name of the space that ``found(_:)`` makes.
    static let space = "Bench"

    /// - Throws: ``BenchError`` if the programs are not there, or the folder cannot be made.
    init() throws {
        for program in ["concord", "concordd"] {
            let path = "\(BenchNode.programs)/\(program)"
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw BenchError("\(path) is missing; build all programs with swift build -c release")
            }
        }
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "concord-bench-\(UUID().uuidString.prefix(8))")
        folder = url.path
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        for node in nodes { node.kill() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Makes a node of a member with an authority of its own.
    ///
    /// - Parameters:
    ///   - listening: whether it listens on loopback, or only dials out.
    ///   - port: where it listens, if it does; any free one if nil.
    ///   - configuration: more lines of its concord.yaml.
    func makeNode(
        _ name: String, member: String, listening: Bool = true, port: Int? = nil, configuration: [String] = []
    ) async throws -> BenchNode {
        let port = listening ? try port ?? freePort() : 0
        let node = BenchNode(folder: folder, name: name, member: member, port: port)
        nodes.append(node)
        var arguments = ["init", "--member", member, "--name", "Land \(member)", "--node", name]
        arguments += ["--authority", authority(member), "--no-passphrase"]
        if listening { arguments += ["--listen", "127.0.0.1:\(port)"] }
        try await node.concord(arguments)
        let lines = (listening ? ["listen: [\"127.0.0.1:\(port)\"]"] : ["listen: []"]) + configuration
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: node.home + "/concord.yaml", atomically: true, encoding: .utf8)
        return node
    }

    /// Founds a space on a node whose daemon runs.
    func found(_ founder: BenchNode) async throws {
        try await founder.concord(["space", "create", Self.space, "--authority", authority(founder.member)])
    }

    /// Admits the member of a node to the founder's space; gives back the invite with which it joins.
    func admit(_ node: BenchNode, by founder: BenchNode) async throws -> [UInt8] {
        let file = "\(folder)/\(node.member).pem"
        try await node.concord(["identity", "export", "--out", file])
        try await founder.concord(["member", "admit", file, "--authority", authority(founder.member)])
        let invite = "\(folder)/\(node.name).invite"
        try await founder.concord(["space", "invite", Self.space, "--out", invite])
        guard let bytes = FileManager.default.contents(atPath: invite) else {
            throw BenchError("\(invite) cannot be read")
        }
        return Array(bytes)
    }

    private func authority(_ member: String) -> String { "\(folder)/authority-\(member)" }

    /// A port of loopback that is free and that the system gives to no connection by itself.
    func freePort() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 18_000..<32_000)
            if ports.insert(port).inserted, Self.isFree(port) { return port }
        }
        throw BenchError("no port of loopback is free")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// One node: its home, and its daemon while it runs.
final class BenchNode {
    let name: String
    let member: String
    let port: Int
    let home: String
    private let folder: String
    private var daemon: ChildProcess?

    fileprivate init(folder: String, name: String, member: String, port: Int) {
        (self.folder, self.name, self.member, self.port) = (folder, name, member, port)
        home = "\(folder)/\(name)"
    }

    /// The folder of the built programs, which is that of this one.
    static let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// The local API of its daemon.
    var client: DaemonClient { DaemonClient(socket: home + "/concord.sock") }
    /// The file of its replica.
    var replica: String { home + "/replica.db" }

    /// What its daemon takes now.
    var usage: ProcessUsage {
        get throws {
            guard let daemon else { throw BenchError("the daemon of \(name) does not run") }
            return try ProcessUsage(of: daemon.identifier)
        }
    }

    /// Starts the daemon and waits until it answers; returns how long that took, in milliseconds.
    @discardableResult
    func start() async throws -> Double {
        let start = ContinuousClock.now
        let log = home + "/daemon.log"
        let daemon = try ChildProcess(
            Self.programs + "/concordd", ["--home", home], output: "/dev/null", error: log)
        self.daemon = daemon
        let deadline = start + .seconds(60)
        while true {
            if (try? await client.spaces()) != nil { return start.milliseconds }
            guard daemon.isRunning, ContinuousClock.now < deadline else {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw BenchError("the daemon of \(name) does not answer: \(text.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Stops the daemon as an operator would.
    func stop() async throws {
        guard let daemon else { return }
        daemon.terminate()
        let status = try await daemon.waitForEnd(atMost: .seconds(60))
        self.daemon = nil
        guard status == 0 else { throw BenchError("the daemon of \(name) ended with status \(status)") }
    }

    /// Ends the daemon without a chance to tidy up.
    func kill() { daemon = nil }

    /// Runs `concord` on this node and returns what it printed.
    @discardableResult
    func concord(_ arguments: [String]) async throws -> String {
        let output = "\(folder)/output-\(UUID().uuidString)"
        let error = output + "-error"
        defer { for file in [output, error] { try? FileManager.default.removeItem(atPath: file) } }
        let program = try ChildProcess(
            Self.programs + "/concord", arguments + ["--home", home], output: output, error: error)
        let status = try await program.waitForEnd(atMost: .seconds(600))
        func text(_ file: String) -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
        guard status == 0 else {
            throw BenchError(
                "concord \(arguments.joined(separator: " ")) on \(name) ended with status \(status): "
                    + text(error))
        }
        return text(output)
    }

    /// The digest of the space's visible state, and how many changes it follows from.
    func digest() async throws -> DigestDocument {
        try await client.digest(space: BenchNetwork.space).document
    }

    /// Bytes of frames to and from all peers since the daemon started, with their lengths, without TLS.
    func traffic() async throws -> (sent: Int, received: Int) {
        let peers = try await client.status().document.peers
        return (
            Int(peers.reduce(0) { $0 + $1.bytesSent }), Int(peers.reduce(0) { $0 + $1.bytesReceived })
        )
    }
}
