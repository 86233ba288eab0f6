// Attachments with real daemons: attached on one node and written to a file on another, whose daemon is killed in the
// middle; and what the programs say where something is wrong.

import ConcordAPI
import Foundation
import Testing

@Suite("Attachments", .serialized)
struct AttachmentProcessTests {
    private func makeFile(_ scene: Scene, _ name: String, bytes: Int) throws -> (path: String, data: Data) {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var data = Data(capacity: bytes)
        while data.count < bytes {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
        }
        data = data.prefix(bytes)
        try data.write(to: URL(filePath: scene.path(name)))
        return (scene.path(name), data)
    }

    private func pair(_ policy: String) async throws -> (Scene, madrid: Node, berlin: Node, document: String)
    {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        try "listen: []\nblobs: \(policy)\n".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        let document = try await madrid.concord("document", "create", "--title", "Report")
        try await berlin.waitInStep()
        return (scene, madrid, berlin, document)
    }

    @Test("a file is fetched on demand, goes on where it stopped when the daemon is killed, and comes whole")
    func killed() async throws {
        let (scene, madrid, berlin, document) = try await pair("on-demand")
        let (path, data) = try makeFile(scene, "film.bin", bytes: 96 << 20)
        let id = try await madrid.concord("document", "attach", document, path, "--media-type", "video/x")
        try await berlin.waitInStep()
        var list = try await attachments(of: document, on: berlin)
        #expect(list.map(\.name) == ["film.bin"])
        #expect(list.map(\.state) == [.elsewhere])
        #expect(try await berlin.status().storage.missingBlobs == 1)

        try await berlin.concord("attachment", "fetch", document, id)
        try await eventually("a part has come") {
            (try await attachments(of: document, on: berlin).first?.heldBytes ?? 0) > 8 << 20
        }
        berlin.kill()
        try await berlin.start()
        // Nobody has to ask again.
        list = try await attachments(of: document, on: berlin)
        #expect(list.first?.state != .elsewhere)
        #expect((list.first?.heldBytes ?? 0) > 8 << 20)
        let out = scene.path("out.bin")
        let output = try await berlin.concord("attachment", "get", document, "film.bin", "--out", out)
        #expect(output.contains("verified"))
        #expect(try Data(contentsOf: URL(filePath: out)) == data)
        let verified = try await berlin.concord("verify", "--json")
        #expect(verified.contains(#""attachments":1"#))
        #expect(try await berlin.status().storage.blobBytes >= 96 << 20)
    }

    @Test("an eager node has the file by itself; it survives its document's copy and goes with a prune")
    func eager() async throws {
        let (scene, madrid, berlin, document) = try await pair("eager")
        let (path, data) = try makeFile(scene, "annex.pdf", bytes: 500_000)
        try await madrid.concord("document", "attach", document, path)
        try await eventually("Berlin has the file") {
            try await attachments(of: document, on: berlin).first?.state == .here
        }
        let out = try await berlin.attempt(["attachment", "get", document, "annex.pdf", "--out", "-"])
        #expect(out.status == 0)
        #expect(out.standardOutput.utf8.count > 0)
        #expect(try await berlin.concord("document", "show", document).contains("ATTACHMENTS"))
        try await madrid.concord("attachment", "remove", document, "annex.pdf")
        try await berlin.waitInStep()
        #expect(try await attachments(of: document, on: berlin).isEmpty)
        try await berlin.concord("attachment", "restore", document, "annex.pdf")
        #expect(try await attachments(of: document, on: berlin).count == 1)
        try await berlin.concord("attachment", "remove", document, "annex.pdf")
        #expect(try await berlin.attempt(["attachment", "prune"]).status == 1)
        let pruned = try await berlin.concord("attachment", "prune", "--yes", "--json")
        #expect(pruned.contains(#""bytes":\#(data.count)"#))
    }

    @Test("what is wrong is said with a code")
    func errors() async throws {
        let (scene, madrid, berlin, document) = try await pair("on-demand")
        func code(_ node: Node, _ arguments: String...) async throws -> String {
            let output = try await node.attempt(arguments)
            #expect(output.status != 0)
            return String(output.standardError.prefix(6))
        }
        #expect(try await code(madrid, "document", "attach", document, scene.path("none")) == "E-1010")
        #expect(try await code(madrid, "document", "attach", document, scene.folder.path) == "E-1010")
        #expect(try await code(madrid, "document", "attach", document, "-") == "E-1001")
        #expect(
            try await code(madrid, "document", "attach", "0000", scene.path("madrid/concord.yaml"))
                == "E-1004")
        let contact = try await madrid.concord("contact", "add", "name=Ana")
        let (path, _) = try makeFile(scene, "a.txt", bytes: 10)
        #expect(try await code(madrid, "document", "attach", contact, path) == "E-1003")
        let id = try await madrid.concord("document", "attach", document, path)
        #expect(
            try await code(madrid, "attachment", "get", document, "b.txt", "--out", scene.path("b"))
                == "E-1021")
        try await madrid.concord("document", "attach", document, path)
        #expect(
            try await code(madrid, "attachment", "get", document, "a.txt", "--out", scene.path("b"))
                == "E-1021")
        try await madrid.concord("attachment", "get", document, id, "--out", scene.path("b"))
        #expect(
            try await code(madrid, "attachment", "get", document, id, "--out", scene.path("b")) == "E-1014")
        #expect(try await code(madrid, "attachment", "drop", document, id) == "E-1018")
        #expect(try await code(madrid, "attachment", "drop", document, id, "--yes") == "E-1018")
        // The only node that has it is away.
        try await berlin.waitInStep()
        #expect(await madrid.stop() == 0)
        let waiting = try await berlin.attempt([
            "attachment", "get", document, id, "--out", scene.path("c"), "--timeout", "300ms",
        ])
        #expect(waiting.standardError.contains("E-1015"))
        #expect(!FileManager.default.fileExists(atPath: scene.path("c")))
        try await madrid.start()
        try await berlin.concord("attachment", "get", document, id, "--out", scene.path("c"))
    }

    private func attachments(of document: String, on node: Node) async throws -> [AttachmentDocument] {
        let json = try await node.concord("attachment", "list", document, "--json")
        return try JSONDecoder().decode(AttachmentsDocument.self, from: Data(json.utf8)).attachments
    }
}
