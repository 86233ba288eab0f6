import ConcordAPI
import ConcordModel
import Foundation
import Glibc
import Testing

@testable import ConcordNode

@Suite("The local API: records")
struct RecordServicesTests {
    @Test("a record is created, shown, edited, deleted and restored")
    func life() async throws {
        try await TestNode.run { node in
            try await node.found()
            let record = try await node.create(
                #"{"kind":"contact","set":{"name":"Ana Ruiz","email":"ana@example.org"},"add":{"areas":["mediation","law"]}}"#
            )
            #expect(record.kind == "contact")
            #expect(record.owner == "ESP")
            #expect(record.title == "Ana Ruiz")
            #expect(record.fields["areas"] == .array([.string("law"), .string("mediation")]))
            let path = "/v1/records/\(record.id.prefix(13))"
            let shown = try await node.client.send("GET", path)
            #expect(try shown.document(RecordDetailDocument.self).record == record)
            #expect(try shown.document(RecordDetailDocument.self).children.isEmpty)
            let edited = try await node.client.send(
                "PATCH", path,
                json:
                    #"{"set":{"phone":"+34 91","email":""},"remove":{"areas":["law"]},"base":"\#(record.version)"}"#
            )
            #expect(edited.status == 200, "\(edited.text)")
            let after = try edited.document(RecordDocument.self)
            #expect(after.fields["phone"] == .string("+34 91"))
            #expect(after.fields["email"] == nil)
            #expect(after.fields["areas"] == .array([.string("mediation")]))
            #expect(after.version != record.version)
            let stale = try await node.client.send(
                "PATCH", path, json: #"{"set":{"phone":"1"},"base":"\#(record.version)"}"#)
            #expect(stale.status == 409)
            #expect(stale.errorCode == "E-1007")
            #expect(try await node.client.send("DELETE", path).document(RecordDocument.self).shown == false)
            #expect(
                try await node.client.send("PATCH", path, json: #"{"set":{"phone":"1"}}"#).errorCode
                    == "E-1009")
            #expect(
                try await node.client.send("GET", "/v1/records?kind=contact").json
                    == .object(["records": .array([])]))
            let deleted = try await node.client.send("GET", "/v1/records?kind=contact&deleted=1")
            #expect(try deleted.document(RecordsDocument.self).records.map(\.id) == [record.id])
            #expect(try await node.client.send("POST", "\(path)/restore").document(RecordDocument.self).shown)
        }
    }

