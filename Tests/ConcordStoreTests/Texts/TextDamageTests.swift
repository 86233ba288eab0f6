// Stored texts that are damaged: noticed when they are opened, made anew from the log, counted and told; and found by
// verification.

import ConcordCrypto
import ConcordModel
import ConcordStore
import GRDB
import Synchronization
import Testing

@testable import TestSupport

@Suite("Texts: damage")
struct TextDamageTests {
    /// What may happen to the rows of a text.
    private static let damages = [
        "DELETE FROM text",
        "DELETE FROM text_chunk",
        "DELETE FROM text_chunk WHERE first = 0",
        "DELETE FROM text_chunk WHERE first > 0",
        "UPDATE text SET utf8 = CAST(replace(CAST(utf8 AS TEXT), 'word', 'ward') AS BLOB)",
        "UPDATE text SET utf8 = substr(utf8, 1, length(utf8) - 1)",
        "UPDATE text SET version = x'00'",
        "UPDATE text SET edits = edits + 1",
        "UPDATE text_chunk SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE first = 0",
        "UPDATE text_chunk SET bytes = substr(bytes, 1, 40) || x'ff' || substr(bytes, 42) WHERE first > 0",
        "UPDATE text_chunk SET first = first + 1 WHERE first > 0",
    ]

    private func filled() async throws -> (site: Site, document: RecordID, body: String) {
        let a = try await World("ESP").site(0)
        let body = (0..<8_000).map { "word\($0 % 97)\($0)" }.joined(separator: " ")
        let document = try await a.document(body)
        try await a.put(body + " more words", in: document)
        try await a.put("First " + body + " more words", in: document)
        return (a, document, "First " + body + " more words")
    }

    @Test("is found by verification, made anew for whoever reads or writes, and told", arguments: damages)
    func rebuilt(damage: String) async throws {
        for isWritten in [false, true] {
            let (a, document, body) = try await filled()
            let told = Mutex<[TextRepair]>([])
            a.store.observeRepairs { repair in told.withLock { $0.append(repair) } }
            let before = try await a.store.heldWithDigest(a.space)
            let history = try a.store.textHistory(document, space: a.space)
            #expect(try a.number("SELECT COUNT(*) FROM text_chunk") > 1)
            try a.meddle(damage)
            let problems = try await a.store.verify().problems
            #expect(problems.map(\.record) == [document.description], "\(damage)")
            #expect(problems.first?.code == ErrorCode.verificationFailed.rawValue)
            if isWritten {
                try await a.put(body + "!", in: document)
                #expect(try a.body(of: document) == body + "!")
            } else {
                #expect(try a.store.textHistory(document, space: a.space) == history)
                #expect(try a.body(of: document) == body)
                #expect(try await a.store.heldWithDigest(a.space).digest == before.digest)
            }
            #expect(try a.store.repairedTexts() == 1)
            let repairs = told.withLock { $0 }
            #expect(repairs.map(\.record) == [document] && repairs.first?.field == "body")
            #expect(repairs.first?.reason.isEmpty == false)
            #expect(try await a.store.verify().problems == [], "\(damage)")
        }
    }

    @Test("the present text shows without its history being read, and is told when it is not the right one")
    func presentText() async throws {
        let (a, document, body) = try await filled()
        try a.meddle("UPDATE text_chunk SET bytes = x'00'")
        #expect(try a.body(of: document) == body)
        #expect(try a.store.repairedTexts() == 0)
        try a.meddle("UPDATE text SET utf8 = x'00'")
        #expect(try a.body(of: document) == body)
        #expect(try a.store.repairedTexts() == 1)
    }

    @Test("a replica that is opened for reading says that it is damaged")
    func readOnly() async throws {
        let (a, document, _) = try await filled()
        try a.store.close()
        try a.meddle("DELETE FROM text_chunk")
        let store = try ReplicaStore(path: a.path, options: ReplicaStore.Options(readOnly: true))
        #expect(code { _ = try store.textHistory(document, space: a.space) } == .corruptDatabase)
    }

    @Test("verification finds a text that no edit made, and a state that names another text")
    func verification() async throws {
        let (a, _, _) = try await filled()
        _ = try await a.document("")
        let statements = [
            "INSERT INTO text SELECT record, 'other', version, edits, events, claimed, utf8 FROM text",
            "INSERT INTO text SELECT 2, field, version, edits, events, claimed, utf8 FROM text",
        ]
        for statement in statements {
            try a.meddle(statement)
            #expect(try await !a.store.verify().isClean, "\(statement)")
            try a.meddle("DELETE FROM text WHERE field = 'other' OR record = 2")
            #expect(try await a.store.verify().isClean)
        }
    }

    @Test("a vocabulary that was another makes texts anew with the records")
    func rebuild() async throws {
        let (a, document, body) = try await filled()
        let version = try a.version(of: document)
        try a.store.close()
        try a.meddle(
            "UPDATE space SET vocabulary = 0; DELETE FROM record; DELETE FROM touch; DELETE FROM text")
        let again = Site(a, store: try ReplicaStore(path: a.path), folder: try Folder())
        #expect(try again.body(of: document) == body && again.version(of: document) == version)
        #expect(try await again.store.verify().problems == [])
    }
}
