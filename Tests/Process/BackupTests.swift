// A backup is made while the daemon runs, holds no keys, and a node restored from it takes part again as a new replica.

import Foundation
import Testing

@Suite("Backups", .serialized)
struct BackupTests {
    @Test("a restored node writes under a new replica id and converges with the others")
    func restore() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await madrid.concord("contact", "add", "name=Before the backup")
        try await berlin.waitInStep()

        let file = scene.path("madrid.backup")
        try await madrid.concord("backup", "create", file)
        try await madrid.concord("backup", "verify", file)
        let kept = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(kept.range(of: Data("PRIVATE KEY".utf8)) == nil)
        try await madrid.concord("contact", "add", "name=After the backup")
        try await berlin.waitInStep()
        let replica = try #require(try await madrid.status().spaces.first?.replica)
        #expect(await madrid.stop() == 0)

        // A new home for the same node: the backup, and a node certified anew by the authority.
        let output = try await madrid.attempt(["backup", "verify", scene.path("nothing.backup")])
        #expect(output.status != 0)
        let home = scene.path("madrid-2")
        let concord = programs.appendingPathComponent("concord").path
        let restored = try await run(concord, ["backup", "restore", file, "--home", home])
        try #require(restored.status == 0, "\(restored)")
        let second = try await scene.makeNode("madrid-2", member: "ESP")
        try await second.start()
        try await second.concord("peer", "add", "127.0.0.1:\(berlin.port)")
        try await eventually("what came after the backup is back") {
            try await second.concord("contact", "list").contains("After the backup")
        }
        try await second.concord("contact", "add", "name=After the restore")
        try await eventually("Berlin has it") {
            try await berlin.concord("contact", "list").contains("After the restore")
        }
        #expect(try await second.status().spaces.first?.replica != replica)
        try await eventually("the digests are equal") { try await second.digest == berlin.digest }
        for node in [second, berlin] { try await node.concord("verify") }
    }
}
