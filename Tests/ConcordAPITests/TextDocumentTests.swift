// The documents about texts that merge, whether they come back from JSON, and where bytes cease to be UTF-8.

import ConcordAPI
import Foundation
import Testing

enum TextSamples {
    static let origin = TextHistoryDocument.Origin(
        dot: "d:1", member: "ESP", node: "madrid", author: "ana", at: "2026-11-22T06:00:00.000Z")

    static let text = TextDocument(
        id: "r", space: "s", field: "body", version: "0", text: "", scalars: 0, sha256: "e3", isCurrent: true)

    static let written = TextWrittenDocument(
        id: "r", space: "s", title: "t", field: "body", base: "0", before: "0", version: "1a2b3c4d5e6f",
        changed: true, merged: false, inserted: 3, deleted: 0, scalars: 3, sha256: "ff")

    static let history = TextHistoryDocument(
        id: "r", space: "s", field: "body", version: "1a2b3c4d5e6f",
        passages: [.init(position: 0, scalars: 3, text: "abc", by: origin)],
        edits: [
            .init(
                version: "1a2b3c4d5e6f", by: origin, inserted: 3, deleted: 0, isConcurrent: false,
                isInert: false,
                isErased: false)
        ])

    static let difference = TextDifferenceDocument(
        id: "r", from: "0", to: "1a2b3c4d5e6f", runs: [.init(position: 0, deleted: "", inserted: "abc")])
}

@Suite("JSON documents of texts")
struct TextDocumentTests {
    private func expectReturn<Document: Codable & Equatable>(
        _ document: Document, _ members: Set<String>
    ) throws {
        let data = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(Document.self, from: data) == document)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(object.keys) == members)
    }

    @Test("come back from JSON with the members that the description of the API names")
    func documents() throws {
        try expectReturn(
            TextSamples.text,
            ["id", "space", "field", "version", "text", "scalars", "sha256", "isCurrent"])
        try expectReturn(
            TextSamples.written,
            [
                "id", "space", "title", "field", "base", "before", "version", "changed", "merged", "inserted",
                "deleted", "scalars", "sha256",
            ])
        try expectReturn(TextSamples.history, ["id", "space", "field", "version", "passages", "edits"])
        try expectReturn(TextSamples.difference, ["id", "from", "to", "runs"])
    }

    @Test("a record of an older daemon has no texts")
    func olderDaemon() throws {
        let record = RecordDocument(
            id: "r", kind: "contact", space: "s", parent: nil, owner: "ESP", version: "v", title: "",
            shown: true, editedWhileDeleted: false, fields: [:], conflicts: [], createdAt: "c", updatedAt: "u"
        )
        let detail = RecordDetailDocument(
            record: record, children: [],
            texts: [.init(field: "body", version: "0", scalars: 0, sha256: "e3")])
        let data = try JSONEncoder().encode(detail)
        #expect(try JSONDecoder().decode(RecordDetailDocument.self, from: data) == detail)
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        object["texts"] = nil
        let old = try JSONSerialization.data(withJSONObject: object)
        #expect(try JSONDecoder().decode(RecordDetailDocument.self, from: old).texts.isEmpty)
    }

    @Test(
        "the first byte that is not UTF-8 is the first of the first ill-formed sequence",
        arguments: [
            ([], nil), (Array("aé水👍\u{0}".utf8), nil), ([0xFF], 0), ([0x61, 0x80], 1),
            // Cut short at the end, and before something else.
            ([0x61, 0xE6, 0xB0], 1), ([0xE6, 0xB0, 0x61], 0),
            // Overlong, a surrogate, beyond U+10FFFF.
            ([0x61, 0x61, 0xC0, 0xAF], 2), ([0xED, 0xA0, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
            (Array("né".utf8) + [0xE9], 3),
        ] as [([UInt8], Int?)])
    func firstFault(bytes: [UInt8], offset: Int?) { #expect(UTF8Check.firstFault(in: bytes) == offset) }
}
