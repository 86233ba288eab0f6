// Bundles with real daemons: a laptop in the field that nobody can ever connect to, and two capitals that meet by wire.

import ConcordAPI
import Foundation
import Testing

@Suite("Bundles", .serialized)
struct BundleProcessTests {
    /// A node of the member of `madrid` that is certified by request, joined by invite, and never connected.
    private func makeLaptop(_ scene: Scene) async throws -> Node {
        let laptop = Node(scene: scene, name: "laptop", member: "ESP", port: 0)
        try await laptop.concord(
            "node", "request", "--member", "ESP", "--name", "Land ESP", "--node", "laptop", "--out",
            scene.path("laptop.csr"))
        let certified = try await run(
            programs.appendingPathComponent("concord").path,
            [
                "node", "certify", scene.path("laptop.csr"), "--authority", scene.path("authority-ESP"),
                "--out",
                scene.path("laptop.pem"),
            ])
        try #require(certified.status == 0, "\(certified)")
        try await laptop.concord("node", "install", scene.path("laptop.pem"))
        try "listen: []\n".write(toFile: laptop.home + "/concord.yaml", atomically: true, encoding: .utf8)
        try await laptop.start()
        // The invite names where Madrid listens; from here that is out of reach.
        try await laptop.concord("peer", "pause")
        try await laptop.concord("space", "join", scene.path("test.invite"))
        return laptop
    }

    private func inspect(_ file: String, on node: Node) async throws -> BundleDocument {
        let json = try await node.concord("bundle", "inspect", file, "--json")
        return try JSONDecoder().decode(BundleDocument.self, from: Data(json.utf8))
    }

    /// Waits until a node knows what to encrypt to for a member: that comes with the member's receipt.
    private func waitForCertificate(of member: String, at node: Node) async throws {
        try await eventually("\(node.name) knows the certificate of \(member)") {
            let out = node.scene.path("probe-\(UUID().uuidString)")
            let output = try await node.attempt(["bundle", "export", "--for", member, "--out", out])
            try #require(output.status == 0 || output.standardError.contains("E-3058"), "\(output)")
            return output.status == 0
        }
    }

