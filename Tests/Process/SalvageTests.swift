// The ways back: a damaged database is recognised, running or not, and salvaged; an old backup beside a living network
// loses nothing; backups are made by themselves.

import ConcordAPI
import Foundation
import Testing

@Suite("Ways back from damage", .serialized)
struct SalvageTests {
    private let concordd = programs.appendingPathComponent("concordd").path

    @Test("a damaged replica is made anew with what nobody else has, and the rest comes from peers")
    func salvage() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        try await madrid.concord("contact", "add", "name=Shared by Madrid")
        try await berlin.concord("contact", "add", "name=Shared by Berlin")
        for node in [madrid, berlin] { try await node.waitInStep() }
        #expect(await berlin.stop() == 0)
        for number in 0..<12 { try await madrid.concord("contact", "add", "name=Alone \(number)") }
        let sound = try await madrid.attempt(["backup", "salvage"])
        #expect(sound.status == 1 && sound.standardError.contains("E-6004"), "\(sound)")
        #expect(await madrid.stop() == 0)
        let refused = try await madrid.attempt(["backup", "salvage"])
        #expect(refused.status == 1 && refused.standardError.contains("E-1018"), "\(refused)")

        // The schema is gone, and with it every way by which SQLite finds a row.
        let file = try #require(FileHandle(forUpdatingAtPath: madrid.home + "/replica.db"))
        try file.seek(toOffset: 100)
        try file.write(contentsOf: Data(repeating: 0, count: 3996))
        try file.close()
        let damaged = try Data(contentsOf: URL(fileURLWithPath: madrid.home + "/replica.db"))
        #expect(try await madrid.attempt(["status"]).status == 6)
        #expect(try await madrid.attempt(["doctor"]).status == 6)
        let start = try await run("/usr/bin/timeout", ["20", concordd, "--home", madrid.home])
        #expect(start.status == 1 && start.standardError.contains("E-5003"), "\(start)")
        #expect(start.standardError.contains("concord backup salvage"))

        let output = try await madrid.attempt(["backup", "salvage", "--json"])
        try #require(output.status == 0, "\(output)")
        let document = try JSONDecoder().decode(SalvageDocument.self, from: Data(output.standardOutput.utf8))
        #expect(document.named == document.read && document.waiting == 0 && document.refused == 0)
        #expect(document.ownNamed >= 13 && document.spaces == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: document.damaged + "/replica.db")) == damaged)
        for node in [madrid, berlin] { try await node.start() }
        try await madrid.concord("contact", "add", "name=After")
        for node in [madrid, berlin] { try await node.waitInStep() }
        let names = try await berlin.concord("contact", "list")
        for number in 0..<12 { #expect(names.contains("Alone \(number)")) }
        #expect(names.contains("After"))
        #expect(try await madrid.digest == berlin.digest)
        for node in [madrid, berlin] { try await node.concord("verify") }
        print(
            "SALVAGED: \(document.read) of \(document.named) changes that the damaged database named, "
                + "\(document.ownNamed) of them its own; \(document.waiting) wait, \(document.refused) refused"
        )
    }

