// Written procedure through the programs: signatures collected from commands and from files that were signed without a
// node, keys that are replaced, members that leave, and what the doctor says.

import ConcordAPI
import Foundation
import Testing

@Suite("Written procedure", .serialized)
struct ProcedureTests {
    private func json<Document: Decodable>(_ output: Output, as type: Document.Type = Document.self) throws
        -> Document
    {
        try JSONDecoder().decode(type, from: Data(output.standardOutput.utf8))
    }

    /// Runs `concord` as on a machine without a node.
    private func alone(_ arguments: [String], environment: [String: String] = [:]) async throws -> Output {
        try await run(programs.appendingPathComponent("concord").path, arguments, environment: environment)
    }

    /// A node of ESP that runs, in a space that ESP, DEU and NAM found, two of which decide together.
    private func found(_ scene: Scene) async throws -> Node {
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        var founders: [String] = []
        for (name, code) in [("berlin", "DEU"), ("windhoek", "NAM")] {
            let node = try await scene.makeNode(name, member: code, listening: false)
            let file = scene.path("\(code).pem")
            try await node.concord("identity", "export", "--out", file)
            founders += ["--founder", file]
        }
        try await madrid.start()
        let output = try await madrid.attempt(
            ["space", "create", "Network", "--admission", "2", "--suspension", "2"] + founders
                + ["--authority", scene.path("authority-ESP")])
        try #require(output.status == 0, "\(output)")
        return madrid
    }

