// Whoever should not be let in is refused with a reason, counted, and does no harm.

import ConcordCrypto
import Foundation
import Testing

@Suite("Intruders are refused", .serialized)
struct IntruderTests {
    @Test("strangers, expired certificates, plain text, old TLS and garbage leave the daemon unharmed")
    func refusals() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        let stranger = try await scene.makeNode("stranger", member: "XXX")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await berlin.waitInStep()
        #expect(await berlin.stop() == 0)

        // A stranger: a good certificate of an authority that is on no roster.
        let refusedStranger = try await client(to: madrid, identity: stranger.home + "/identity")
        #expect(refusedStranger.description.contains("unknown ca"), "\(refusedStranger)")
        try await counted("E-2040", by: madrid)

        // A certificate of Berlin's own authority that has expired.
        let expired = try expiredIdentity(of: berlin, scene: scene)
        let refusedExpired = try await client(to: madrid, identity: expired)
        #expect(refusedExpired.description.contains("certificate expired"), "\(refusedExpired)")
        try await counted("E-2042", by: madrid)

        // No certificate at all.
        let anonymous = try await client(to: madrid, identity: nil)
        #expect(anonymous.description.contains("certificate required"), "\(anonymous)")
        try await counted("E-2045", by: madrid)

        // Plain text.
        try await plainText("GET / HTTP/1.1\r\nHost: madrid\r\n\r\n", to: madrid.port)
        try await counted("E-2046", by: madrid)

        // TLS 1.2.
        let old = try await client(to: madrid, identity: berlin.home + "/identity", options: ["-tls1_2"])
        #expect(old.status != 0 || old.description.contains("alert"), "\(old)")
        try await counted("E-2047", by: madrid)

        // Berlin's good certificate, and then garbage instead of frames.
        let garbage = Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
        _ = try await client(to: madrid, identity: berlin.home + "/identity", input: garbage)
        try await counted("E-3002", by: madrid)

        // Unharmed: the true Berlin still converges.
        #expect(madrid.isRunning)
        try await berlin.start()
        try await madrid.concord("contact", "add", "name=After all that")
        try await berlin.waitInStep()
        #expect(try await madrid.digest == berlin.digest)
    }

    @Test("both sides can read why a node was refused")
    func bothSidesRead() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await madrid.concord("space", "create", "Alone", "--authority", scene.path("authority-ESP"))
        // Invited, but not admitted: Berlin knows Madrid, Madrid does not know Berlin.
        try await madrid.concord("space", "invite", "Alone", "--out", scene.path("alone.invite"))
        try await berlin.concord("space", "join", scene.path("alone.invite"))
        try await counted("E-2040", by: madrid)
        try await eventually("Berlin says that Madrid refuses it") {
            try await berlin.status().peers.contains {
                $0.state == .refused && $0.lastError?.code == "E-2050"
            }
        }
        #expect(
            try await berlin.attempt(["contact", "add", "name=Too early"]).standardError.contains("E-40"))

        // The remedy that the message names.
        try await berlin.concord("identity", "export", "--out", scene.path("DEU.pem"))
        try await madrid.concord(
            "member", "admit", scene.path("DEU.pem"), "--authority", scene.path("authority-ESP"))
        try await eventually("Berlin is let in", seconds: 90) {
            try await berlin.attempt(["contact", "add", "name=Now"]).status == 0
        }
    }

    /// `openssl s_client` with the certificates of a node's identity folder.
    private func client(
        to node: Node, identity: String?, options: [String] = [], input: Data = Data()
    ) async throws -> Output {
        var arguments = ["s_client", "-connect", "127.0.0.1:\(node.port)", "-alpn", "concord/0", "-ign_eof"]
        if let identity {
            arguments += ["-cert", identity + "/node.pem", "-key", identity + "/node.key"]
            arguments += ["-cert_chain", identity + "/authority.pem"]
        }
        return try await run("/usr/bin/timeout", ["15", "openssl"] + arguments + options, input: input)
    }

    private func counted(_ code: String, by node: Node) async throws {
        try await eventually("\(node.name) counts \(code); it counts \(try await node.status().refusals)") {
            try await node.status().refusals.contains { $0.code == code && $0.count > 0 }
        }
    }

    private func expiredIdentity(of node: Node, scene: Scene) throws -> String {
        let folder = scene.path("expired")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        let authorityFolder = scene.path("authority-\(node.member)")
        let authority = try Certificate(pem: try text(authorityFolder + "/authority.pem"))
        let authorityKey = try PrivateKey(pem: try text(authorityFolder + "/authority.key"), passphrase: nil)
        let key = try PrivateKey.generate()
        let now = Int64(Date().timeIntervalSince1970)
        let certificate = try CertificateIssuer.node(
            commonName: "late", publicKey: key.publicKey, purpose: .signing, issuer: authority,
            issuerKey: authorityKey, notBefore: now - 86_400 * 30, notAfter: now - 86_400)
        try key.pem(passphrase: nil).write(toFile: folder + "/node.key", atomically: true, encoding: .utf8)
        try certificate.pem().write(toFile: folder + "/node.pem", atomically: true, encoding: .utf8)
        try authority.pem().write(toFile: folder + "/authority.pem", atomically: true, encoding: .utf8)
        return folder
    }

    private func plainText(_ text: String, to port: Int) async throws {
        let script =
            "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '%s' \"$0\" >&3; timeout 10 cat <&3 >/dev/null"
        _ = try await run("/bin/bash", ["-c", script, text])
    }
}
