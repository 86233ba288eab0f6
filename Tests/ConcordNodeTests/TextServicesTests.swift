import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import ConcordNode

@Suite("The local API: texts that merge")
struct TextServicesTests {
    private func create(_ body: String, at node: TestNode) async throws -> String {
        let json = try Self.json([
            "kind": .string("document"),
            "set": .object(["title": "Letter", "body": body].mapValues(JSONValue.string)),
        ])
        return try await node.create(json).id
    }

    private static func json(_ members: [String: JSONValue]) throws -> String {
        String(decoding: try JSONEncoder().encode(members), as: UTF8.self)
    }

    private func text(_ id: String, at node: TestNode, _ query: String = "") async throws -> TextDocument {
        let response = try await node.client.send("GET", "/v1/records/\(id)/text\(query)")
        #expect(response.status == 200, "\(response.text)")
        return try response.document(TextDocument.self)
    }

    private func write(
        _ text: String, _ id: String, base: String? = nil, at node: TestNode
    ) async throws -> SocketResponse {
        var body = ["text": JSONValue.string(text)]
        if let base { body["base"] = .string(base) }
        return try await node.client.send("PUT", "/v1/records/\(id)/text", json: try Self.json(body))
    }

    private func history(_ id: String, at node: TestNode, _ query: String = "") async throws
        -> TextHistoryDocument
    {
        let response = try await node.client.send("GET", "/v1/records/\(id)/history\(query)")
        #expect(response.status == 200, "\(response.text)")
        return try response.document(TextHistoryDocument.self)
    }

