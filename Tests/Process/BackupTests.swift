// A backup is made while the daemon runs, holds no keys, and a node restored from it takes part again as a new replica.

import Foundation
import Testing

@Suite("Backups", .serialized)
struct BackupTests {
    @Test("a restored node writes under a new replica id and converges with the others")
    func restore() async throws {
        let scene = try Scene()
        let madrid = try scene.makeNode("madrid", member: "ESP")
        let berlin = try scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try scene.found(madrid, [berlin])
        try madrid.concord("contact", "add", "name=Before the backup")
        try berlin.waitInStep()

        let file = scene.path("madrid.backup")
        try madrid.concord("backup", "create", file)
        try madrid.concord("backup", "verify", file)
        let kept = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(kept.range(of: Data("PRIVATE KEY".utf8)) == nil)
        try madrid.concord("contact", "add", "name=After the backup")
        try berlin.waitInStep()
        let replica = try #require(try madrid.status().spaces.first?.replica)
        #expect(madrid.stop() == 0)

        // A new home for the same node: the backup, and a node certified anew by the authority.
        let output = try madrid.attempt(["backup", "verify", scene.path("nothing.backup")])
        #expect(output.status != 0)
        let home = scene.path("madrid-2")
        let concord = programs.appendingPathComponent("concord").path
        let restored = try run(concord, ["backup", "restore", file, "--home", home])
        try #require(restored.status == 0, "\(restored)")
        let second = try scene.makeNode("madrid-2", member: "ESP")
        try await second.start()
        try second.concord("peer", "add", "127.0.0.1:\(berlin.port)")
        try await eventually("what came after the backup is back") {
            try second.concord("contact", "list").contains("After the backup")
        }
        try second.concord("contact", "add", "name=After the restore")
        try await eventually("Berlin has it") {
            try berlin.concord("contact", "list").contains("After the restore")
        }
        #expect(try second.status().spaces.first?.replica != replica)
        try await eventually("the digests are equal") { try second.digest == berlin.digest }
        for node in [second, berlin] { try node.concord("verify") }
    }
}
