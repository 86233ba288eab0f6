// Several nodes of one member, with real daemons: certified by request, renewed while they run, warned of in time.

import ConcordAPI
import Foundation
import Testing

@Suite("A member's nodes and their certificates", .serialized)
struct NodeCertificateTests {
    /// Runs `concord` without a node.
    @discardableResult
    private func concord(_ arguments: String..., status: Int32 = 0) async throws -> String {
        let output = try await run(programs.appendingPathComponent("concord").path, arguments)
        try #require(output.status == status, "concord \(arguments.joined(separator: " ")): \(output)")
        return output.standardOutput + output.standardError
    }

    /// A second node of the member whose authority `scene` holds, by request, certificate and installation.
    private func makeFieldNode(_ scene: Scene, valid: String = "90d") async throws -> Node {
        let node = Node(scene: scene, name: "field", member: "ESP", port: try freePort())
        try await node.concord(
            "node", "request", "--member", "ESP", "--name", "Land ESP", "--node", "field", "--listen",
            "127.0.0.1:\(node.port)", "--out", scene.path("field.csr"))
        let shown = try await concord(
            "node", "certify", scene.path("field.csr"), "--authority", scene.path("authority-ESP"), "--valid",
            valid, "--out", scene.path("field.pem"))
        for part in ["ESP Land ESP", "field", "fingerprint", "valid"] { #expect(shown.contains(part)) }
        try await node.concord("node", "install", scene.path("field.pem"))
        return node
    }

    private func disconnections(_ node: Node) -> Int {
        node.log.components(separatedBy: "message=disconnected").count - 1
    }

    @Test(
        "a node in the field is certified by request, works with its member's, and is renewed without a break"
    )
    func fieldNode() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let field = try await makeFieldNode(scene)
        for node in [madrid, field] { try await node.start() }
        try await scene.found(madrid, [field])
        try await field.concord("contact", "add", "name=From the field")
        try await field.waitInStep()
        let before = try await field.status()

        // The authority is at hand: one command. Then by a request that travels, as if it were not.
        let renewed = try await field.concord("node", "renew", "--authority", scene.path("authority-ESP"))
        #expect(renewed.contains("from the next connection on"))
        let after = try await field.status()
        #expect(after.node.certificate.expiresAt > before.node.certificate.expiresAt)
        #expect(after.node.id == before.node.id)
        try await field.concord("node", "renew", "--out", scene.path("again.csr"))
        try await concord(
            "node", "certify", scene.path("again.csr"), "--authority", scene.path("authority-ESP"), "--out",
            scene.path("again.pem"))
        try await field.concord("node", "install", scene.path("again.pem"))
        try await field.concord("contact", "add", "name=After the renewal")
        try await field.waitInStep()
        #expect(disconnections(field) == 0 && disconnections(madrid) == 0)

        // A new connection presents the new certificate, and the peer takes it.
        #expect(await madrid.stop() == 0)
        try await madrid.start()
        try await field.waitInStep()
        #expect(try await madrid.digest == field.digest)
        let verified = try await field.attempt(["verify"])
        #expect(verified.status == 0, "\(verified)")

        // A node that is stopped is renewed in its files.
        #expect(await field.stop() == 0)
        try await field.concord(
            "node", "renew", "--authority", scene.path("authority-ESP"), "--valid", "200d")
        try await field.start()
        try await field.waitInStep()
        #expect((199...200).contains(try await field.status().node.certificate.daysLeft))
    }

    @Test(
        "an end within 30 days is a warning with the next step, the end itself an alarm, and a renewal mends both"
    )
    func expiry() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let field = try await makeFieldNode(scene, valid: "20d")
        for node in [madrid, field] { try await node.start() }
        try await scene.found(madrid, [field])
        try await field.waitInStep()
        func lines() async throws -> (status: Int32, lines: [StatusDocument.Attention]) {
            let output = try await field.attempt(["status", "--json"])
            let document = try JSONDecoder().decode(
                StatusDocument.self, from: Data(output.standardOutput.utf8))
            return (output.status, document.attention.filter { $0.code.hasPrefix("E-20") })
        }
        let warned = try await lines()
        #expect(warned.status == 5)
        #expect(warned.lines.map(\.code) == ["E-2012"])
        #expect(warned.lines.first?.action == "concord node renew")

