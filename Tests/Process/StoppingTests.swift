// A daemon that is told to stop does so soon, whatever its peers do meanwhile.

import Foundation
import Testing

@Suite("A daemon stops in time", .serialized)
struct StoppingTests {
    @Test("a peer that stands still, or an address that is dialled in vain, does not hold up SIGTERM")
    func peersThatHangAround() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await madrid.concord("contact", "add", "name=Before")
        try await berlin.waitInStep()

        // Berlin still has its connection, but nobody there reads any more.
        Foundation.kill(berlin.identifier, SIGSTOP)
        defer { Foundation.kill(berlin.identifier, SIGCONT) }
        let rows = (1...8_000).map { #"{"kind":"contact","fields":{"name":"Contact \#($0)"}}"# }
        let imported = try await madrid.attempt(
            ["import", "-"], input: Data((rows.joined(separator: "\n") + "\n").utf8))
        try #require(imported.status == 0, "\(imported)")
        // Nobody answers at this address, and nobody refuses: the handshake is under way for ten seconds.
        try await madrid.concord("peer", "add", "127.0.0.1:\(berlin.port)")
        let began = ContinuousClock.now
        #expect(await madrid.stop() == 0)
        #expect(ContinuousClock.now - began < .seconds(8))

        // Nothing was lost, and the two find each other again.
        Foundation.kill(berlin.identifier, SIGCONT)
        try await madrid.start()
        try await madrid.waitInStep()
        #expect(try await madrid.digest == berlin.digest)
        #expect(await berlin.stop() == 0)
        let status = try await madrid.status()
        #expect(status.peers.first { $0.member == "DEU" }?.state != .paused)
    }
}