    @Test(
        "a suspension is drafted on a node, signed where there is none, and completed by another member's command"
    )
    func offline() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        let file = scene.path("act.bin")
        try await madrid.concord("member", "suspend", "NAM", "--reason", "unpaid dues", "--offline-out", file)
        let shown = try await alone(["act", "show", file])
        #expect(shown.standardOutput.contains("unpaid dues"), "\(shown)")
        #expect(shown.standardOutput.contains("suspend NAM Land NAM"))
        #expect(try await madrid.attempt(["act", "submit", file]).standardError.contains("E-4003"))
        let unasked = try await alone(["act", "sign", file, "--authority", scene.path("authority-DEU")])
        #expect(unasked.status == 1)
        #expect(unasked.standardError.contains("E-1018"), "\(unasked)")
        let signed = try await alone([
            "act", "sign", file, "--yes", "--authority", scene.path("authority-DEU"),
        ])
        #expect(signed.status == 0, "\(signed)")
        let submitted = try await madrid.attempt(["act", "submit", file])
        #expect(
            submitted.standardOutput.contains("Signed by 1 of 2: DEU. 1 more must sign of ESP."),
            "\(submitted)")

        let waiting: MembersDocument = try json(try await madrid.attempt(["member", "list", "--json"]))
        #expect(waiting.procedures.map(\.kind) == ["suspend"])
        #expect(waiting.procedures[0].reason == "unpaid dues")
        // The other member's command signs the act that waits, and so needs no reason of its own.
        let agreed = try await madrid.attempt(
            ["member", "suspend", "NAM", "--json", "--authority", scene.path("authority-ESP")])
        #expect(agreed.status == 0, "\(agreed)")
        let act: ActDocument = try json(agreed)
        #expect(act.act == waiting.procedures[0].act)
        #expect(act.inForce)
        let after: MembersDocument = try json(try await madrid.attempt(["member", "list", "--json"]))
        #expect(after.procedures.isEmpty)
        #expect(after.members.filter { $0.standing == "suspended" }.map(\.code) == ["NAM"])
        let list = try await madrid.concord("member", "list")
        #expect(list.contains("“unpaid dues”"), "\(list)")
        #expect(list.contains("→ concord member reinstate NAM"))
        #expect(try await madrid.attempt(["act", "submit", file]).standardError.contains("E-4013"))
    }

    @Test("what is typed wrongly names the remedy: members, acts, cut-offs, authorities")
    func mistakes() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        let own = ["--authority", scene.path("authority-ESP")]
        func refused(_ arguments: String..., with code: String) async throws {
            let output = try await madrid.attempt(arguments + own)
            #expect(output.status != 0, "\(arguments)")
            #expect(output.standardError.hasPrefix(code), "\(arguments): \(output)")
        }
        try await refused("member", "suspend", "XXX", "--reason", "r", with: "E-4008")
        try await refused("member", "suspend", "NAM", with: "E-1001")
        try await refused("member", "suspend", "NAM", "--reason", "r", "--keep", "maybe", with: "E-1003")
        try await refused("member", "suspend", "NAM", "--reason", "r", "--keep", "ffff:3", with: "E-1003")
        try await refused("member", "suspend", "ESP", "--reason", "r", with: "E-4012")
        try await refused("member", "reinstate", "NAM", with: "E-4013")
        try await refused("member", "sign", "00000000", with: "E-4003")
        try await refused("member", "admit", scene.path("DEU.pem"), with: "E-4007")
        try await refused("member", "appoint", "king", "ESP", with: "E-1001")
        try await refused("member", "leave", with: "E-1018")
        try await refused("member", "leave", "--yes", "DEU", with: "E-1018")
        let foreign = try await madrid.attempt(
            ["member", "suspend", "NAM", "--reason", "r", "--authority", scene.path("authority-DEU")])
        #expect(foreign.standardError.hasPrefix("E-4011"), "\(foreign)")
        let list: MembersDocument = try json(try await madrid.attempt(["member", "list", "--json"]))
        #expect(list.procedures.isEmpty)
    }

    @Test(
        "a new authority key takes the old one's place in the folder, signs from then on, and the old one is kept"
    )
    func rotate() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        let folder = scene.path("authority-ESP")
        let old = try Data(contentsOf: URL(fileURLWithPath: folder + "/authority.key"))
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=We agree.")
        let output = try await madrid.attempt(
            ["member", "rotate", "--no-passphrase", "--authority", folder])
        #expect(output.status == 0, "\(output)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(files.count == 5, "\(files)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/authority.key")) != old)
        let kept = try #require(files.first { $0.hasPrefix("authority-") && $0.hasSuffix(".key") })
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(kept)")) == old)
        try await madrid.concord("document", "endorse", id, "--authority", folder)
        let shown = try await madrid.concord("document", "show", id)
        #expect(shown.contains("this text"), "\(shown)")
        #expect(shown.contains("1 State"), "\(shown)")
        // A second rotation begins with the key that the first one made, without a node at hand until it is submitted.
        let space: SpacesDocument = try json(try await madrid.attempt(["space", "list", "--json"]))
        let file = scene.path("rotation.bin")
        let drafted = try await alone([
            "member", "rotate", "--no-passphrase", "--authority", folder, "--space", space.spaces[0].id,
            "--offline-out", file,
        ])
        #expect(drafted.status == 0, "\(drafted)")
        try await madrid.concord("act", "submit", file)
        let finished = try await alone(["member", "rotate", "--finish", "--authority", folder])
        #expect(finished.status == 0, "\(finished)")
        let members: MembersDocument = try json(try await madrid.attempt(["member", "list", "--json"]))
        #expect(members.members.first { $0.code == "ESP" }?.formerAuthorities.count == 2)
        try await madrid.concord("member", "appoint", "chair", "DEU", "--authority", folder)
        let founding = try await madrid.attempt(["space", "create", "Late", "--authority", folder])
        #expect(founding.standardError.hasPrefix("E-4011"), "\(founding)")
    }

    @Test("a member leaves when it says so by its code")
    func leave() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        let output = try await madrid.attempt(
            ["member", "leave", "--yes", "ESP", "--authority", scene.path("authority-ESP")])
        #expect(output.status == 0, "\(output)")
        let list: MembersDocument = try json(try await madrid.attempt(["member", "list", "--json"]))
        #expect(list.members.map(\.code) == ["DEU", "NAM"])
        let refused = try await madrid.attempt(["document", "create", "--title", "Late"])
        #expect(refused.status == 1, "\(refused)")
    }

    @Test(
        "the space is named by --space or by the environment, and a document is shared from one into another")
    func spaces() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        try await madrid.concord("space", "create", "Other", "--authority", scene.path("authority-ESP"))
        let unnamed = try await madrid.attempt(["document", "create", "--title", "Nowhere"])
        #expect(unnamed.standardError.hasPrefix("E-4010"), "\(unnamed)")
        let id = try await madrid.concord("document", "create", "--title", "Letter", "--space", "Network")
        try await madrid.concord("document", "share", id, "--to", "Other")
        func titles(_ arguments: [String]) async throws -> Int {
            let output = try await alone(
                arguments + ["--json", "--home", madrid.home], environment: ["CONCORD_SPACE": "Other"])
            return try json(output, as: RecordsDocument.self).records.count
        }
        #expect(try await titles(["document", "list"]) == 1)
        #expect(try await titles(["document", "list", "--space", "Network"]) == 1)
        let everything: RecordsDocument = try json(try await madrid.attempt(["document", "list", "--json"]))
        #expect(everything.records.count == 2)
        let found: SearchDocument = try json(
            try await madrid.attempt(["search", "Letter", "--space", "Other", "--json"]))
        #expect(found.hits.count == 1)
        #expect(try await madrid.attempt(["member", "list"]).standardError.hasPrefix("E-4010"))
        #expect(try await madrid.concord("member", "list", "Other").contains("Other ·"))
    }

    @Test("the doctor's exit code says what is wrong, also when the daemon does not run")
    func doctor() async throws {
        let scene = try Scene()
        let madrid = try await found(scene)
        let healthy = try await madrid.attempt(["doctor"])
        #expect(healthy.status == 0, "\(healthy)")
        #expect(healthy.standardOutput.hasPrefix("Nothing is wrong."))
        let key = madrid.home + "/identity/node.key"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        let loose = try await madrid.attempt(["doctor", "--json"])
        #expect(loose.status == 5, "\(loose)")
        let document: DoctorDocument = try json(loose)
        #expect(document.checks.filter { $0.state == .person }.map(\.check) == ["files"])
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        await madrid.stop()
        let stopped = try await madrid.attempt(["doctor"])
        #expect(stopped.status == 3, "\(stopped)")
        #expect(stopped.standardOutput.contains("concordd --home"), "\(stopped)")
    }
}