        let authority = scene.path("authority-ESP")
        try await field.concord("node", "renew", "--authority", authority, "--valid", "2s")
        try await eventually("the certificate has ended") { try await lines().lines.first?.code == "E-2041" }
        // Who meets the node anew sees that it has ended; sessions that go on were let in before.
        #expect(await madrid.stop() == 0)
        try await madrid.start()
        try await eventually("the peer refuses the ended certificate") {
            try await madrid.status().refusals.contains { $0.code == "E-2042" }
        }
        try await field.concord("node", "renew", "--authority", authority)
        #expect(try await lines().lines.filter { $0.member == nil }.isEmpty)
        try await field.waitInStep()
        // The warning is there as well when the daemon is not.
        try await field.concord("node", "renew", "--authority", authority, "--valid", "5d")
        #expect(await field.stop() == 0)
        #expect(try await lines().lines.map(\.code) == ["E-2012"])
    }

    @Test("what does not belong together is refused with its code, and nothing changes")
    func refusals() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        let field = try await makeFieldNode(scene)
        try await field.start()
        func refused(_ code: String, by node: Node, _ arguments: String...) async throws {
            let output = try await node.attempt(arguments)
            #expect(output.status == 1 && output.standardError.contains(code), "\(output)")
        }
        // The request of Spain's node, and Germany's authority.
        try await refused(
            "E-4011", by: berlin, "node", "certify", scene.path("field.csr"), "--authority",
            scene.path("authority-DEU"), "--out", scene.path("x.pem"))
        #expect(!FileManager.default.fileExists(atPath: scene.path("x.pem")))
        // Certificates of another node, in a daemon and in files.
        try await berlin.concord("node", "renew", "--out", scene.path("berlin.csr"))
        try await concord(
            "node", "certify", scene.path("berlin.csr"), "--authority", scene.path("authority-DEU"), "--out",
            scene.path("berlin.pem"))
        try await refused("E-2010", by: field, "node", "install", scene.path("berlin.pem"))
        try await refused("E-2010", by: madrid, "node", "install", scene.path("berlin.pem"))
        try await refused("E-4011", by: field, "node", "renew", "--authority", scene.path("authority-DEU"))
        try await refused("E-2009", by: field, "node", "certify", scene.path("field.pem"))
        try await refused("E-2004", by: field, "node", "install", scene.path("field.csr"))
        try await refused(
            "E-2006", by: field, "node", "request", "--member", "ESP", "--name", "Spain", "--node", "x")
        // An answer without a question.
        let empty = Node(scene: scene, name: "empty", member: "ESP", port: 0)
        let output = try await empty.attempt(["node", "install", scene.path("field.pem")])
        #expect(output.standardError.contains("E-2005"), "\(output)")
        #expect(try await field.status().node.name == "field")
    }

    @Test("a lost laptop is revoked: what it wrote before stays, what it writes after reaches nobody")
    func revocation() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        let field = try await makeFieldNode(scene)
        let nodes = [madrid, berlin, field]
        for node in nodes { try await node.start() }
        try await scene.found(madrid, [berlin, field])
        try await field.concord("contact", "add", "name=Before the loss")
        for node in nodes { try await node.waitInStep(with: "ESP") }
        #expect(await field.stop() == 0)

        let authority = scene.path("authority-ESP")
        func refused(_ code: String, _ arguments: String...) async throws {
            let output = try await madrid.attempt(arguments + ["--reason", "lost", "--authority", authority])
            #expect(output.status == 1 && output.standardError.contains(code), "\(output)")
        }
        try await refused("E-4008", "node", "revoke", "berlin")
        let revoked = try await madrid.concord(
            "node", "revoke", "field", "--reason", "Lost at the airport", "--authority", authority)
        #expect(revoked.contains("field"))
        try await refused("E-4013", "node", "revoke", "field")
        try await berlin.waitInStep()

        // Whoever found it starts it again, off-line first, then with a road to everybody.
        try await field.start()
        _ = try await field.attempt(["contact", "add", "name=After the loss"])
        try await eventually("the revoked node is not let in") {
            let refusals = try await madrid.status().refusals + berlin.status().refusals
            return refusals.contains { $0.code == "E-2052" }
        }
        for node in [madrid, berlin] {
            let contacts = try await node.concord("contact", "list", "--json")
            #expect(contacts.contains("Before the loss") && !contacts.contains("After the loss"))
            let verified = try await node.attempt(["verify"])
            #expect(verified.status == 0, "\(verified)")
        }
        #expect(try await madrid.digest == berlin.digest)
    }
}