    @Test(
        "damage that comes to light while the daemon runs stops writing, and status says so with exit code 6")
    func whileRunning() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        for number in 0..<30 { try await madrid.concord("contact", "add", "name=Contact \(number)") }
        #expect(await madrid.stop() == 0)
        // The index that listing by kind goes through.
        let query = "SELECT rootpage FROM sqlite_schema WHERE name = 'record_kind'"
        let page = try await run("/usr/bin/sqlite3", [madrid.home + "/replica.db", query])
        let number = try #require(Int(page.standardOutput.trimmingCharacters(in: .newlines)))
        let file = try #require(FileHandle(forUpdatingAtPath: madrid.home + "/replica.db"))
        try file.seek(toOffset: UInt64(number - 1) * 4096)
        try file.write(contentsOf: Data(repeating: 0x5a, count: 4096))
        try file.close()
        try await madrid.start(asking: ["peer", "list"])
        _ = try await madrid.attempt(["contact", "list"])
        let status = try await madrid.attempt(["status"])
        #expect(status.status == 6, "\(status)")
        #expect(try await madrid.attempt(["doctor"]).status == 6)
        let write = try await madrid.attempt(["contact", "add", "name=In vain"])
        #expect(write.standardError.contains("E-5003"), "\(write)")
        #expect(await madrid.stop() == 0)
        // The next start knows before anybody asks.
        try await madrid.start(asking: ["peer", "list"])
        #expect(try await madrid.status().storage.trouble?.kind == "damaged")
        #expect(await madrid.stop() == 0)
        try await madrid.concord("backup", "salvage")
        try await madrid.start()
        #expect(try await madrid.concord("contact", "list").contains("Contact 29"))
        try await madrid.concord("contact", "add", "name=After")
        try await madrid.concord("verify")
        #expect(try await madrid.attempt(["status"]).status == 0)
    }

    @Test(
        "an old backup restored beside a living network loses nothing, though it writes before it meets anybody"
    )
    func oldBackup() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        let paris = try await scene.makeNode("paris", member: "FRA")
        let nodes = [madrid, berlin, paris]
        /// The two others may know each other by receipts alone, which come every ten minutes.
        func comeIntoStep() async throws {
            for node in [berlin, paris] { try await node.waitInStep(with: "ESP") }
            try await madrid.waitInStep()
        }
        for node in nodes { try await node.start() }
        try await scene.found(madrid, [berlin, paris])
        try await madrid.concord("contact", "add", "name=Before the backup")
        try await comeIntoStep()
        let file = scene.path("old.backup")
        try await madrid.concord("backup", "create", file)
        let first = try await madrid.status()
        #expect(first.backup.verified && first.backup.path == file)
        for number in 0..<5 {
            try await madrid.concord("contact", "add", "name=Madrid \(number)")
            try await paris.concord("contact", "add", "name=Paris \(number)")
        }
        try await comeIntoStep()
        let replica = try #require(try await madrid.status().spaces.first?.replica)
        for node in nodes { #expect(await node.stop() == 0) }
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: madrid.home + "/replica.db" + suffix)
        }
        try await madrid.concord("backup", "restore", file)
        try await madrid.start()
        try await madrid.concord("contact", "add", "name=Written before contact")
        try await berlin.start()
        try await berlin.concord("contact", "add", "name=Berlin meanwhile")
        try await paris.start()
        try await comeIntoStep()
        let digest = try await madrid.digest
        for node in nodes {
            let names = try await node.concord("contact", "list")
            for number in 0..<5 {
                #expect(names.contains("Madrid \(number)") && names.contains("Paris \(number)"))
            }
            for name in ["Before the backup", "Written before contact", "Berlin meanwhile"] {
                #expect(names.contains(name))
            }
            #expect(try await node.digest == digest)
            try await node.concord("verify")
        }
        let space = try #require(try await madrid.status().spaces.first)
        #expect(space.replica != replica)
        print(
            "OLD BACKUP restored beside 2 others: \(space.changes) changes and \(space.records) records on the node "
                + "that was restored")
    }

    @Test(
        "a backup is restored beside the log of a replica that was moved away, which is kept and not mixed in"
    )
    func restoredBesideLog() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        try await madrid.concord("contact", "add", "name=First")
        let file = scene.path("early.backup")
        try await madrid.concord("backup", "create", file)
        let replica = try #require(try await madrid.status().spaces.first?.replica)
        try await madrid.concord("contact", "add", "name=Only in the log")
        madrid.kill()
        try FileManager.default.moveItem(
            atPath: madrid.home + "/replica.db", toPath: madrid.home + "/replica.db.broken")
        let output = try await madrid.concord("backup", "restore", file)
        let line = try #require(output.split(separator: "\n").first { $0.contains("earlier replica") })
        let aside = String(try #require(line.split(separator: " ").last).dropLast())
        #expect(FileManager.default.fileExists(atPath: aside + "/replica.db-wal"), "\(output)")
        try await madrid.start()
        #expect(try await !madrid.concord("contact", "list").contains("Only in the log"))
        try await madrid.concord("contact", "add", "name=After")
        #expect(try await madrid.status().spaces.first?.replica != replica)
        try await madrid.concord("verify")
        #expect(await madrid.stop() == 0)
        // With the database that belongs to the log, salvage finds what stood there.
        try FileManager.default.moveItem(
            atPath: madrid.home + "/replica.db.broken", toPath: aside + "/replica.db")
        try await madrid.concord("backup", "salvage", "--yes")
        try await madrid.start()
        let names = try await madrid.concord("contact", "list")
        #expect(names.contains("Only in the log") && names.contains("After"))
        try await madrid.concord("verify")
    }

    @Test("a salvage that fails or is interrupted loses nothing, and the daemon waits for its end")
    func interrupted() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        for number in 0..<5 { try await madrid.concord("contact", "add", "name=Contact \(number)") }
        madrid.kill()
        // The log's head is gone: SQLite would pass over all of it.
        let log = try #require(FileHandle(forUpdatingAtPath: madrid.home + "/replica.db-wal"))
        try log.write(contentsOf: Data(repeating: 0, count: 32))
        try log.close()
        let passedOver = try await run("/usr/bin/timeout", ["20", concordd, "--home", madrid.home])
        #expect(passedOver.status == 1 && passedOver.standardError.contains("E-5003"), "\(passedOver)")
        #expect(passedOver.standardError.contains("concord backup salvage"))
        // Nothing can be kept there.
        try Data("a file".utf8).write(to: URL(fileURLWithPath: madrid.home + "/damaged"))
        let failed = try await madrid.attempt(["backup", "salvage", "--yes"])
        #expect(failed.status == 1 && failed.standardError.contains("E-5005"), "\(failed)")
        try FileManager.default.removeItem(atPath: madrid.home + "/damaged")
        let unfinished = madrid.home + "/damaged/2026.unfinished"
        try FileManager.default.createDirectory(atPath: unfinished, withIntermediateDirectories: true)
        let start = try await run("/usr/bin/timeout", ["20", concordd, "--home", madrid.home])
        #expect(start.status == 1 && start.standardError.contains("E-5003"), "\(start)")
        #expect(start.standardError.contains("concord backup salvage"))
        try await madrid.concord("backup", "salvage")
        #expect(!FileManager.default.fileExists(atPath: unfinished))
        try await madrid.start()
        let names = try await madrid.concord("contact", "list")
        for number in 0..<5 { #expect(names.contains("Contact \(number)")) }
        try await madrid.concord("verify")
    }

    @Test("backups are made by themselves, verified, listed, and salvage begins with the newest good one")
    func automatic() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        try await madrid.concord("contact", "add", "name=Ana")
        #expect(try await madrid.concord("backup", "list").contains("no backup"))
        #expect(await madrid.stop() == 0)
        try await madrid.start(environment: ["CONCORD_BACKUP_EVERY": "1s", "CONCORD_BACKUP_KEEP_DAYS": "1"])
        try await eventually("two backups were made, of which the later is kept") {
            madrid.log.components(separatedBy: "a backup is made and verified").count > 2
                && madrid.log.contains("an older backup is removed")
        }
        let status = try await madrid.status()
        #expect(status.backup.verified && status.backup.nextAt != nil && status.backup.failure == nil)
        #expect(status.backup.path?.hasPrefix(madrid.home + "/backups/concord-") ?? false)
        let human = try await madrid.attempt(["status"])
        #expect(human.standardOutput.contains("backup today") && human.standardOutput.contains("verified"))
        #expect(await madrid.stop() == 0)
        let list = try await madrid.concord("backup", "list")
        #expect(list.contains(".backup"))
        try await madrid.concord("backup", "salvage", "--yes")
        try await madrid.start()
        #expect(try await madrid.concord("contact", "list").contains("Ana"))
    }

    @Test("a database of a newer program is left as it is, by the daemon and by every command")
    func newerDatabase() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        try await madrid.start()
        try await scene.found(madrid, [])
        #expect(await madrid.stop() == 0)
        let path = madrid.home + "/replica.db"
        // `user_version`, in the header.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 60)
        try file.write(contentsOf: Data([0, 0, 0x10, 0]))
        try file.close()
        func files() throws -> [String: Data] {
            let names = try FileManager.default.contentsOfDirectory(atPath: madrid.home)
            return Dictionary(
                uniqueKeysWithValues: try names.filter { $0.hasPrefix("replica.db") }.map {
                    ($0, try Data(contentsOf: URL(fileURLWithPath: "\(madrid.home)/\($0)")))
                })
        }
        let before = try files()
        let start = try await run("/usr/bin/timeout", ["20", concordd, "--home", madrid.home])
        #expect(start.status == 1 && start.standardError.contains("E-5002"), "\(start)")
        for command in [
            ["status"], ["doctor"], ["verify"], ["backup", "salvage"], ["backup", "verify", path],
        ] {
            let output = try await madrid.attempt(command)
            #expect(output.status != 0)
            #expect(
                (output.standardOutput + output.standardError).contains("E-5002"), "\(command): \(output)")
        }
        #expect(try files() == before)
    }
}
