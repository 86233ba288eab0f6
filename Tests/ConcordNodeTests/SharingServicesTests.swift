import ConcordAPI
import ConcordModel
import Testing

@testable import ConcordNode

@Suite("The local API: sharing between spaces")
struct SharingServicesTests {
    private func share(_ id: String, _ node: TestNode, to space: String = "Target") async throws
        -> SocketResponse
    {
        try await node.client.send("POST", "/v1/records/\(id)/share", json: #"{"to":"\#(space)"}"#)
    }

    @Test("a record is copied with what is below it and where it comes from, and nothing else of its space")
    func share() async throws {
        try await TestNode.run { node in
            let source = try await node.found("Source")
            let target = try await node.found("Target")
            let secret = try await node.create(
                #"{"kind":"contact","space":"Source","set":{"name":"Secret contact"}}"#)
            let other = try await node.create(
                #"{"kind":"document","space":"Source","set":{"title":"Secret document"}}"#)
            let meeting = try await node.create(
                """
                {"kind":"meeting","space":"Source","set":{"title":"Alicante","starts":"2017-05-24","speakers":12},
                 "add":{"organizers":["ESP","DEU"]}}
                """)
            _ = try await node.create(
                #"{"kind":"agenda_item","parent":"\#(meeting.id)","set":{"title":"Opening","order":1}}"#)
            _ = try await node.create(
                """
                {"kind":"participation","parent":"\(meeting.id)","set":{"contact":"\(secret.id)","name":"Ana"}}
                """)
            let response = try await share(meeting.id, node)
            #expect(response.status == 201, "\(response.text)")
            let shared = try response.document(ShareDocument.self)
            #expect(shared.record.space == target)
            #expect(shared.record.id != meeting.id)
            #expect(shared.children == 2)
            #expect(shared.leftOut == ["participation.contact"])
            let fields = shared.record.fields
            #expect(fields["title"] == .string("Alicante"))
            #expect(fields["speakers"] == .integer(12))
            #expect(fields["organizers"] == meeting.fields["organizers"])
            #expect(fields["source_space"] == .string(source))
            #expect(fields["source_record"] == .string(meeting.id))
            #expect(fields["source_version"] == .string(meeting.version))
            #expect(fields["shared_at"] == .string("2026-11-22T06:00:00Z"))
            guard case .string(let who)? = fields["shared_by"] else {
                Issue.record("nobody shared it")
                return
            }
            #expect(who.hasPrefix("ESP "))
            let detail = try await node.client.send("GET", "/v1/records/\(shared.record.id)")
                .document(RecordDetailDocument.self)
            #expect(Set(detail.children.map(\.title)) == ["Opening", "Ana"])
            #expect(detail.children.allSatisfy { $0.space == target })

            let everything = try await node.client.send("GET", "/v1/records?space=Target&deleted=1")
            #expect(try everything.document(RecordsDocument.self).records.count == 3)
            let log = try await node.client.send("GET", "/v1/log?space=Target")
            for text in [everything.text, log.text] {
                #expect(!text.contains("Secret"))
                #expect(!text.contains(secret.id))
                #expect(!text.contains(other.id))
            }
        }
    }

    @Test("references to other records stay behind, and a copy of a copy names its nearest source")
    func references() async throws {
        try await TestNode.run { node in
            let source = try await node.found("Source")
            let target = try await node.found("Target")
            try await node.found("Third")
            let meeting = try await node.create(
                #"{"kind":"meeting","space":"Source","set":{"title":"Secret"}}"#)
            let document = try await node.create(
                """
                {"kind":"document","space":"Source","set":{"title":"Letter","meeting":"\(meeting.id)"},
                 "add":{"annexes":["\(meeting.id)"]}}
                """)
            let first = try await share(document.id, node).document(ShareDocument.self)
            #expect(first.leftOut == ["document.annexes", "document.meeting"])
            #expect(first.record.fields["meeting"] == nil)
            let second = try await share(first.record.id, node, to: "Third")
            let fields = try second.document(ShareDocument.self).record.fields
            #expect(fields["source_space"] == .string(target))
            #expect(fields["source_record"] == .string(first.record.id))
            #expect(!second.text.contains(source))
        }
    }

    @Test(
        "what belongs to a member, stands below another record, is deleted or in that space already is not shared"
    )
    func refusals() async throws {
        try await TestNode.run { node in
            try await node.found("Source")
            try await node.found("Target")
            let contact = try await node.create(#"{"kind":"contact","space":"Source","set":{"name":"Ana"}}"#)
            #expect(try await share(contact.id, node).errorCode == "E-1017")
            let meeting = try await node.create(#"{"kind":"meeting","space":"Source","set":{"title":"M"}}"#)
            let item = try await node.create(
                #"{"kind":"agenda_item","parent":"\#(meeting.id)","set":{"title":"I"}}"#)
            #expect(try await share(item.id, node).errorCode == "E-1017")
            #expect(try await share(meeting.id, node, to: "Source").errorCode == "E-1017")
            #expect(try await share(meeting.id, node, to: "Nowhere").errorCode == "E-4001")
            #expect(try await share("ffffffff", node).errorCode == "E-1004")
            #expect(try await node.client.send("DELETE", "/v1/records/\(meeting.id)").status == 200)
            #expect(try await share(meeting.id, node).errorCode == "E-1009")
            let left = try await node.client.send("GET", "/v1/records?space=Target").document(
                RecordsDocument.self)
            #expect(left.records.isEmpty)
        }
    }
}