    @Test("a text is read, written as a whole and read as it was, byte for byte")
    func life() async throws {
        try await TestNode.run { node in
            try await node.found()
            let first = "We agree.\r\n\tE\u{301}t\u{0} 👍\u{2028}\u{FEFF}"
            let id = try await create(first, at: node)
            let before = try await text(id, at: node)
            #expect(Array(before.text.utf8) == Array(first.utf8))
            #expect(before.scalars == Int64(first.unicodeScalars.count))
            #expect(before.sha256 == SHA256.hash(Array(first.utf8)).description)
            #expect(before.isCurrent)
            #expect(before.field == "body")
            let detail = try await node.client.send("GET", "/v1/records/\(id)")
                .document(RecordDetailDocument.self)
            #expect(
                detail.texts == [
                    .init(
                        field: "body", version: before.version, scalars: before.scalars, sha256: before.sha256
                    )
                ])
            let second = "We all agree.\n"
            let written = try await write(second, id, base: before.version, at: node)
                .document(TextWrittenDocument.self)
            #expect(written.changed && !written.merged)
            #expect(written.base == before.version && written.before == before.version)
            #expect(written.version != before.version)
            #expect(written.scalars == 14)
            #expect(written.inserted - written.deleted == 14 - before.scalars)
            let after = try await text(id, at: node)
            #expect(after.text == second && after.version == written.version && after.isCurrent)
            let old = try await text(id, at: node, "?at=\(before.version.prefix(6))")
            #expect(Array(old.text.utf8) == Array(first.utf8) && !old.isCurrent)
            #expect(old.version == before.version)
            let nothing = try await text(id, at: node, "?at=0")
            #expect(nothing.text.isEmpty && nothing.version == "0" && !nothing.isCurrent)
        }
    }

    @Test("writing what stands there changes nothing, and says so")
    func unchanged() async throws {
        try await TestNode.run { node in
            try await node.found()
            let id = try await create("We agree.", at: node)
            let version = try await text(id, at: node).version
            let written = try await write("We agree.", id, at: node).document(TextWrittenDocument.self)
            #expect(!written.changed && !written.merged)
            #expect(written.version == version && written.inserted == 0 && written.deleted == 0)
            #expect(try await history(id, at: node).edits.count == 1)
        }
    }

    @Test("two who write over one version both stay in the text, and its history says who wrote what")
    func merging() async throws {
        let germany = try TestMember("DEU", name: "Germany")
        try await TestNode.run { madrid in
            let id = try await madrid.found()
            let space = try madrid.member.charter().charter.space
            _ = try await madrid.services.write(
                try madrid.member.admission(of: germany, to: space), in: id, author: "ana")
            let document = try await create("First paragraph.\n\nSecond paragraph.\n", at: madrid)
            let base = try await text(document, at: madrid).version
            try await TestNode.run(germany) { berlin in
                _ = try await berlin.services.join(try await madrid.services.invite(to: id))
                try await madrid.bring(space, to: berlin)
                let ours = try await write(
                    "First paragraph, longer.\n\nSecond paragraph.\n", document, base: base, at: madrid)
                let theirs = try await write(
                    "First paragraph.\n\nThe second paragraph.\n", document, base: base, at: berlin)
                #expect(ours.status == 200 && theirs.status == 200, "\(ours.text) \(theirs.text)")
                #expect(try ours.document(TextWrittenDocument.self).merged == false)
                try await berlin.bring(space, to: madrid)
                try await madrid.bring(space, to: berlin)
                let merged = "First paragraph, longer.\n\nThe second paragraph.\n"
                let (left, right) = (
                    try await text(document, at: madrid), try await text(document, at: berlin)
                )
                #expect(left == right)
                #expect(left.text == merged)
                #expect(left.version.split(separator: "+").count == 2)
                // Once more over the old version: it meets what both wrote.
                let late = try await write(
                    "First paragraph.\n\nSecond paragraph.\n\nThird.\n", document, base: base, at: madrid
                ).document(TextWrittenDocument.self)
                #expect(late.merged && late.before == left.version && late.base == base)
                #expect(try await text(document, at: madrid).text == merged + "\nThird.\n")
                let history = try await history(document, at: madrid)
                #expect(history.passages.map(\.text).joined() == merged + "\nThird.\n")
                #expect(Set(history.passages.map(\.by.member)) == ["ESP", "DEU"])
                #expect(
                    history.passages.first { $0.by.member == "DEU" }.map {
                        "The second".contains($0.text)
                    } == true)
                for (passage, next) in zip(history.passages, history.passages.dropFirst()) {
                    #expect(passage.position + passage.scalars == next.position)
                }
                #expect(history.edits.count == 4)
                // What stands before in time was seen by whoever wrote first, and by nobody after that.
                #expect(history.edits.map(\.isConcurrent) == [true, true, false, false])
                let then = try await self.history(document, at: madrid, "?at=\(base)")
                #expect(then.edits.count == 1 && then.version == base)
            }
        }
    }

    @Test("what cannot be written is refused with its code, and the text stays as it was")
    func refusals() async throws {
        try await TestNode.run { node in
            try await node.found()
            let id = try await create("We agree.", at: node)
            let contact = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#).id
            func code(_ method: String, _ target: String, _ json: String = "") async throws -> String? {
                try await node.client.send(method, "/v1/records/\(target)", json: json).errorCode
            }
            #expect(try await code("PUT", "\(id)/text", #"{"text":"x","base":"ffffffff"}"#) == "E-1020")
            #expect(try await code("GET", "\(id)/text?at=ffffffff") == "E-1020")
            #expect(try await code("GET", "\(id)/history?at=ffffffff") == "E-1020")
            #expect(try await node.client.send("GET", "/v1/records/\(id)/text?at=ffffffff").status == 404)
            #expect(try await code("PUT", "\(id)/text", #"{"base":"0"}"#) == "E-6006")
            #expect(try await code("PUT", "\(id)/text", #"{"text":1}"#) == "E-6006")
            #expect(try await code("PUT", "\(id)/text", #"{"text":"x","at":"0"}"#) == "E-6006")
            #expect(try await code("GET", "\(id)/text?version=0") == "E-6006")
            #expect(try await code("PUT", "\(id)/text", "{\"text\":\"a\u{FFFF}\"}") == "E-1003")
            #expect(try await code("PUT", "\(contact)/text", #"{"text":"x"}"#) == "E-1002")
            #expect(try await code("GET", "\(contact)/text") == "E-1002")
            #expect(try await code("GET", "ffffffff/text") == "E-1004")
            #expect(try await code("PATCH", id, #"{"set":{"body":"x"}}"#) == "E-1003")
            #expect(try await text(id, at: node).text == "We agree.")
            #expect(try await history(id, at: node).edits.count == 1)
            #expect(try await node.client.send("DELETE", "/v1/records/\(id)").status == 200)
            #expect(try await code("PUT", "\(id)/text", #"{"text":"x"}"#) == "E-1009")
            #expect(try await text(id, at: node).text == "We agree.")
        }
    }

    @Test("the empty text is a text, and it can be written")
    func empty() async throws {
        try await TestNode.run { node in
            try await node.found()
            let id = try await node.create(#"{"kind":"document","set":{"title":"Letter"}}"#).id
            #expect(try await text(id, at: node).version == "0")
            #expect(try await history(id, at: node).passages.isEmpty)
            #expect(try await write("", id, at: node).document(TextWrittenDocument.self).changed == false)
            #expect(try await write("x", id, at: node).document(TextWrittenDocument.self).changed)
            #expect(try await write("", id, at: node).document(TextWrittenDocument.self).deleted == 1)
            let now = try await text(id, at: node)
            #expect(now.text.isEmpty && now.version != "0" && now.isCurrent)
        }
    }

    @Test(
        "a long text goes through the local API in a body beyond the limit of others, escaped as JSON may escape it"
    )
    func large() async throws {
        try await TestNode.run { node in
            try await node.found()
            let id = try await create("Short.\n", at: node)
            let space = String(repeating: " ", count: LocalAPILimits.bodyBytes)
            let escapes = String(repeating: "\\ud83d\\udc4d\\n", count: 40_000)
            let response = try await node.client.send(
                "PUT", "/v1/records/\(id)/text", json: "\(space){\"text\":\"\(escapes)\"}")
            #expect(response.status == 200, "\(response.text)")
            let now = try await text(id, at: node)
            let expected = String(repeating: "👍\n", count: 40_000)
            #expect(now.scalars == 80_000)
            #expect(now.sha256 == SHA256.hash(Array(expected.utf8)).description)
        }
    }

    @Test("a text beyond the limit is refused, and the one that is there stays")
    func tooLong() async throws {
        try await TestNode.run { node in
            try await node.found()
            let id = try await create("Short.\n", at: node)
            let response = try await write(
                String(repeating: "x", count: Limits.textScalars + 1), id, at: node)
            #expect(response.status == 413)
            #expect(response.errorCode == "E-3002")
            #expect(try await text(id, at: node).text == "Short.\n")
        }
    }

    @Test(
        "lists and search results give the beginning of a long text and say so, the record itself all of it")
    func listed() async throws {
        try await TestNode.run { node in
            try await node.found()
            let body = String(repeating: "Alicante é.\n", count: 1000)
            let id = try await create(body, at: node)
            let short = try await create("Alicante", at: node)
            for target in ["/v1/records?kind=document", "/v1/search?q=Alicante"] {
                let response = try await node.client.send("GET", target)
                let records =
                    target.hasPrefix("/v1/search")
                    ? try response.document(SearchDocument.self).hits.map(\.record)
                    : try response.document(RecordsDocument.self).records
                let long = try #require(records.first { $0.id == id })
                #expect(long.shortened == ["body"], "\(target)")
                #expect(long.fields["body"] == .string(String(body.unicodeScalars.prefix(1000))))
                #expect(records.first { $0.id == short }?.shortened == nil)
                #expect(records.first { $0.id == short }?.fields["body"] == .string("Alicante"))
            }
            let whole = try await node.client.send("GET", "/v1/records/\(id)")
                .document(RecordDetailDocument.self).record
            #expect(whole.fields["body"] == .string(body))
            #expect(whole.shortened == nil)
        }
    }

    @Test("a document is imported and shared with its text")
    func importedAndShared() async throws {
        try await TestNode.run { node in
            try await node.found("Source")
            let target = try await node.found("Target")
            let body = String(repeating: "Paragraph of a long text.\n", count: 12_000)
            let line = try Self.json([
                "kind": .string("document"), "key": .string("k"),
                "fields": .object(["title": .string("Letter"), "body": .string(body)]),
            ])
            let response = try await node.client.send(
                "POST", "/v1/import?space=Source", Array(line.utf8))
            #expect(response.status == 200, "\(response.text)")
            let id = try #require(try response.document(ImportDocument.self).keys["k"])
            #expect(try await text(id, at: node).text == body)
            let shared = try await node.client.send(
                "POST", "/v1/records/\(id)/share", json: #"{"to":"Target"}"#)
            #expect(shared.status == 201, "\(shared.text)")
            let copy = try shared.document(ShareDocument.self).record
            #expect(copy.space == target)
            #expect(try await text(copy.id, at: node).text == body)
            #expect(try await history(copy.id, at: node).passages.allSatisfy { $0.by.member == "ESP" })
        }
    }
}
