import ConcordAPI
import ConcordModel
import ConcordStore
import Testing

@testable import ConcordNode

@Suite("The local API: conflicts")
struct ConflictServicesTests {
    @Test("two capitals write one field; both values are shown with their authors, and one is chosen")
    func conflict() async throws {
        let germany = try TestMember("DEU", name: "Germany")
        try await TestNode.run { madrid in
            let id = try await madrid.found()
            let space = try madrid.member.charter().charter.space
            _ = try await madrid.services.write(
                try madrid.member.admission(of: germany, to: space), in: id, author: "ana")
            let meeting = try await madrid.create(
                #"{"kind":"meeting","set":{"title":"Founding meeting","city":"New York"}}"#)
            let path = "/v1/records/\(meeting.id)"
            try await TestNode.run(germany) { berlin in
                _ = try await berlin.services.join(try await madrid.services.invite(to: id))
                try await madrid.bring(space, to: berlin)
                let ours = try await madrid.client.send(
                    "PATCH", path, json: #"{"set":{"starts":"2016-09-20"}}"#)
                let theirs = try await berlin.client.send(
                    "PATCH", path, json: #"{"set":{"starts":"2016-09-23"}}"#)
                #expect(ours.status == 200 && theirs.status == 200, "\(ours.text) \(theirs.text)")
                try await madrid.bring(space, to: berlin)
                try await berlin.bring(space, to: madrid)
                try await settle(at: madrid, path: path)
                try await madrid.bring(space, to: berlin)
                let digests = try await [madrid, berlin].asyncMap { node in
                    try await node.client.send("GET", "/v1/spaces/\(id)/digest").document(DigestDocument.self)
                }
                #expect(digests[0] == digests[1])
            }
        }
    }

    private func settle(at node: TestNode, path: String) async throws {
        let listed = try await node.client.send("GET", "/v1/conflicts").document(RecordsDocument.self)
        let conflict = try #require(listed.records.first?.conflicts.first)
        #expect(conflict.field == "starts")
        #expect(Set(conflict.values.map(\.member)) == ["DEU", "ESP"])
        #expect(Set(conflict.values.map(\.value)) == [.string("2016-09-20"), .string("2016-09-23")])
        try await node.found("Other")
        let shared = try await node.client.send("POST", "\(path)/share", json: #"{"to":"Other"}"#)
        #expect(shared.errorCode == "E-1006")
        let refused = try await node.client.send("PATCH", path, json: #"{"set":{"starts":"2016-09-21"}}"#)
        #expect(refused.status == 409)
        #expect(refused.errorCode == "E-1006")
        let absent = try await node.client.send(
            "POST", "\(path)/resolve", json: #"{"field":"starts","take":3}"#)
        #expect(absent.errorCode == "E-1012")
        let settled = try await node.client.send(
            "POST", "\(path)/resolve", json: #"{"field":"starts","take":2}"#)
        let record = try settled.document(RecordDocument.self)
        #expect(record.conflicts.isEmpty)
        #expect(record.fields["starts"] == conflict.values[1].value)
        #expect(try await node.client.send("GET", "/v1/conflicts").json == .object(["records": .array([])]))
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows
        -> [Result]
    {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
