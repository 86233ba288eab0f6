// Documents that two capitals edit apart, through files and editors, and what becomes of their text.

import ConcordAPI
import Foundation
import Testing

@Suite("Documents", .serialized)
struct DocumentTests {
    private func file(_ scene: Scene, _ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: scene.path(name)))
        return scene.path(name)
    }

    private func file(_ scene: Scene, _ name: String, _ text: String) throws -> String {
        try file(scene, name, Array(text.utf8))
    }

    private func json<Document: Decodable>(_ node: Node, _ arguments: String...) async throws -> Document {
        let output = try await node.attempt(arguments + ["--json"])
        try #require(output.status == 0, "\(output)")
        return try JSONDecoder().decode(Document.self, from: Data(output.standardOutput.utf8))
    }

    private func text(_ id: String, at node: Node, _ more: String...) async throws -> String {
        let output = try await node.attempt(["document", "text", id] + more)
        try #require(output.status == 0, "\(output)")
        return output.standardOutput
    }

    /// Runs `document edit` with a shell script for an editor, which gets the file as its last argument.
    private func edit(_ id: String, at node: Node, script: String, _ more: [String: String] = [:])
        async throws
        -> Output
    {
        let editor = try file(
            node.scene, "editor-\(UUID().uuidString.prefix(8)).sh", "#!/bin/sh\nset -e\n\(script)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
        let environment = ["VISUAL": "", "EDITOR": "'\(editor)' --wait", "TMPDIR": node.scene.folder.path]
        return try await run(
            programs.appendingPathComponent("concord").path, ["document", "edit", id, "--home", node.home],
            environment: environment.merging(more) { $1 })
    }

    private func drafts(_ scene: Scene) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scene.folder.path).filter {
            $0.hasSuffix(".md") && $0.hasPrefix("concord-")
        }
    }

    private let opening = "The Parties met in Alicante and agreed on the following.\n"
    private let closing = "Done in two copies, both texts being equally authentic.\n"

    @Test("two capitals that edit different paragraphs while they are apart find both in one text, whole")
    func apart() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        let draft = try file(scene, "draft", "\(opening)\n\(closing)")
        let id = try await madrid.concord(
            "document", "create", "--title", "Communiqué", "--kind", "communiqué", "--file", draft)
        try await berlin.waitInStep(with: "ESP")
        #expect(try await text(id, at: berlin) == "\(opening)\n\(closing)")
        let base = (try await json(berlin, "document", "text", id) as TextDocument).version

        for node in [madrid, berlin] { try await node.concord("peer", "pause") }
        let (ours, theirs) = (
            "The Parties met in Alicante on 24 May 2017 and agreed on the following.\n",
            "Done in Alicante in two copies, in English and Spanish, both texts being equally authentic.\n"
        )
        let first = try file(scene, "ours", "\(ours)\n\(closing)")
        let second = try file(scene, "theirs", "\(opening)\n\(theirs)")
        let here = try await madrid.concord("document", "write", id, first, "--base", base)
        #expect(here.contains("inserted 15 characters, deleted 0 characters"), "\(here)")
        try await berlin.concord("document", "write", id, second, "--base", base)
        for node in [madrid, berlin] { try await node.concord("peer", "resume") }

        let merged = "\(ours)\n\(theirs)"
        for node in [madrid, berlin] {
            try await eventually("\(node.name) has both paragraphs") {
                try await text(id, at: node) == merged
            }
        }
        #expect(try await madrid.digest == berlin.digest)
        let (left, right): (TextDocument, TextDocument) = (
            try await json(madrid, "document", "text", id), try await json(berlin, "document", "text", id)
        )
        #expect(left == right)
        #expect(left.version.contains("+"))
        let history = try await berlin.concord("document", "history", id)
        for expected in ["ESP madrid", "DEU berlin", "on 24 May 2017"] {
            #expect(history.contains(expected), "\(history)")
        }
        let edits: TextHistoryDocument = try await json(berlin, "document", "history", id, "--edits")
        #expect(edits.edits.count == 3)
        #expect(edits.passages.map(\.text).joined() == merged)
        let difference = try await madrid.concord("document", "diff", id, base)
        #expect(difference.contains("Alicante {+on 24 May 2017 +}and"), "\(difference)")
        // A word that only the other wrote is found here, and what is in no record is not.
        try await eventually("Madrid finds Berlin's words") {
            try await madrid.concord("search", "English Spanish").contains("Communiqué")
        }
        #expect(try await madrid.concord("search", "Portuguese") == "nothing found")
        for node in [madrid, berlin] { try await node.concord("verify") }
    }

    @Test("a file that is written over a version that moved on is merged, and it is said how to see that")
    func movedOn() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP", listening: false)
        try await madrid.start()
        try await scene.found(madrid, [])
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=One.\n\nTwo.\n")
        let base = (try await json(madrid, "document", "text", id) as TextDocument).version
        try await madrid.concord("document", "write", id, try file(scene, "a", "One, too.\n\nTwo.\n"))
        let late = try await madrid.concord(
            "document", "write", id, try file(scene, "b", "One.\n\nTwo, too.\n"), "--base", base)
        #expect(late.contains("The text had moved on since version \(base)"), "\(late)")
        #expect(try await text(id, at: madrid) == "One, too.\n\nTwo, too.\n")
        #expect(try await text(id, at: madrid, "--at", base) == "One.\n\nTwo.\n")
        #expect(try await text(id, at: madrid, "--at", "0").isEmpty)
        // The command that it names shows what came of it.
        let command = try #require(
            late.split(separator: "\n").last?.split(separator: " ").dropFirst(2).map(String.init))
        let shown = try await madrid.attempt(command)
        #expect(shown.standardOutput.contains("{+, too+}"), "\(command) \(shown)")
        let difference: TextDifferenceDocument = try await json(madrid, "document", "diff", id, base)
        #expect(difference.from == base)
        #expect(difference.runs.map(\.inserted) == [", too", ", too"])
        #expect(difference.runs.map(\.position) == [3, 14])

        // What is printed and written back changes nothing; from standard input it is the same.
        let now = try await text(id, at: madrid)
        let same = try await madrid.attempt(["document", "write", id, "-"], input: Data(now.utf8))
        #expect(same.status == 0 && same.standardOutput.hasPrefix("nothing changed"), "\(same)")
        let other = try await madrid.attempt(
            ["document", "write", id, "-", "--json"], input: Data("\u{FEFF}One.\r\n".utf8))
        #expect(other.status == 0, "\(other)")
        #expect(other.standardOutput.contains(#""file":{"byteOrderMarkRemoved":true,"lineEndsConverted":1}"#))
        #expect(try await text(id, at: madrid) == "One.\n")
    }

    @Test("what cannot be written is refused by its reason, and the text stays as it was")
    func refused() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP", listening: false)
        try await madrid.start()
        try await scene.found(madrid, [])
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=We agree.\n")
        let contact = try await madrid.concord("contact", "add", "name=Ana")
        let before = try await madrid.digest
        func expect(_ code: String, _ words: String, _ arguments: String...) async throws {
            let output = try await madrid.attempt(["document"] + arguments)
            #expect(output.status == 1, "\(arguments) \(output)")
            #expect(output.standardError.hasPrefix(code), "\(arguments) \(output)")
            #expect(output.standardError.contains(words), "\(arguments) \(output)")
            #expect(output.standardOutput.isEmpty, "\(arguments) \(output)")
        }
        let latin = try file(scene, "latin1", Array("We agree on".utf8) + [0xE9, 0x0A])
        let good = try file(scene, "good", "We agree, too.\n")
        try await expect("E-1010", "offset 11", "write", id, latin)
        try await expect("E-1010", "offset 11", "create", "--title", "Other", "--file", latin)
        try await expect("E-1010", "directory", "write", id, scene.folder.path)
        try await expect("E-1010", "No such file", "write", id, scene.path("none"))
        try await expect("E-1020", "no version ffffffffffff", "write", id, good, "--base", "ffffffffffff")
        try await expect("E-1020", "no version ffffffffffff", "text", id, "--at", "ffffffffffff")
        try await expect("E-1020", "no version ffffffffffff", "diff", id, "0", "ffffffffffff")
        try await expect("E-1004", "not document", "write", contact, good)
        try await expect("E-1004", "not document", "history", contact)
        try await expect("E-1003", "document write", "set", id, "body=other")
        let large = try file(scene, "large", [UInt8](repeating: UInt8(ascii: "x"), count: (4 << 20) + 1))
        try await expect("E-3002", "4194304", "write", id, large)
        let huge = try file(scene, "huge", [UInt8](repeating: UInt8(ascii: "x"), count: (16 << 20) + 4))
        try await expect("E-3002", "huge", "write", id, huge)
        #expect(try await madrid.digest == before)
        #expect(try await text(id, at: madrid) == "We agree.\n")
        try await madrid.concord("document", "remove", id)
        try await expect("E-1009", "deleted", "write", id, good)
        let edited = try await edit(id, at: madrid, script: "exit 0")
        #expect(edited.standardError.hasPrefix("E-1009"), "\(edited)")
    }

    @Test(
        "an editor's file is written back; if that fails nothing is lost, and if nothing changed nothing is written"
    )
    func editor() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP", listening: false)
        try await madrid.start()
        try await scene.found(madrid, [])
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=We agree.\n")
        // The editor gets its own argument and a private file; another's write comes in between.
        let other = try file(scene, "other", "We agree.\nThey, too.\n")
        let written = try await edit(
            id, at: madrid,
            script: """
                test "$1" = --wait; test "$(stat -c %a "$2")" = 600
                "$CONCORD" document write \(id) '\(other)' --home '\(madrid.home)' >/dev/null
                sed 's/agree/all agree/' "$2" > "$2.new"; mv "$2.new" "$2"
                """, ["CONCORD": programs.appendingPathComponent("concord").path])
        #expect(written.status == 0, "\(written)")
        #expect(written.standardOutput.contains("The text had moved on"), "\(written)")
        #expect(try await text(id, at: madrid) == "We all agree.\nThey, too.\n")
        #expect(try drafts(scene).isEmpty)

        let same = try await edit(id, at: madrid, script: "true")
        #expect(same.status == 0 && same.standardOutput.hasPrefix("nothing changed"), "\(same)")
        let failed = try await edit(id, at: madrid, script: "exit 3")
        #expect(failed.status == 1 && failed.standardError.contains("status 3"), "\(failed)")
        #expect(try drafts(scene).isEmpty)

        // The editor fails after it has written; then what it writes is not UTF-8; then the daemon has gone.
        for (script, code) in [
            ("echo more >> \"$2\"; exit 1", "E-1010"), ("printf 'caf\\351\\n' > \"$2\"", "E-1010"),
            ("echo more >> \"$2\"; kill -9 \(madrid.identifier)", "E-6005"),
        ] {
            let output = try await edit(id, at: madrid, script: script)
            #expect(output.status != 0, "\(output)")
            #expect(output.standardError.hasPrefix(code), "\(output)")
            let kept = try #require(try drafts(scene).first)
            #expect(output.standardError.contains("is kept in \(scene.path(kept))"), "\(output)")
            if script.contains("more") {
                #expect(try String(contentsOfFile: scene.path(kept), encoding: .utf8).hasSuffix("more\n"))
            }
            try FileManager.default.removeItem(atPath: scene.path(kept))
        }
        madrid.kill()
        try await madrid.start()
        #expect(try await text(id, at: madrid) == "We all agree.\nThey, too.\n")
    }

    @Test(
        "a stored text that is damaged is made anew from the log, and the log, the status and the doctor say so"
    )
    func damaged() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP", listening: false)
        try await madrid.start()
        try await scene.found(madrid, [])
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=We agree.\n")
        try await madrid.concord("document", "write", id, try file(scene, "more", "We all agree.\n"))
        let before = try await madrid.digest
        let healthy: DoctorDocument = try await doctor(madrid)
        #expect(healthy.checks.first { $0.check == "texts" }?.state == .good)
        #expect(await madrid.stop() == 0)
        let tampered = try await run(
            "/usr/bin/env",
            ["sqlite3", madrid.home + "/replica.db", "UPDATE text SET utf8 = CAST('We disagree.' AS BLOB)"])
        try #require(tampered.status == 0, "\(tampered)")
        try await madrid.start()
        #expect(try await text(id, at: madrid) == "We all agree.\n")
        #expect(try await madrid.digest == before)
        let notice = try #require(try await madrid.status().attention.first { $0.code == "E-5003" })
        #expect(notice.severity == .notice)
        #expect(notice.message.contains("1 stored text was found damaged"), "\(notice.message)")
        let check = try #require(try await doctor(madrid).checks.first { $0.check == "texts" })
        #expect(check.state == .degraded)
        #expect(madrid.log.contains("a stored text was damaged"), "\(madrid.log.suffix(1000))")
        try await madrid.concord("verify")
    }

    private func doctor(_ node: Node) async throws -> DoctorDocument {
        let output = try await node.attempt(["doctor", "--json"])
        return try JSONDecoder().decode(DoctorDocument.self, from: Data(output.standardOutput.utf8))
    }

    @Test(
        "a text whose write was acknowledged is there after SIGKILL, on the node that wrote it and on others")
    func killed() async throws {
        let scene = try Scene()
        let madrid = try await scene.makeNode("madrid", member: "ESP")
        let berlin = try await scene.makeNode("berlin", member: "DEU")
        for node in [madrid, berlin] { try await node.start() }
        try await scene.found(madrid, [berlin])
        let id = try await madrid.concord("document", "create", "--title", "Letter", "body=Paragraph 0.\n")
        try await berlin.waitInStep()
        // The last of them takes several changes; all are there or none.
        let texts =
            (1...2).map { number in "Paragraph \(number).\n" } + [
                String(repeating: "Long, long text.\n", count: 12_000)
            ]
        for (number, text) in texts.enumerated() {
            let file = try file(scene, "text-\(number)", text)
            try await madrid.concord("document", "write", id, file)
            madrid.kill()
            try await madrid.start()
            #expect(try await self.text(id, at: madrid) == text)
        }
        try await madrid.waitInStep(with: "DEU")
        #expect(try await text(id, at: berlin) == texts.last)
        try await madrid.concord("verify")
        #expect(try await madrid.digest == berlin.digest)
    }
}
