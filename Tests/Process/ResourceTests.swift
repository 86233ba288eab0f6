// Peers that want nothing but a node's memory, processor and places: the node stays within bounds, and honest peers do not
// notice.

import ConcordModel
import ConcordSync
import Foundation
import Testing

@Suite("Attacks on resources", .serialized)
struct ResourceTests {
    @Test("half-open handshakes, floods of small frames, false lengths and slow readers starve nobody")
    func attacks() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        let hostile = try await scene.makeNode("hostile", member: "XXX", listening: false)
        for node in [madrid, berlin, hostile] { try await node.start() }
        try await scene.found(madrid, [berlin, hostile])
        try await berlin.waitInStep()
        #expect(await hostile.stop() == 0)
        let before = try memory(of: madrid)
        let (start, usedBefore) = (ContinuousClock.now, try processorTime(of: madrid))
        let space = try #require(try await madrid.status().spaces.first?.id)

        // Silent connections, more than there are places for handshakes.
        let silent = try (0..<400).map { _ in try connect(to: madrid.port) }
        defer { for descriptor in silent { close(descriptor) } }
        // A member's good key behind all others: one after the other, for as long as the honest work.
        let hello = try frame(self.hello(space))
        let attacks: [[UInt8]] = [
            hello + Array(repeating: try frame(.ping(7)), count: 20_000).joined(),
            hello + [0xff, 0xff, 0xff, 0xff],
            hello + [0, 0, 4, 0] + [UInt8](repeating: 0x81, count: 1024),
            hello + Array(repeating: [0, 0, 0, 1, 0xff], count: 2_000).joined(),
            hello + Array(repeating: hello, count: 300).joined(),
        ]
        let readers = try (0..<16).map { _ in try SlowReader(madrid, as: hostile, sends: hello) }
        defer { for reader in readers { reader.end() } }
        let honest = try await withThrowingTaskGroup(of: Void.self) { group in
            for attack in attacks {
                group.addTask {
                    while !Task.isCancelled { _ = try await client(madrid, as: hostile, sends: attack) }
                }
            }
            defer { group.cancelAll() }
            var slowest = Duration.zero
            for number in 0..<10 {
                let start = ContinuousClock.now
                try await berlin.concord("contact", "add", "name=Under attack \(number)")
                try await eventually("Madrid has what Berlin wrote", seconds: 20) {
                    try await madrid.attempt(["contact", "list"]).standardOutput.contains("attack \(number)")
                }
                slowest = max(slowest, ContinuousClock.now - start)
            }
            // Who comes anew is let in, too.
            #expect(await berlin.stop() == 0)
            try await berlin.start()
            try await berlin.waitInStep(with: "ESP")
            return slowest
        }
        let grown = try memory(of: madrid) - before
        let used = try processorTime(of: madrid) - usedBefore
        let share = used / (ContinuousClock.now - start)
        print(
            "ATTACKED: the slowest of 10 changes took \(honest); memory grew by \(grown >> 20) MiB; "
                + "processor time \(used), \(Int(share * 100)) % of one processor")
        // They were let in, and sent away for what they did.
        for code in ["E-3002", "E-3005"] {
            #expect(madrid.log.contains("code=\(code) node=hostile"), "\(madrid.log.suffix(3000))")
        }
        #expect(grown < 96 << 20)
        #expect(share < 1.2, "the attacked daemon takes more than a processor")
        #expect(madrid.isRunning)
        try await madrid.concord("verify")
    }

    private func hello(_ space: String) throws -> Message {
        let bytes = stride(from: 0, to: space.utf8.count, by: 2).compactMap { offset in
            UInt8(space.dropFirst(offset).prefix(2), radix: 16)
        }
        let head = SpaceHead(space: SpaceID(try #require(.init(bytes: bytes))))
        return .hello(
            Hello(
                vocabularyLevel: Vocabulary.level, incarnation: Bytes16(high: 6, low: 6),
                clock: Int64(Date().timeIntervalSince1970 * 1000), nodeName: "hostile", addresses: [],
                spaces: [head]))
    }

    private func frame(_ message: Message) throws -> [UInt8] {
        let bytes = message.encoded()
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
    }

    /// Resident bytes of a daemon.
    private func memory(of node: Node) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(node.identifier)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }

    /// Processor time that a daemon has used.
    private func processorTime(of node: Node) throws -> Duration {
        let text = try String(contentsOfFile: "/proc/\(node.identifier)/stat", encoding: .utf8)
        // The second field is the program's name in parentheses; utime and stime are the 14th and 15th.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        let ticks = try #require(Int(fields[12])) + #require(Int(fields[13]))
        return .seconds(Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    private func connect(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Foundation.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(descriptor >= 0 && status == 0)
        return descriptor
    }

    /// One connection with a node's certificate, of a few seconds.
    private func client(_ victim: Node, as node: Node, sends bytes: [UInt8]) async throws -> Output {
        try await run("/usr/bin/timeout", ["3"] + tlsClient(victim, as: node), input: Data(bytes))
    }
}

/// `openssl s_client` with the certificates of a node.
private func tlsClient(_ victim: Node, as node: Node) -> [String] {
    let identity = node.home + "/identity"
    return [
        "openssl", "s_client", "-connect", "127.0.0.1:\(victim.port)", "-alpn", "concord/0", "-quiet",
        "-cert", identity + "/node.pem", "-key", identity + "/node.key",
        "-cert_chain", identity + "/authority.pem",
    ]
}

/// A client that says who it is and then reads nothing any more.
private final class SlowReader {
    private let process = Process()
    private let unread = Pipe()
    private let input = Pipe()

    init(_ victim: Node, as node: Node, sends bytes: [UInt8]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = tlsClient(victim, as: node)
        process.standardOutput = unread
        process.standardError = FileHandle.nullDevice
        process.standardInput = input
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: bytes)
    }

    func end() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
