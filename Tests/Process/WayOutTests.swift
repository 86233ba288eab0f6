// Ways between nodes that are worse than loopback: a slow link, one that breaks, an HTTP proxy.

import ConcordAPI
import Foundation
import ShapedLink
import TestProxy
import Testing

@Suite("Daemons over a slow link, and by a proxy", .serialized)
struct WayOutTests {
    /// Two nodes that share a space: Berlin dials Madrid, and that by nothing but this port.
    private func makePair(
        _ scene: Scene, port: (_ madrid: Int) async throws -> Int, berlin configuration: String = ""
    ) async throws -> (madrid: Node, berlin: Node) {
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        let address = try await port(madrid.port)
        try "listen: [\"127.0.0.1:\(madrid.port)\"]\naddresses: [\"127.0.0.1:\(address)\"]\n".write(
            toFile: madrid.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try "listen: []\n\(configuration)".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        return (madrid, berlin)
    }

    /// Has a node write so many meetings, one change each.
    private func importMeetings(_ count: Int, _ node: Node, _ scene: Scene) async throws {
        let file = scene.path("meetings-\(UUID().uuidString).jsonl")
        let lines = (0..<count).map { #"{"kind": "meeting", "fields": {"title": "Meeting \#($0)"}}"# }
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        try await node.concord("import", file)
    }

    private func changes(_ node: Node) async throws -> Int64 {
        try #require(try await node.status().spaces.first).changes
    }

    @Test("changes cross 64 kbit/s, 600 ms and 2 % loss about as fast as their bytes, and survive a break")
    func slowLink() async throws {
        let scene = try Scene()
        let shape = LinkShape(bitsPerSecond: 64_000, roundTrip: .milliseconds(600), loss: 0.02)
        var opened: ShapedLink?
        let (madrid, berlin) = try await makePair(scene) { port in
            let link = try await ShapedLink.open(shape, to: port)
            opened = link
            return link.port
        }
        let link = try #require(opened)
        try await berlin.waitInStep()
        let before = try await link.traffic().back
        let held = try await changes(berlin)
        let start = ContinuousClock.now
        try await importMeetings(300, madrid, scene)
        try await eventually("Berlin has all") { try await changes(berlin) == held + 300 }
        let time = ContinuousClock.now - start
        let bytes = try await link.traffic().back.since(before).bytes
        #expect(bytes < 300 * 200, "\(bytes) bytes for 300 small changes")
        // Five seconds for a busy machine, which starts programs and writes meanwhile.
        let allowed = shape.time(for: bytes) * 1.3 + shape.roundTrip * 2 + .seconds(5)
        #expect(time < allowed, "\(time) instead of \(allowed)")

        try await importMeetings(300, madrid, scene)
        try await eventually("something is on its way") {
            try await link.traffic().back.since(before).bytes > bytes + 5000
        }
        try await link.cut()
        try await link.restore()
        try await eventually("Berlin has all") { try await changes(berlin) == held + 600 }
        #expect(try await madrid.digest == berlin.digest)
        try await berlin.concord("verify")
        try await link.close()
    }

    @Test("a node dials by an HTTP proxy, whose password nothing shows, and says why when it is refused")
    func proxy() async throws {
        let scene = try Scene()
        let proxy = try await TestProxy.open(.grant(user: "ana:s3cret"))
        func line(_ password: String) -> String {
            "proxy: \"http://ana:\(password)@127.0.0.1:\(proxy.port)\"\nlog_level: trace\n"
        }
        let (madrid, berlin) = try await makePair(scene, port: { $0 }, berlin: line("s3cret"))
        try await berlin.waitInStep()
        #expect(proxy.requests.first?.hasPrefix("CONNECT 127.0.0.1:\(madrid.port) ") == true)
        #expect(try await berlin.status().node.proxy == "127.0.0.1:\(proxy.port)")
        #expect(try await madrid.status().node.proxy == nil)
        #expect(try await berlin.attempt(["doctor"]).standardOutput.contains("127.0.0.1:\(proxy.port)"))

        #expect(await berlin.stop() == 0)
        try "listen: []\n\(line("0ther"))".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try await berlin.start()
        try await eventually("the refusal is told") {
            try await berlin.status().peers.contains { $0.lastError?.code == "E-3041" }
        }
        // Both exit with what they find.
        let shown =
            try await "\(berlin.attempt(["status", "--json"]))\(berlin.attempt(["doctor"]))" + berlin.log
        #expect(!shown.contains("s3cret") && !shown.contains("0ther") && !shown.contains("YW5hO"))
    }
}
