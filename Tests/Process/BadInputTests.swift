// Whatever a person, a file or the machine gets wrong: one clear sentence with a code and the next step, an exit code
// that is not zero, and nothing changed.

import Foundation
import Testing

@Suite("Bad input is refused clearly", .serialized)
struct BadInputTests {
    @Test("unknown fields, malformed dates and unknown ids name the remedy and change nothing")
    func typedByAPerson() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        let meeting = try await madrid.concord(
            "meeting", "add", "title=Founding meeting", "starts=2016-09-23")
        let before = try await madrid.digest

        try expect("E-1002", exit: 1, try await madrid.attempt(["meeting", "set", meeting, "colour=red"]))
        try expect(
            "E-1003", exit: 1, try await madrid.attempt(["meeting", "set", meeting, "starts=23/09/2016"]))
        try expect(
            "E-1003", exit: 1, try await madrid.attempt(["meeting", "set", meeting, "starts=2016-02-30"]))
        try expect("E-1004", exit: 1, try await madrid.attempt(["meeting", "show", "ffffffff"]))
        try expect("E-1016", exit: 1, try await madrid.attempt(["meeting", "add", "city=Berlin"]))
        try expect(
            "E-1012", exit: 1, try await madrid.attempt(["resolve", meeting, "starts", "--take", "1"]))
        #expect(try await madrid.attempt(["meeting", "frobnicate"]).status == 2)
        #expect(try await madrid.attempt(["meeting", "set", meeting, "no-equals-sign"]).status == 2)

        let json = try await madrid.attempt(["meeting", "set", meeting, "colour=red", "--json"])
        #expect(json.standardOutput.isEmpty)
        let error = try #require(
            try JSONSerialization.jsonObject(with: Data(json.standardError.utf8))
                as? [String: [String: String]])
        #expect(error["error"]?["code"] == "E-1002")
        #expect(error["error"]?["action"]?.isEmpty == false)

        let broken = scene.path("broken.jsonl")
        try
            "{\"kind\":\"contact\",\"fields\":{\"name\":\"Fine\"}}\n{\"kind\":\"contact\",\"fields\":{\"colour\":\"red\"}}\n"
            .write(toFile: broken, atomically: true, encoding: .utf8)
        let imported = try await madrid.attempt(["import", broken])
        #expect(imported.status == 1)
        #expect(imported.standardError.contains("line 2"), "\(imported)")
        #expect(try await madrid.digest == before)
    }

    @Test("a daemon that cannot start says why and leaves everything as it was")
    func daemonThatCannotStart() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        try await madrid.start()

        // A second daemon on one home.
        try expect("E-6004", exit: 1, try await daemon(madrid.home))
        // A taken port.
        try "listen: [\"127.0.0.1:\(madrid.port)\"]\n".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try expect("E-6003", exit: 1, try await daemon(berlin.home))
        // An unknown key, and a file that is no YAML.
        try "listen: []\ncolour: red\n".write(
            toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        let unknown = try await daemon(berlin.home)
        try expect("E-6001", exit: 1, unknown)
        #expect(unknown.standardError.contains("colour"))
        try "listen: [".write(toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try expect("E-6002", exit: 1, try await daemon(berlin.home))
        try "listen: []\n".write(toFile: berlin.home + "/concord.yaml", atomically: true, encoding: .utf8)
        // A key that others can read.
        let key = berlin.home + "/identity/node.key"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        try expect("E-2008", exit: 1, try await daemon(berlin.home))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        // A home without identity, and one that is a file.
        try expect("E-2005", exit: 1, try await daemon(scene.path("nobody")))
        // No daemon.
        try expect("E-6005", exit: 3, try await berlin.attempt(["contact", "list"]))
        // An identity is not made twice.
        let again = try await run(
            programs.appendingPathComponent("concord").path,
            ["init", "--member", "DEU", "--name", "Land DEU", "--node", "berlin", "--home", berlin.home]
                + ["--authority", scene.path("authority-DEU"), "--no-passphrase"])
        try expect("E-2006", exit: 1, again)
        // After all that, Berlin starts.
        try await berlin.start()
        #expect(await berlin.stop() == 0)
        #expect(madrid.isRunning)
    }

    @Test("a database of a newer version, or a damaged one, is recognised and left alone")
    func databases() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        #expect(await madrid.stop() == 0)
        let database = madrid.home + "/replica.db"
        let original = try Data(contentsOf: URL(fileURLWithPath: database))

        let newer = try await run(
            "/usr/bin/env", ["sqlite3", database, "PRAGMA user_version = 9999; PRAGMA wal_checkpoint;"])
        #expect(newer.status == 0, "\(newer)")
        try expect("E-5002", exit: 1, try await daemon(madrid.home))

        try Data(repeating: 0x5a, count: original.count).write(to: URL(fileURLWithPath: database))
        try expect("E-5003", exit: 1, try await daemon(madrid.home))

        try original.write(to: URL(fileURLWithPath: database))
        try await madrid.start()
        try await madrid.concord("verify")
    }

    private func daemon(_ home: String) async throws -> Output {
        try await run(
            "/usr/bin/timeout", ["20", programs.appendingPathComponent("concordd").path, "--home", home])
    }

    private func expect(_ code: String, exit: Int32, _ output: Output) throws {
        #expect(output.status == exit, "\(output)")
        #expect(output.standardError.contains(code), "\(output)")
        #expect(output.standardOutput.isEmpty, "\(output)")
    }
}