    @Test("the author of a change is the user at the socket, whatever the request claims")
    func author() async throws {
        try await TestNode.run { node in
            try await node.found()
            let body = Array(#"{"kind":"contact","set":{"name":"Ana"}}"#.utf8)
            let created = try await node.client.send(
                "POST", "/v1/records", body, headers: ["X-Concord-Author: the-king"])
            #expect(created.status == 201)
            let record = try created.document(RecordDocument.self)
            let log = try await node.client.send("GET", "/v1/log?record=\(record.id)").document(
                LogListDocument.self)
            #expect(log.changes.count == 1)
            #expect(log.changes.first?.author == UserAccount.of(getuid())?.name)
            #expect(log.changes.first?.node == "madrid")
        }
    }

    @Test("children hang below their parent and are listed with it")
    func children() async throws {
        try await TestNode.run { node in
            try await node.found()
            let meeting = try await node.create(
                #"{"kind":"meeting","set":{"title":"Alicante","speakers":5}}"#)
            let item = try await node.create(
                #"{"kind":"agenda_item","parent":"\#(meeting.id)","set":{"title":"Ministerial segment"}}"#)
            #expect(item.parent == meeting.id)
            let detail = try await node.client.send("GET", "/v1/records/\(meeting.id)")
                .document(RecordDetailDocument.self)
            #expect(detail.children.map(\.id) == [item.id])
            #expect(detail.record.fields["speakers"] == .integer(5))
            let listed = try await node.client.send("GET", "/v1/records?parent=\(meeting.id)")
            #expect(try listed.document(RecordsDocument.self).records.map(\.id) == [item.id])
        }
    }

    @Test("lists are narrowed by kind, member and fields")
    func lists() async throws {
        try await TestNode.run { node in
            try await node.found()
            let ana = try await node.create(
                #"{"kind":"contact","set":{"name":"Ana","role":"focal point = yes"}}"#)
            _ = try await node.create(#"{"kind":"contact","set":{"name":"Ben","role":"adviser"}}"#)
            func ids(_ query: String) async throws -> [String] {
                let response = try await node.client.send("GET", "/v1/records?\(query)")
                #expect(response.status == 200, "\(response.text)")
                return try response.document(RecordsDocument.self).records.map(\.id)
            }
            #expect(try await ids("kind=contact").count == 2)
            #expect(try await ids("kind=contact&where=role=focal%20point%20=%20yes") == [ana.id])
            #expect(try await ids("kind=contact&where=name=Ana&where=role=adviser").isEmpty)
            #expect(try await ids("kind=contact&member=ESP").count == 2)
            #expect(try await ids("kind=meeting").isEmpty)
            #expect(try await node.client.send("GET", "/v1/records?kind=contcat").errorCode == "E-1013")
            #expect(
                try await node.client.send("GET", "/v1/records?kind=contact&where=nmae=x").errorCode
                    == "E-1002")
        }
    }

    @Test(
        "what the vocabulary refuses is refused with its own code, and nothing is written",
        arguments: [
            (#"{"kind":"contact","set":{"name":"A","shoe":"43"}}"#, 400, "E-1002"),
            (#"{"kind":"contact","set":{"name":"A","email":"nowhere"}}"#, 400, "E-1003"),
            (#"{"kind":"meeting","set":{"title":"A","starts":"24.5.2017"}}"#, 400, "E-1003"),
            (#"{"kind":"meeting","set":{"title":"A","speakers":"many"}}"#, 400, "E-1003"),
            (#"{"kind":"contact","set":{"email":"a@b.org"}}"#, 400, "E-1016"),
            (#"{"kind":"contcat","set":{"name":"A"}}"#, 400, "E-1013"),
            (
                #"{"kind":"agenda_item","parent":"00000000-0000-7000-8000-000000000000","set":{"title":"A"}}"#,
                404, "E-1004"
            ),
            (#"{"kind":"contact","set":{"name":["A"]}}"#, 400, "E-1003"),
            (#"{"kind":"contact","set":{"name":true}}"#, 400, "E-1003"),
            (#"{"set":{"name":"A"}}"#, 400, "E-6006"),
        ])
    func refusals(body: String, status: Int, code: String) async throws {
        try await TestNode.run { node in
            try await node.found()
            let response = try await node.client.send("POST", "/v1/records", json: body)
            #expect(response.status == status, "\(response.text)")
            #expect(response.errorCode == code)
            #expect(
                try await node.client.send("GET", "/v1/records?deleted=1").json
                    == .object(["records": .array([])]))
        }
    }

    @Test("ids that mean nothing or too much are refused")
    func identifiers() async throws {
        try await TestNode.run { node in
            try await node.found()
            #expect(try await node.client.send("GET", "/v1/records/0000").status == 404)
            #expect(try await node.client.send("GET", "/v1/records/0000").errorCode == "E-1004")
            let (a, b) = (
                try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#),
                try await node.create(#"{"kind":"contact","set":{"name":"Ben"}}"#)
            )
            let common = a.id.commonPrefix(with: b.id)
            let response = try await node.client.send("DELETE", "/v1/records/\(common)")
            #expect(response.status == 409)
            #expect(response.errorCode == "E-1005")
            #expect(
                try await node.client.send("PATCH", "/v1/records/\(a.id)", json: "{}").errorCode == "E-6006")
            let calm = try await node.client.send(
                "POST", "/v1/records/\(a.id)/resolve", json: #"{"field":"name","take":1}"#)
            #expect(calm.status == 409)
            #expect(calm.errorCode == "E-1012")
            let both = try await node.client.send(
                "POST", "/v1/records/\(a.id)/resolve", json: #"{"field":"name","take":1,"value":"x"}"#)
            #expect(both.errorCode == "E-6006")
        }
    }

    @Test("search finds what was just written and takes any text")
    func search() async throws {
        try await TestNode.run { node in
            try await node.found()
            let record = try await node.create(#"{"kind":"document","set":{"title":"National action plan"}}"#)
            let found = try await node.client.send("GET", "/v1/search?q=action%20plan&kind=document")
            #expect(try found.document(SearchDocument.self).hits.map(\.record.id) == [record.id])
            for text in ["%22", "AND", "a*%28", "%27%29--", "NEAR%28"] {
                #expect(try await node.client.send("GET", "/v1/search?q=\(text)").status == 200, "\(text)")
            }
            #expect(try await node.client.send("GET", "/v1/search").errorCode == "E-6006")
        }
    }
}
