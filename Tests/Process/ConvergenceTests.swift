// Off-line edits, relays and crashes, with real daemons.

import Foundation
import Testing

@Suite("Daemons converge", .serialized)
struct ConvergenceTests {
    @Test("edits made while the links are down reach everybody, through a third node too")
    func offlineEditsAndRelay() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        let windhoek = try await scene.makeNode("windhoek", member: "NAM", listening: false)
        for node in [madrid, berlin, windhoek] { try await node.start() }
        try await scene.found(madrid, [berlin, windhoek])
        let meeting = try await madrid.concord(
            "meeting", "add", "title=Founding meeting", "starts=2016-09-23")
        try await berlin.waitInStep(with: "ESP")
        try await windhoek.waitInStep(with: "ESP")

        for node in [madrid, berlin, windhoek] { try await node.concord("peer", "pause") }
        try await berlin.concord("meeting", "set", meeting, "starts=2016-09-20")
        try await windhoek.concord("meeting", "set", meeting, "starts=2016-09-23", "city=New York")
        let contact = try await windhoek.concord(
            "contact", "add", "name=Netumbo Nandi-Ndaitwah", "member=NAM")
        for node in [madrid, berlin, windhoek] { try await node.concord("peer", "resume") }

        // Berlin and Windhoek listen nowhere: what one knows of the other came through Madrid.
        try await eventually("Berlin has Windhoek's contact") {
            try await berlin.attempt(["contact", "show", contact]).status == 0
        }
        try await eventually("all digests are equal") {
            let digest = try await madrid.digest
            let others = (try await berlin.digest, try await windhoek.digest)
            return others == (digest, digest)
        }
        let conflicts = try await berlin.concord("conflicts")
        for expected in ["2016-09-20", "2016-09-23", "DEU", "NAM"] { #expect(conflicts.contains(expected)) }
        try await madrid.concord("resolve", meeting, "starts", "--value", "2016-09-23")
        try await eventually("the settlement has arrived") {
            let left =
                try await windhoek.concord("conflicts", "--json") + berlin.concord("conflicts", "--json")
            return !left.contains("\"field\"")
        }
        for node in [madrid, berlin, windhoek] { try await node.concord("verify") }
    }

    @Test("a node whose address changed is found again, because it dials out itself")
    func changedAddress() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await berlin.waitInStep()
        #expect(await berlin.stop() == 0)
        let moved = try freePort()
        try "listen: [\"127.0.0.1:\(moved)\"]\n".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try await berlin.start()
        try await madrid.concord("contact", "add", "name=After the move")
        try await eventually("the contact has arrived") {
            try await berlin.concord("contact", "list").contains("After the move")
        }
        try await eventually("Madrid knows the new address") {
            try await madrid.concord("peer", "list", "--json").contains(":\(moved)")
        }
    }

    @Test(
        "SIGKILL in the middle of a large exchange, on either side, loses nothing and repeats nothing",
        arguments: [true, false])
    func killedWhileExchanging(receiver: Bool) async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await berlin.waitInStep()
        let before = try #require(try await berlin.status().spaces.first).changes
        #expect(await berlin.stop() == 0)
        let count = 3000
        try await importContacts(count, into: madrid, scene: scene)
        try await berlin.start()

        var kills = 0
        let total = before + Int64(count)
        while try await changes(of: berlin) < total {
            let now = try await changes(of: berlin)
            guard kills < 4, now > before + Int64(kills) * 500, now < total else { continue }
            let victim = receiver ? berlin : madrid
            victim.kill()
            kills += 1
            try await victim.start()
        }
        #expect(kills > 0, "the exchange was too quick to be interrupted")
        try await berlin.waitInStep(timeout: "120s")
        let space = try #require(try await berlin.status().spaces.first)
        #expect(space.changes == (try #require(try await madrid.status().spaces.first)).changes)
        #expect(space.kinds["contact"] == Int64(count))
        #expect(try await madrid.digest == berlin.digest)
        for node in [madrid, berlin] { try await node.concord("verify") }
    }

    @Test("a write that was acknowledged survives SIGKILL")
    func acknowledgedWriteSurvives() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        for number in 1...5 {
            let id = try await madrid.concord("contact", "add", "name=Contact \(number)")
            madrid.kill()
            try await madrid.start()
            #expect(try await madrid.concord("contact", "show", id).contains("Contact \(number)"))
        }
        try await madrid.concord("verify")
    }

    private func changes(of node: Node) async throws -> Int64 {
        try await eventually("\(node.name) tells its status") {
            (try? await node.status().spaces.first) != nil
        }
        return try await node.status().spaces.first?.changes ?? 0
    }
}

/// Imports contacts of about 235 bytes of values each.
func importContacts(_ count: Int, into node: Node, scene: Scene) async throws {
    let lines = (1...count).map { number in
        """
        {"kind":"contact","fields":{"name":"Contact number \(number)","member":"ESP",\
        "organization":"Ministry of Foreign Affairs and Cooperation","position":"Deputy director general",\
        "role":"focal point","email":"contact.\(number)@example.org","phone":"+34 91 000 \(number)",\
        "notes":"Met at the margins of the open debate; prefers to be written to in Spanish or in English."}}
        """
    }
    let file = scene.path("contacts.jsonl")
    try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    try await node.concord("import", file)
}