    @Test("a laptop that has only ever exchanged bundles converges with capitals that meet by wire")
    func laptop() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        let document = try await madrid.concord("document", "create", "--title", "Report")
        let annex = Data((0..<6_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) })
        try annex.write(to: URL(filePath: scene.path("annex.bin")))
        try await madrid.concord("document", "attach", document, scene.path("annex.bin"))
        try await berlin.waitInStep()
        try await berlin.concord("contact", "add", "name=From Berlin")
        try await madrid.waitInStep()

        try await waitForCertificate(of: "DEU", at: madrid)

        // What a founder's node writes before it has heard of anybody goes along with the rest later.
        let laptop = try await makeLaptop(scene)
        try await laptop.concord("contact", "add", "name=Early")
        try await madrid.concord(
            "bundle", "export", "--to", scene.path("laptop.pem"), "--out", scene.path("usb"), "--volume-size",
            "4MiB")
        let volumes = [scene.path("usb.001"), scene.path("usb.002")]
        #expect(!FileManager.default.fileExists(atPath: scene.path("usb.003")))
        let attributes = try FileManager.default.attributesOfItem(atPath: volumes[0])
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let looked = try await inspect(volumes[0], on: laptop)
        #expect(
            looked.encrypted && looked.volumes == 2 && looked.exporter.member == "ESP"
                && looked.obstacle == nil)
        #expect(looked.unseen ?? 0 > 0)
        // Berlin, for which it is not, cannot even look.
        #expect(try await berlin.attempt(["bundle", "inspect", volumes[0]]).standardError.contains("E-3053"))
        try await laptop.concord("bundle", "import", volumes[1], volumes[0])
        #expect(try await laptop.concord("bundle", "import", volumes[0]).contains("nothing new"))
        try await laptop.concord("attachment", "get", document, "annex.bin", "--out", scene.path("out.bin"))
        #expect(try Data(contentsOf: URL(filePath: scene.path("out.bin"))) == annex)

        // Back, for both capitals, whose certificates it knows by now.
        try await laptop.concord("contact", "add", "name=From the field")
        let back = scene.path("back.bundle")
        try await laptop.concord("bundle", "export", "--for", "ESP,DEU", "--out", back)
        let seen = try await inspect(back, on: berlin)
        #expect(
            seen.exporter.node == "laptop" && seen.recipients.compactMap(\.member).sorted() == ["DEU", "ESP"])
        let imported = try await berlin.concord("bundle", "import", back)
        #expect(imported.contains("from ESP laptop"))
        try await eventually("Madrid has it from Berlin by wire") {
            try await madrid.digest == laptop.digest
        }
        #expect(try await berlin.digest == laptop.digest)
        #expect(try await madrid.concord("bundle", "import", back).contains("from ESP laptop"))

        // Madrid knows what the laptop holds, so the next bundle is small.
        try await madrid.concord("contact", "add", "name=One more")
        try await madrid.waitInStep(with: "DEU")
        let next = scene.path("next.bundle")
        try await madrid.concord("bundle", "export", "--for", "ESP", "--out", next)
        #expect(await laptop.stop() == 0)
        let stopped = try await inspect(next, on: laptop)
        #expect(stopped.changes == 1 && stopped.unseen == 1 && stopped.lacking == 0)
        try await laptop.start()
        try await laptop.concord("bundle", "import", next)
        #expect(try await laptop.digest == madrid.digest)
        for node in [madrid, berlin, laptop] {
            let verified = try await node.attempt(["verify"])
            #expect(verified.status == 0, "\(verified)")
        }
    }

    @Test(
        "a laptop whose disk was set back hears of it by bundle, and nothing that it writes then is passed over"
    )
    func setBack() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        let laptop = try await makeLaptop(scene)
        let road = [("first", madrid, laptop), ("second", laptop, madrid)]
        for (name, from, to) in road {
            try await from.concord("contact", "add", "name=Of \(name)")
            let words = from.name == "madrid" ? ["--to", scene.path("laptop.pem")] : ["--for", "ESP"]
            try await from.concord(["bundle", "export", "--out", scene.path(name)] + words)
            try await to.concord("bundle", "import", scene.path(name))
        }
        #expect(await laptop.stop() == 0)
        try FileManager.default.copyItem(
            atPath: laptop.home + "/replica.db", toPath: scene.path("image.db"))
        try await laptop.start()
        try await laptop.concord("contact", "add", "name=After the image")
        try await laptop.concord("bundle", "export", "--for", "ESP", "--out", scene.path("third"))
        try await madrid.concord("bundle", "import", scene.path("third"))
        #expect(await laptop.stop() == 0)
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: laptop.home + "/replica.db" + suffix)
        }
        try FileManager.default.moveItem(atPath: scene.path("image.db"), toPath: laptop.home + "/replica.db")
        try await laptop.start()
        let replica = try await laptop.status().spaces.first?.replica
        try await madrid.concord("contact", "add", "name=Of Madrid")
        try await madrid.concord("bundle", "export", "--for", "ESP", "--out", scene.path("fourth"))
        let told = try await laptop.attempt(["bundle", "import", scene.path("fourth")])
        #expect(told.status == 1 && told.standardError.contains("E-3017"), "\(told)")
        try await laptop.concord("contact", "add", "name=Written again")
        #expect(try await laptop.status().spaces.first?.replica != replica)
        try await laptop.concord("bundle", "export", "--for", "ESP", "--out", scene.path("fifth"))
        try await madrid.concord("bundle", "import", scene.path("fifth"))
        #expect(try await madrid.concord("contact", "list").contains("Written again"))
        try await madrid.concord("bundle", "export", "--for", "ESP", "--all", "--out", scene.path("sixth"))
        try await laptop.concord("bundle", "import", scene.path("sixth"))
        #expect(try await laptop.digest == madrid.digest)
        for node in [madrid, laptop] { try await node.concord("verify") }
    }

    @Test("of several files each is taken or refused by itself, and nothing is left of an export that fails")
    func several() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        let laptop = try await makeLaptop(scene)
        let to = ["--to", scene.path("laptop.pem")]
        for name in ["one", "two", "three"] {
            try await madrid.concord("contact", "add", "name=\(name)")
            try await madrid.concord(["bundle", "export", "--all", "--out", scene.path(name)] + to)
        }
        var bytes = try Data(contentsOf: URL(filePath: scene.path("two")))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: scene.path("two")))
        let output = try await laptop.attempt(
            ["bundle", "import"] + ["one", "two", "three"].map(scene.path))
        #expect(output.status == 1 && output.standardOutput.contains("two: "), "\(output)")
        #expect(output.standardOutput.contains("E-3052"), "\(output)")
        #expect(try await laptop.digest == madrid.digest)
        // One name is taken: nothing is written under the others.
        let blob = scene.path("large.bin")
        try Data((0..<9_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }).write(
            to: URL(filePath: blob))
        let document = try await madrid.concord("document", "create", "--title", "Report")
        try await madrid.concord("document", "attach", document, blob)
        try Data().write(to: URL(filePath: scene.path("usb.002")))
        let taken = try await madrid.attempt(
            ["bundle", "export", "--out", scene.path("usb"), "--volume-size", "4MiB"] + to)
        #expect(taken.status == 1 && taken.standardError.contains("usb.002"), "\(taken)")
        let names = try FileManager.default.contentsOfDirectory(atPath: scene.path(""))
        #expect(names.filter { $0.hasPrefix("usb") || $0.hasPrefix(".usb") } == ["usb.002"], "\(names)")
        // The record goes alone; later the file does, too.
        try await madrid.concord(["bundle", "export", "--no-attachments", "--out", scene.path("bare")] + to)
        try await laptop.concord("bundle", "import", scene.path("bare"))
        try await laptop.concord("bundle", "export", "--for", "ESP", "--out", scene.path("back"))
        try await madrid.concord("bundle", "import", scene.path("back"))
        let told = try await madrid.concord(["bundle", "export", "--out", scene.path("delta")] + to)
        #expect(told.contains("--all-files"), "\(told)")
        try await madrid.concord(["bundle", "export", "--all-files", "--out", scene.path("files")] + to)
        try await laptop.concord("bundle", "import", scene.path("files"))
        try await laptop.concord(
            "attachment", "get", document, "large.bin", "--out", scene.path("large.out"))
        #expect(
            try Data(contentsOf: URL(filePath: scene.path("large.out")))
                == Data(contentsOf: URL(filePath: blob)))
    }

    @Test("openssl opens a bundle with the recipient's key, and a bundle that is damaged does no harm")
    func openssl() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU", listening: false)
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await berlin.waitInStep()
        try await waitForCertificate(of: "DEU", at: madrid)
        try await berlin.concord("peer", "pause")
        try await madrid.concord("contact", "add", "name=Ana")
        let file = scene.path("usb")
        try await madrid.concord("bundle", "export", "--for", "DEU", "--out", file)
        let opened = try await run(
            "/usr/bin/openssl",
            [
                "cms", "-decrypt", "-inform", "DER", "-in", file, "-inkey",
                berlin.home + "/identity/agreement.key",
                "-binary", "-out", scene.path("opened"),
            ])
        #expect(opened.status == 0, "\(opened)")
        let plain = try Data(contentsOf: URL(filePath: scene.path("opened")))
        #expect(plain.starts(with: Data("concord bundle\r\n".utf8)))

        let before = try await berlin.digest
        func code(_ data: Data) async throws -> String {
            let path = scene.path("damaged")
            try data.write(to: URL(filePath: path))
            let output = try await berlin.attempt(["bundle", "import", path])
            #expect(output.status == 1)
            return String(output.standardError.prefix(6))
        }
        let whole = try Data(contentsOf: URL(filePath: file))
        #expect(try await code(whole.prefix(whole.count / 2)) == "E-3051")
        var altered = whole
        altered[whole.count / 2 + 100] ^= 1
        #expect(try await code(altered) == "E-3052")
        #expect(try await code(Data("no bundle".utf8)) == "E-3050")
        #expect(try await berlin.digest == before)
        let missing = try await berlin.attempt(["bundle", "import", scene.path("none")])
        #expect(missing.standardError.hasPrefix("E-1010"))
        #expect(
            try await madrid.attempt(["bundle", "export", "--out", scene.path("x")]).standardError.hasPrefix(
                "E-1001"))
        #expect(
            try await madrid.attempt(["bundle", "export", "--for", "DEU", "--out", file]).standardError
                .hasPrefix("E-1014"))
        // What openssl made of it is a plain volume, which is as good.
        try await berlin.concord("bundle", "import", scene.path("opened"))
        #expect(try await berlin.digest == madrid.digest)
        #expect(try await berlin.concord("bundle", "import", file).contains("nothing new"))
    }
}
