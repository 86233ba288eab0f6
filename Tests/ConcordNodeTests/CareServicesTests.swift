import ConcordAPI
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import ConcordNode

@Suite("The local API: import, verification and backups")
struct CareServicesTests {
    @Test("an import writes one change per record, follows references, and gives the ids of its keys")
    func importing() async throws {
        try await TestNode.run { node in
            let space = try await node.found()
            let lines = """
                {"kind":"participation","key":"p","parent":"m","fields":{"contact":{"ref":"c"},"name":"Ana"}}
                {"kind":"contact","key":"c","fields":{"name":"Ana","areas":["law"]}}
                {"kind":"meeting","key":"m","fields":{"title":"Alicante","starts":"2017-05-24"}}
                """
            let response = try await node.client.send("POST", "/v1/import?space=\(space)", Array(lines.utf8))
            #expect(response.status == 200, "\(response.text)")
            let document = try response.document(ImportDocument.self)
            #expect(document.records == 3)
            #expect(document.changes == 3)
            let (meeting, contact) = (try #require(document.keys["m"]), try #require(document.keys["c"]))
            let detail = try await node.client.send("GET", "/v1/records/\(meeting)").document(
                RecordDetailDocument.self)
            #expect(detail.children.map(\.id) == [document.keys["p"]])
            #expect(detail.children[0].fields["contact"] == .string(contact))
        }
    }

    @Test("thousands of contacts are imported in one request")
    func bulk() async throws {
        try await TestNode.run { node in
            let space = try await node.found()
            var lines = ""
            for number in 0..<2000 {
                lines +=
                    #"{"kind":"contact","fields":{"name":"Contact \#(number)","email":"c\#(number)@example.org"}}"#
                    + "\n"
            }
            let response = try await node.client.send("POST", "/v1/import", Array(lines.utf8))
            #expect(response.status == 200, "\(response.text.prefix(200))")
            #expect(try response.document(ImportDocument.self).records == 2000)
            let digest = try await node.client.send("GET", "/v1/spaces/\(space)/digest").document(
                DigestDocument.self)
            #expect(digest.changes == 2001)
        }
    }

    @Test("an import with a bad line names it and writes nothing")
    func badLine() async throws {
        try await TestNode.run { node in
            try await node.found()
            let good = #"{"kind":"contact","fields":{"name":"Ana"}}"#
            for bad in [
                "nonsense", #"{"kind":"contact","fields":{}}"#,
                #"{"kind":"contcat","fields":{"name":"B"}}"#,
                #"{"kind":"meeting","fields":{"title":"M","starts":"2017-13-45"}}"#,
                #"{"kind":"agenda_item","parent":"0190a0b0-0000-7000-8000-000000000000","fields":{"title":"A"}}"#,
            ] {
                let response = try await node.client.send(
                    "POST", "/v1/import", Array("\(good)\n\(bad)\n".utf8))
                #expect(response.status == 400)
                #expect(response.errorCode == "E-1011")
                #expect(response.text.contains("line 2"), "\(response.text)")
                #expect(
                    try await node.client.send("GET", "/v1/records").json == .object(["records": .array([])]))
            }
        }
    }

    @Test("an import with a malformed date in line 2 is refused with E-1011, and not a change is written")
    func badValue() async throws {
        try await TestNode.run { node in
            let space = try await node.found()
            _ = try await node.create(#"{"kind":"contact","set":{"name":"Here before"}}"#)
            func changes() async throws -> Int64 {
                try await node.client.send("GET", "/v1/spaces/\(space)/digest").document(DigestDocument.self)
                    .changes
            }
            let before = try await changes()
            let lines = """
                {"kind":"contact","fields":{"name":"Ana"}}
                {"kind":"document","fields":{"title":"D","date":"24 May 2017"}}
                {"kind":"contact","fields":{"name":"Ben"}}
                """
            let response = try await node.client.send("POST", "/v1/import", Array(lines.utf8))
            #expect(response.status == 400)
            let error = try response.document(ErrorDocument.self).error
            #expect(error.code == "E-1011")
            #expect(error.message.hasPrefix("line 2: date: "), "\(error.message)")
            #expect(error.message.hasSuffix("(E-1003); nothing was imported"), "\(error.message)")
            #expect(try await changes() == before)
        }
    }

    @Test("the log verifies, and a backup is made, read back and never overwritten")
    func backup() async throws {
        try await TestNode.run { node in
            try await node.found()
            _ = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#)
            let report = try await node.client.send("POST", "/v1/verify")
            #expect(report.status == 200, "\(report.text)")
            #expect(try report.document(VerifyDocument.self).isClean)
            let path = node.folder.file("backup.db")
            let made = try await node.client.send("POST", "/v1/backup", json: #"{"path":"\#(path)"}"#)
            #expect(made.status == 200, "\(made.text)")
            let document = try made.document(BackupDocument.self)
            #expect(document.verified)
            #expect(document.bytes > 0)
            #expect(FileManager.default.fileExists(atPath: path))
            let again = try await node.client.send("POST", "/v1/backup", json: #"{"path":"\#(path)"}"#)
            #expect(again.status == 409)
            #expect(again.errorCode == "E-1014")
            let relative = try await node.client.send("POST", "/v1/backup", json: #"{"path":"backup.db"}"#)
            #expect(relative.errorCode == "E-6006")
            #expect(try node.store.backupRecord()?.path == path)
        }
    }
}
