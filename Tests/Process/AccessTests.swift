// Who may do what over the socket, with callers that really are other users. Only root can become another.

import Foundation
import Testing

@Suite("The socket's users", .serialized)
struct AccessTests {
    private static let switcher = "/usr/bin/setpriv"
    private static let canSwitch = geteuid() == 0 && FileManager.default.fileExists(atPath: switcher)

    /// Asks the daemon as the user `nobody`, in the given group alone.
    private func ask(
        _ node: Node, group: String, _ method: String, _ path: String, body: String? = nil
    ) async throws -> (status: String, body: String) {
        var arguments = ["--reuid", "nobody", "--regid", group, "--clear-groups", "/usr/bin/curl", "-s"]
        arguments += ["-X", method, "--unix-socket", "\(node.home)/concord.sock", "-w", "\n%{http_code}"]
        if let body { arguments += ["-d", body] }
        let output = try await run(Self.switcher, arguments + ["http://concord\(path)"])
        let lines = output.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }

    private func makeNode(_ access: String) async throws -> (Scene, Node) {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP", listening: false)
        try "listen: []\n\(access)".write(
            toFile: "\(madrid.home)/concord.yaml", atomically: true, encoding: .utf8)
        try await madrid.start()
        try await madrid.concord("space", "create", "Test", "--authority", scene.path("authority-ESP"))
        return (scene, madrid)
    }

    private let contact = #"{"kind":"contact","set":{"name":"By nobody"}}"#

    @Test(
        "the socket's group reads and writes records, and administers nothing",
        .enabled(if: canSwitch, "only root can become another user, with setpriv"))
    func byDefault() async throws {
        let (scene, madrid) = try await makeNode("")
        #expect(try await ask(madrid, group: "root", "GET", "/v1/status").status == "200")
        let created = try await ask(madrid, group: "root", "POST", "/v1/records", body: contact)
        #expect(created.status == "201", "\(created)")
        #expect(try await madrid.concord("log", "--json").contains(#""nobody""#))
        for (method, path) in [
            ("POST", "/v1/peers/pause"), ("POST", "/v1/backup"), ("POST", "/v1/spaces"),
            ("POST", "/v1/node/certificate"), ("GET", "/v1/node/request"),
        ] {
            let answer = try await ask(
                madrid, group: "root", method, path, body: method == "GET" ? nil : "{}")
            #expect(answer.status == "403" && answer.body.contains("E-6008"), "\(path): \(answer)")
            #expect(answer.body.contains("nobody is an editor"), "\(answer)")
        }
        // Who is not in the group cannot open the socket.
        #expect(try await ask(madrid, group: "nogroup", "GET", "/v1/status").status == "000")
        withExtendedLifetime(scene) {}
    }

    @Test(
        "the configuration says who reads and who writes, and who is not named does nothing",
        .enabled(if: canSwitch, "only root can become another user, with setpriv"))
    func listed() async throws {
        let (scene, madrid) = try await makeNode(
            "access:\n  readers: [nobody]\n  editors: [\"@no-such-group-here\"]\n")
        #expect(try await ask(madrid, group: "root", "GET", "/v1/records").status == "200")
        let refused = try await ask(madrid, group: "root", "POST", "/v1/records", body: contact)
        #expect(refused.status == "403" && refused.body.contains("nobody is a reader"), "\(refused)")
        #expect(madrid.log.contains("no-such-group-here"), "a slip of the pen is logged")
        // The daemon's own user goes on as before.
        try await madrid.concord("contact", "add", "name=By root")

        let (other, berlin) = try await makeNode("access:\n  administrators: [daemon]\n")
        let stranger = try await ask(berlin, group: "root", "GET", "/v1/status")
        #expect(stranger.status == "403" && stranger.body.contains("may not use this node"), "\(stranger)")
        withExtendedLifetime((scene, other)) {}
    }

    @Test(
        "`concord` tells a user who may not, with the code and the next step",
        .enabled(if: canSwitch, "only root can become another user, with setpriv"))
    func commandLine() async throws {
        let (scene, madrid) = try await makeNode("")
        let output = try await run(
            Self.switcher,
            [
                "--reuid", "nobody", "--regid", "root", "--clear-groups",
                programs.appendingPathComponent("concord").path, "peer", "pause", "--home", madrid.home,
            ])
        #expect(output.status == 1, "\(output)")
        #expect(output.standardError.contains("E-6008"), "\(output)")
        #expect(output.standardError.contains("administrator"), "\(output)")
        withExtendedLifetime(scene) {}
    }
}
