// Real daemons on real sockets, in a temporary folder that goes when the test ends. Everything is asked through the
// programs that people use; what is waited for has a deadline.

import ConcordAPI
import Foundation
import Synchronization
import Testing

/// What a program printed and how it ended.
struct Output: Sendable, CustomStringConvertible {
    let status: Int32
    let standardOutput: String
    let standardError: String
    var description: String { "exit \(status)\n\(standardOutput)\n\(standardError)" }
}

/// Runs a program to its end; its input, if any, is written at once and then closed.
func run(
    _ program: String, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:]
) async throws -> Output {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files instead of pipes: a program that prints much cannot block on a reader that waits for its end.
    func stream(_ name: String, _ content: Data = Data()) throws -> FileHandle {
        let url = folder.appendingPathComponent(name)
        try content.write(to: url)
        return try FileHandle(forUpdating: url)
    }
    let (output, error) = (try stream("output"), try stream("error"))
    process.standardOutput = output
    process.standardError = error
    process.standardInput = try stream("input", input ?? Data())
    try await process.runToEnd()
    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
    }
    return Output(
        status: process.terminationStatus, standardOutput: try text("output"),
        standardError: try text("error"))
}

extension Process {
    /// Runs the program and waits for its end without holding up a thread: the tests that run at the same time share
    /// few of them.
    fileprivate func runToEnd() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            terminationHandler = { _ in continuation.resume() }
            do {
                try run()
            } catch {
                terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The folder of the built programs, which is that of the tests.
let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

/// A folder for the homes and authorities of one test.
final class Scene: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "concord-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Makes a node with an authority of its own, or one of a member that has one already.
    func makeNode(_ name: String, member: String, listening: Bool = true) async throws -> Node {
        let port = listening ? try freePort() : 0
        var arguments = ["init", "--member", member, "--name", "Land \(member)", "--node", name]
        arguments += ["--home", path(name), "--authority", path("authority-\(member)"), "--no-passphrase"]
        if listening { arguments += ["--listen", "127.0.0.1:\(port)"] }
        let output = try await run(programs.appendingPathComponent("concord").path, arguments)
        try #require(output.status == 0, "\(output)")
        let node = Node(scene: self, name: name, member: member, port: port)
        if !listening {
            try "listen: []\n".write(toFile: path("\(name)/concord.yaml"), atomically: true, encoding: .utf8)
        }
        return node
    }

    /// Founds a space on the first node, admits the members of the others, and lets all join.
    func found(_ founder: Node, _ others: [Node]) async throws {
        try await founder.concord(
            "space", "create", "Test", "--authority", path("authority-\(founder.member)"))
        var admitted: Set<String> = [founder.member]
        for node in others where admitted.insert(node.member).inserted {
            let file = path("\(node.member).pem")
            try await node.concord("identity", "export", "--out", file)
            try await founder.concord(
                "member", "admit", file, "--authority", path("authority-\(founder.member)"))
        }
        try await founder.concord("space", "invite", "Test", "--out", path("test.invite"))
        for node in others { try await node.concord("space", "join", path("test.invite")) }
    }
}

/// A port of loopback that is free, that no other test was given, and that the system gives to no connection by
/// itself: a daemon that was stopped finds it free when it comes back.
func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 18_000..<32_000)
        if givenPorts.withLock({ $0.insert(port).inserted }), try isFree(port) { return port }
    }
    throw CancellationError()
}

private let givenPorts = Mutex<Set<Int>>([])

private func isFree(_ port: Int) throws -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
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

/// Somebody with no rights but those that modes give, as whom root runs a program.
struct OtherUser: Sendable {
    private static let nobody = "65534"

    /// Whether modes can keep a daemon of the tests from something.
    static var isPossible: Bool { get async { getuid() != 0 ? true : await whereRoot() != nil } }

    /// Nobody, if the tests run as root and it can run the programs; nil otherwise.
    static func whereRoot() async -> OtherUser? {
        guard getuid() == 0 else { return nil }
        let user = OtherUser()
        let command = user.command([programs.appendingPathComponent("concordd").path, "--version"])
        let output = try? await run(command[0], Array(command.dropFirst()))
        return output?.status == 0 ? user : nil
    }

    /// The command line that runs another one as this user.
    func command(_ words: [String]) -> [String] {
        ["/usr/bin/setpriv", "--reuid", Self.nobody, "--regid", Self.nobody, "--clear-groups"] + words
    }

    /// Gives a folder and everything in it to the user.
    func own(_ folder: String) async throws {
        let output = try await run("/bin/chown", ["-R", "\(Self.nobody):\(Self.nobody)", folder])
        try #require(output.status == 0, "\(output)")
    }
}

