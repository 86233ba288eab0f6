import ConcordModel
import ConcordStore
import Testing

@testable import ConcordNode

@Suite("Reading imports")
struct ImportPlanTests {
    private func rows(_ text: String, partBytes: Int = 7) throws -> [ImportRow] {
        var reader = ImportReader()
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: partBytes) {
            try reader.feed(bytes[start..<min(start + partBytes, bytes.count)])
        }
        return try reader.finish()
    }

    @Test("lines may arrive in parts of any size and end in any way", arguments: [1, 2, 3, 64, 4096])
    func parts(partBytes: Int) throws {
        let text =
            "{\"kind\":\"contact\",\"fields\":{\"name\":\"A\"}}\r\n\n  \n{\"kind\":\"meeting\",\"fields\":{}}"
        let rows = try rows(text, partBytes: partBytes)
        #expect(rows.map(\.line) == [1, 4])
        #expect(rows.map(\.kind) == ["contact", "meeting"])
    }

    @Test(
        "a line that is not a record is named",
        arguments: [
            "nonsense", "[]", "{}", #"{"kind":1}"#, #"{"kind":"contact","colour":"red"}"#,
            #"{"kind":"contact","key":1}"#,
            #"{"kind":"contact","fields":[]}"#, #"{"kind":"contact","fields":{"name":true}}"#,
            #"{"kind":"contact","fields":{"name":{"reference":"x"}}}"#,
            #"{"kind":"contact","fields":{"name":1.5}}"#,
            #"{"kind":"contact","kind":"contact"}"#,
        ])
    func malformed(line: String) async {
        let error = await expectError(.malformedImport) {
            try rows("{\"kind\":\"contact\",\"fields\":{\"name\":\"A\"}}\n\(line)\n")
        }
        #expect(error?.message.contains("line 2") == true, "\(error?.message ?? "")")
    }

    @Test("a line without end is refused before it is held")
    func endless() async {
        var reader = ImportReader()
        let part = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        await expectError(.malformedImport) { for _ in 0..<64 { try reader.feed(part) } }
    }

    @Test("records are written after those that they name, otherwise in the order of their lines")
    func waves() throws {
        let plan = try ImportPlan(
            try rows(
                """
                {"kind":"participation","key":"p","parent":"m","fields":{"contact":{"ref":"c"},"name":"Ana"}}
                {"kind":"contact","key":"c","fields":{"name":"Ana","areas":["a","b"]}}
                {"kind":"meeting","key":"m","fields":{"title":"Alicante","speakers":3}}
                {"kind":"agenda_item","parent":"m","fields":{"title":"Opening"}}
                {"kind":"contact","fields":{"name":"Ben"}}
                """))
        #expect(plan.waves == [[1, 2, 4], [0, 3]])
        let ids = ["m": RecordID(Bytes16(high: 1, low: 2)), "c": RecordID(Bytes16(high: 3, low: 4))]
        let contact = try plan.draft(1, ids: [:])
        #expect(
            contact == [
                .create(
                    kind: "contact",
                    fields: [
                        .add("areas", .text("a")), .add("areas", .text("b")), .set("name", .text("Ana")),
                    ])
            ])
        let participation = try plan.draft(0, ids: ids)
        let expected: RecordEdit = .create(
            kind: "participation", parent: .existing(RecordID(Bytes16(high: 1, low: 2))),
            fields: [
                .set("contact", .text(UTF8Text(RecordID(Bytes16(high: 3, low: 4)).description))),
                .set("name", .text("Ana")),
            ])
        #expect(participation == [expected])
    }

    @Test(
        "what the vocabulary refuses is refused before anything is written",
        arguments: [
            (#"{"kind":"contcat","fields":{"name":"A"}}"#, "no kind"),
            (#"{"kind":"contact","fields":{"nmae":"A","name":"A"}}"#, "nmae"),
            (#"{"kind":"contact","fields":{"email":"a@b.org"}}"#, "needs the field “name”"),
            (#"{"kind":"contact","fields":{"name":["A"]}}"#, "not a list"),
            (#"{"kind":"contact","fields":{"name":"A","areas":"x"}}"#, "takes a list"),
            (#"{"kind":"contact","fields":{"name":""}}"#, "needs the field “name”"),
            (#"{"kind":"contact","fields":{"name":"A","email":"nowhere"}}"#, "E-1003"),
            (#"{"kind":"contact","fields":{"name":"A","areas":["x",""]}}"#, "cannot be empty"),
            (#"{"kind":"contact","parent":"k","fields":{"name":"A"}}"#, "under no other record"),
            (#"{"kind":"meeting","fields":{"title":"A","starts":{"ref":"k"}}}"#, "E-1003"),
            (#"{"kind":"agenda_item","fields":{"title":"A"}}"#, "needs a parent"),
            (
                #"{"kind":"agenda_item","parent":"c","key":"c","fields":{"title":"A"}}"#,
                "stands under a meeting"
            ),
            (#"{"kind":"agenda_item","parent":"nowhere","fields":{"title":"A"}}"#, "nowhere"),
            (#"{"kind":"participation","parent":"k","fields":{"contact":{"ref":"nobody"}}}"#, "nobody"),
            (#"{"kind":"meeting","key":"k","fields":{"title":"A"}}"#, "line 1 too"),
        ])
    func vocabulary(line: String, mention: String) async throws {
        let rows = try rows("{\"kind\":\"meeting\",\"key\":\"k\",\"fields\":{\"title\":\"M\"}}\n\(line)")
        let error = await expectError(.malformedImport) { try ImportPlan(rows) }
        #expect(error?.message.contains(mention) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("line 2") == true)
    }

    @Test("records that name each other in a circle are refused")
    func circle() async throws {
        let rows = try rows(
            """
            {"kind":"document","key":"a","fields":{"title":"A","annexes":[{"ref":"b"}]}}
            {"kind":"document","key":"b","fields":{"title":"B","annexes":[{"ref":"a"}]}}
            """)
        let error = await expectError(.malformedImport) { try ImportPlan(rows) }
        #expect(error?.message.contains("line 1") == true)
    }
}
