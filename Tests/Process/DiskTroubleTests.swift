// A running daemon whose disk takes no writes any more: it says so, goes on serving, and takes up writing by itself.

import ConcordAPI
import Foundation
import Testing

@Suite("Trouble with the disk", .serialized)
struct DiskTroubleTests {
    @Test(
        "while the system lets no file grow, writes are refused with the reason, reads go on, and all comes back"
    )
    func fileSizeLimit() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await madrid.concord("contact", "add", "name=Before")
        try await berlin.waitInStep()

        let limit = try FileLimit(of: berlin)
        try limit.set(1 << 12)
        let refused = try await berlin.attempt(["contact", "add", "name=In vain", "--json"])
        #expect(refused.status == 1)
        #expect(
            refused.standardError.contains("E-5010") || refused.standardOutput.contains("E-5010"),
            "\(refused)")
        #expect(try await berlin.concord("contact", "list").contains("Before"), "reading goes on")
        let status = try await berlin.attempt(["status"])
        #expect(status.status == 5, "\(status)")
        #expect(status.standardOutput.contains("nothing is written since"))
        #expect(try await berlin.status().storage.trouble?.kind == "failing")

        // What comes from Madrid waits; the session lives on.
        try await madrid.concord("contact", "add", "name=Meanwhile")
        try await madrid.concord("contact", "add", "name=Meanwhile, too")
        try await eventually("Madrid sees that Berlin lacks it") {
            try await madrid.status().peers.contains {
                $0.state == .connected && ($0.spaces.first?.theyLack ?? 0) > 0
            }
        }
        let accused = berlin.log.components(separatedBy: "nothing is written any more").count - 1
        #expect(accused == 1, "said once: \(berlin.log)")

        try limit.lift()
        try await eventually("writing goes on by itself") { try await berlin.status().storage.trouble == nil }
        try await berlin.concord("contact", "add", "name=After")
        for node in [madrid, berlin] { try await node.waitInStep() }
        let names = try await madrid.concord("contact", "list")
        let written = ["Before", "Meanwhile", "Meanwhile, too", "After"]
        for name in written { #expect(names.contains(name)) }
        #expect(!names.contains("In vain"))
        #expect(try await madrid.digest == berlin.digest)
        for node in [madrid, berlin] {
            try await node.concord("verify")
            #expect(await node.stop() == 0)
        }
        print(
            "DISK of limited files: \(written.count { names.contains($0) }) of \(written.count) acknowledged writes shown"
        )
    }

    @Test(
        "permissions that are taken away stop what needs them with a code, and what was acknowledged is there after",
        .enabled("modes must mean something") { await OtherUser.isPossible })
    func permissions() async throws {
        // Root reads and writes whatever modes say; then somebody else runs the daemon.
        let user = await OtherUser.whereRoot()
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try Data().write(to: URL(fileURLWithPath: madrid.home + "/daemon.log"))
        try await user?.own(madrid.home)
        try await madrid.start(as: user)
        try await scene.found(madrid, [])
        var acknowledged = ["Before"]
        try await madrid.concord("contact", "add", "name=Before")
        func set(_ mode: String) async throws {
            let output = try await run("/bin/chmod", ["-R", mode, madrid.home])
            try #require(output.status == 0, "\(output)")
        }
        try await set("a-w")
        #expect(try await madrid.concord("contact", "list").contains("Before"), "reading goes on")
        for number in 0..<20 {
            let output = try await madrid.attempt(["contact", "add", "name=During \(number)"])
            if output.status == 0 {
                acknowledged.append("During \(number)")
            } else {
                #expect(output.standardError.contains("E-5"), "\(output)")
            }
        }
        let backup = try await madrid.attempt(["backup", "create", madrid.home + "/a.backup"])
        #expect(backup.status == 1 && backup.standardError.contains("Next: "), "\(backup)")
        madrid.kill()
        let refused = try await madrid.attemptStart(as: user)
        #expect(refused.status == 1 && refused.standardError.contains("E-5005"), "\(refused)")
        try await set("u+w")
        try await madrid.start(as: user)
        let names = try await madrid.concord("contact", "list")
        for name in acknowledged { #expect(names.contains(name)) }
        try await madrid.concord("contact", "add", "name=After")
        try await madrid.concord("verify")
        #expect(try await madrid.attempt(["status"]).status == 0)
        #expect(await madrid.stop() == 0)
        let shown = acknowledged.count { names.contains($0) }
        print("DISK without permissions: \(shown) of \(acknowledged.count) acknowledged writes shown")
    }

    @Test(
        "on a disk that is really full nothing is lost, and with room again everything comes into step",
        .enabled("a small disk can be mounted") { SmallDisk.isPossible })
    func fullDisk() async throws {
        let scene = try Scene()
        let disk = try SmallDisk(at: scene.path("disk"), bytes: 24 << 20)
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("disk/berlin", member: "DEU")
        try await madrid.start()
        try await berlin.start(environment: ["CONCORD_STORAGE_RESERVE": "0"])
        try await scene.found(madrid, [berlin])
        try await berlin.concord("contact", "add", "name=Before")
        try await berlin.waitInStep()
        try disk.fill()
        var refused: Output?
        for number in 0..<200 where refused == nil {
            let output = try await berlin.attempt(["contact", "add", "name=\(number)"])
            if output.status != 0 { refused = output }
        }
        #expect(refused?.standardError.contains("E-5004") ?? false, "\(refused?.description ?? "never full")")
        try await madrid.concord("contact", "add", "name=From Madrid")
        #expect(try await berlin.attempt(["status"]).status == 5)
        #expect(try await berlin.concord("contact", "list").contains("Before"))
        try disk.empty()
        try await eventually("writing goes on by itself") { try await berlin.status().storage.trouble == nil }
        for node in [madrid, berlin] { try await node.waitInStep() }
        #expect(try await madrid.digest == berlin.digest)
        try await berlin.concord("verify")
        let count = try await berlin.status().spaces.first?.changes ?? 0
        #expect(await berlin.stop() == 0)
        print("DISK full: refused and resumed, then \(count) changes held")
    }

    @Test(
        "below the reserve nothing new is written, and status says how much is free",
        .enabled("a small disk can be mounted") { SmallDisk.isPossible })
    func reserve() async throws {
        let scene = try Scene()
        let disk = try SmallDisk(at: scene.path("disk"), bytes: 48 << 20)
        let madrid = try await scene.makeNode("disk/madrid", member: "ESP")
        try await madrid.start(environment: ["CONCORD_STORAGE_RESERVE": "16 MiB"])
        try await scene.found(madrid, [])
        try await madrid.concord("contact", "add", "name=Before")
        try disk.fill(leaving: 12 << 20)
        let refused = try await madrid.attempt(["contact", "add", "name=In vain"])
        #expect(refused.standardError.contains("E-5011"), "\(refused)")
        let status = try await madrid.status()
        #expect(status.storage.trouble?.kind == "low" && status.verdict == .needsAPerson)
        try disk.empty()
        try await madrid.concord("contact", "add", "name=After")
        #expect(try await madrid.attempt(["status"]).status != 5)
    }
}