/// One node: its home, and its daemon while it runs.
final class Node: @unchecked Sendable {  // used by one test, one step after the other
    let scene: Scene
    let name: String
    let member: String
    let port: Int
    private var daemon: Process?
    /// Ends with the daemon.
    private var ended: AsyncStream<Never>?

    init(scene: Scene, name: String, member: String, port: Int) {
        (self.scene, self.name, self.member, self.port) = (scene, name, member, port)
    }

    deinit { kill() }

    var home: String { scene.path(name) }
    var identifier: pid_t { daemon?.processIdentifier ?? 0 }

    /// Starts the daemon and waits until it answers a question.
    ///
    /// - Parameters:
    ///   - program: which daemon: that of this version, or `concordd-next`.
    ///   - user: as whom it runs; nil for whoever runs the tests.
    func start(
        _ program: String = "concordd", environment: [String: String] = [:],
        asking question: [String] = ["space", "list"], as user: OtherUser? = nil
    ) async throws {
        let process = Process()
        let path = programs.appendingPathComponent(program).path
        let command = user?.command([path]) ?? [path]
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst()) + ["--home", home]
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        let log = home + "/daemon.log"
        if !FileManager.default.fileExists(atPath: log) {
            try Data().write(to: URL(fileURLWithPath: log))
        }
        let handle = try #require(FileHandle(forWritingAtPath: log))
        handle.seekToEndOfFile()
        process.standardError = handle
        let (ended, continuation) = AsyncStream.makeStream(of: Never.self)
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
        (daemon, self.ended) = (process, ended)
        try await eventually("\(name) answers") {
            try #require(process.isRunning, "the daemon of \(name) ended: \(self.log.suffix(2000))")
            return try await run(
                programs.appendingPathComponent("concord").path, question + ["--home", home]
            )
            .status == 0
        }
    }

    /// Starts the daemon where it should end by itself, and says how it did.
    func attemptStart(as user: OtherUser? = nil) async throws -> Output {
        let path = programs.appendingPathComponent("concordd").path
        let command = user?.command([path]) ?? [path]
        return try await run("/usr/bin/timeout", ["20"] + command + ["--home", home])
    }

    /// Stops the daemon as an operator would, and waits for its end.
    @discardableResult
    func stop() async -> Int32 {
        guard let daemon, let ended else { return -1 }
        daemon.terminate()
        for await _ in ended {}
        self.daemon = nil
        return daemon.terminationStatus
    }

    /// Ends the daemon without a chance to tidy up.
    func kill() {
        guard let daemon else { return }
        Foundation.kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
        self.daemon = nil
    }

    var isRunning: Bool { daemon?.isRunning ?? false }
    var log: String { (try? String(contentsOfFile: home + "/daemon.log", encoding: .utf8)) ?? "" }

    /// Runs `concord` on this node, whatever comes of it.
    func attempt(_ arguments: [String], input: Data? = nil) async throws -> Output {
        try await run(
            programs.appendingPathComponent("concord").path, arguments + ["--home", home], input: input)
    }

    /// Runs `concord` on this node, which must succeed, and returns what it printed without the last line's end.
    @discardableResult
    func concord(_ arguments: String...) async throws -> String { try await concord(arguments) }

    /// The same, of a list.
    @discardableResult
    func concord(_ arguments: [String]) async throws -> String {
        let output = try await attempt(arguments)
        try #require(
            output.status == 0,
            "concord \(arguments.joined(separator: " ")) on \(name): \(output)\n\(log.suffix(3000))")
        return output.standardOutput.trimmingCharacters(in: .newlines)
    }

    func status() async throws -> StatusDocument {
        let output = try await attempt(["status", "--json"])
        return try JSONDecoder().decode(StatusDocument.self, from: Data(output.standardOutput.utf8))
    }

    /// Waits until this node and its peers are in step.
    func waitInStep(with member: String? = nil, timeout: String = "60s") async throws {
        let output = try await attempt(
            ["wait", "--in-step", "--timeout", timeout] + (member.map { ["--with", $0] } ?? []))
        let now = try await attempt(["status"])
        let account = "\(output)\n\(now)\n\(log.suffix(4000))"
        try #require(output.status == 0, "\(name) does not come into step: \(account)")
    }

    var digest: String { get async throws { try await concord("space", "digest") } }
}

/// Asks again and again until the answer is yes, at most for `seconds`.
func eventually(
    _ what: String, seconds: Double = 60, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("not within \(seconds) s: \(what)")
    throw CancellationError()
}
