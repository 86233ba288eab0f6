// Erasing through the local API: what goes, what stays, and what is refused.

import ConcordAPI
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("The local API: erasure")
struct ErasureServicesTests {
    @Test("an erased contact is an empty shell that is deleted; the log says who erased it and why")
    func contact() async throws {
        try await TestNode.run { node in
            try await node.found()
            let record = try await node.create(
                #"{"kind":"contact","set":{"name":"Quixtrandle","email":"q@example.org"},"add":{"areas":["law"]}}"#
            )
            let path = "/v1/records/\(record.id.prefix(13))"
            let answer = try await node.client.send("POST", "\(path)/erase", json: #"{"reason":"asked for"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(!answer.text.contains("Quixtrandle"))
            let erased = try answer.document(ErasureDocument.self)
            #expect(erased.isSwept && !erased.record.shown && erased.record.title == "")
            #expect(erased.record.fields.isEmpty)
            let log = try await node.client.send("GET", "/v1/log?record=\(record.id)")
            #expect(!log.text.contains("Quixtrandle"))
            let changes = try log.document(LogListDocument.self).changes
            let operations = changes.first { $0.dot == erased.change }?.operations ?? []
            #expect(operations.map(\.operation) == ["erase"] && operations[0].value == .string("asked for"))
            #expect(
                try await node.client.send("GET", "/v1/search?q=quixtrandle").document(SearchDocument.self)
                    .hits.isEmpty)
            let again = try await node.client.send("POST", "\(path)/erase", json: #"{"reason":"asked for"}"#)
            #expect(again.errorCode == "E-1008")
            let verified = try await node.client.send("POST", "/v1/verify").document(VerifyDocument.self)
            #expect(verified.problems.isEmpty)
        }
    }

    @Test("a shared record stays, without what was erased")
    func meeting() async throws {
        try await TestNode.run { node in
            try await node.found()
            let record = try await node.create(
                #"{"kind":"meeting","set":{"title":"Alicante","notes":"private"}}"#)
            let answer = try await node.client.send(
                "POST", "/v1/records/\(record.id)/erase", json: #"{"reason":"a mistake"}"#)
            let erased = try answer.document(ErasureDocument.self)
            #expect(erased.record.shown && erased.record.fields["notes"] == nil)
            let edited = try await node.client.send(
                "PATCH", "/v1/records/\(record.id)", json: #"{"set":{"title":"Alicante again"}}"#)
            #expect(try edited.document(RecordDocument.self).title == "Alicante again")
        }
    }

    @Test("a reason is needed, and the record must be there")
    func refusals() async throws {
        try await TestNode.run { node in
            try await node.found()
            let record = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#)
            for body in ["{}", #"{"reason":7}"#, #"{"reason":"x","more":1}"#] {
                let answer = try await node.client.send("POST", "/v1/records/\(record.id)/erase", json: body)
                #expect(answer.errorCode == "E-6006", "\(body)")
            }
            let unknown = try await node.client.send(
                "POST", "/v1/records/ffff/erase", json: #"{"reason":"x"}"#)
            #expect(unknown.errorCode == "E-1004")
            let long = String(repeating: "r", count: Limits.reasonBytes + 1)
            let answer = try await node.client.send(
                "POST", "/v1/records/\(record.id)/erase", json: #"{"reason":"\#(long)"}"#)
            #expect(answer.errorCode == "E-3002")
        }
    }
}
