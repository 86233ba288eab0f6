// Versions side by side: nodes are upgraded when their ministries choose to, so a present node must live with later ones.
// `concordd-next` stands for a later one.

import ConcordAPI
import Foundation
import Testing

@Suite("Upgrades", .serialized)
struct UpgradeTests {
    private func changes(_ node: Node) async throws -> Int64 {
        try #require(try await node.status().spaces.first).changes
    }

    private func expectEqual(_ nodes: [Node]) async throws {
        try await eventually("all hold the same and see the same") {
            var seen: Set<String> = []
            for node in nodes { seen.insert("\(try await changes(node)) \(try await node.digest)") }
            return seen.count == 1
        }
        for node in nodes { try await node.concord("verify") }
    }

    @Test("what only later versions understand is kept and passed on by a present one")
    func mixed() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        let windhoek = try await scene.makeNode("windhoek", member: "NAM", listening: false)
        try await madrid.start()
        for node in [berlin, windhoek] { try await node.start("concordd-next") }
        try await scene.found(madrid, [berlin, windhoek])
        try await expectEqual([madrid, berlin, windhoek])

        // Berlin and Windhoek meet only through Madrid, which does not know what it passes on.
        let before = try await changes(madrid)
        kill(berlin.identifier, SIGUSR1)
        try await eventually("Windhoek has what Berlin wrote") { try await changes(windhoek) > before }
        try await expectEqual([madrid, berlin, windhoek])
        for node in [madrid, windhoek] {
            #expect(try await node.concord("meeting", "list").contains("Written by a later version"))
        }
        #expect(try await madrid.status().attention.isEmpty)
        // It sees nothing wrong in what it does not understand.
        try await madrid.concord("doctor")

        // A node of the present version joins late and gets all of it from one that does not understand it either.
        let santiago = try await scene.makeNode("santiago", member: "CHL", listening: false)
        try await santiago.start()
        let file = scene.path("CHL.pem")
        try await santiago.concord("identity", "export", "--out", file)
        try await madrid.concord("member", "admit", file, "--authority", scene.path("authority-ESP"))
        try await madrid.concord("space", "invite", "Test", "--out", scene.path("late.invite"))
        try await santiago.concord("space", "join", scene.path("late.invite"))
        try await expectEqual([madrid, berlin, windhoek, santiago])
        print(
            "UPGRADED: \(try await changes(madrid)) changes and one digest on 4 nodes, 2 of them of a later version; "
                + "\(try await changes(windhoek) - before) came through and to nodes that do not understand all of them"
        )
    }

    @Test("a node goes to the next version and back, and what was written meanwhile stays")
    func thereAndBack() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await madrid.concord("contact", "add", "name=Before")
        try await expectEqual([madrid, berlin])
        #expect(await madrid.stop() == 0)
        try await madrid.start("concordd-next")
        try await madrid.concord("contact", "add", "name=Meanwhile")
        kill(madrid.identifier, SIGUSR1)
        try await eventually("Berlin has what only the later version understands") {
            try await berlin.concord("meeting", "list").contains("Written by a later version")
        }
        #expect(await madrid.stop() == 0)
        try await madrid.start()
        try await madrid.concord("contact", "add", "name=After")
        try await expectEqual([madrid, berlin])
        let contacts = try await berlin.concord("contact", "list")
        let written = ["Before", "Meanwhile", "After"]
        for name in written { #expect(contacts.contains(name)) }
        print(
            "UPGRADED: one home there and back, \(try await changes(berlin)) changes and one digest on 2 nodes, "
                + "\(written.count { contacts.contains($0) }) of \(written.count) contacts shown")
    }
}
