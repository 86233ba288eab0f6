// The client of the local API against a daemon that answers as it is told: what is sent, what is read, and
// what a person is told when there is no answer.

import ConcordAPI
import ConcordClient
import ConcordModel
import Foundation
import NIOPosix
import Testing

@Suite("The client of the local API")
struct ClientConnectionTests {
    private func error(
        _ reply: ScriptedDaemon.Reply, timeout: Duration = .seconds(30)
    ) async throws -> ConcordError? {
        try await ScriptedDaemon.run(reply) { daemon in
            await #expect(throws: ConcordError.self) {
                try await DaemonClient(socket: daemon.path, timeout: timeout).spaces()
            }
        }
    }

    @Test("a request carries its path, query and body, percent-encoded where needed")
    func requests() async throws {
        let body = #"{"records":[]}"#
        let received = try await ScriptedDaemon.run(.text(sampleResponse("200 OK", body))) { daemon in
            let filter = RecordFilter(
                kind: "contact", member: "ESP", conditions: ["role=focal point & more", "city=Zürich"],
                includesDeleted: true)
            let answer = try await DaemonClient(socket: daemon.path).records(filter)
            #expect(answer.document.records.isEmpty)
            return daemon.received
        }
        #expect(
            received.hasPrefix(
                "GET /v1/records?kind=contact&member=ESP&deleted=1&where=role%3Dfocal%20point%20%26%20more"
                    + "&where=city%3DZ%C3%BCrich HTTP/1.1\r\n"))
        #expect(received.lowercased().contains("connection: close"))
    }

    @Test("a change of a record is sent as set, add and remove")
    func updates() async throws {
        let encoded = try JSONEncoder().encode(sampleContact())
        let reply = sampleResponse("200 OK", String(decoding: encoded, as: UTF8.self))
        let received = try await ScriptedDaemon.run(.text(reply)) { daemon in
            let fields = try FieldAssignments(
                parsing: ["phone=", "areas+=mediation", "areas-=x"], kind: "contact")
            let answer = try await DaemonClient(socket: daemon.path).update("019a/b", fields, base: "0123")
            #expect(answer.document.title == "Ana")
            return daemon.received
        }
        #expect(received.hasPrefix("PATCH /v1/records/019a%2Fb HTTP/1.1\r\n"))
        let body = try #require(received.components(separatedBy: "\r\n\r\n").last)
        let sent = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))
        #expect(
            sent
                == .object([
                    "set": .object(["phone": .string("")]),
                    "add": .object(["areas": .array([.string("mediation")])]),
                    "remove": .object(["areas": .array([.string("x")])]), "base": .string("0123"),
                ]))
    }

    @Test("an answer keeps the bytes that came, with fields that the client does not know")
    func rawAnswer() async throws {
        let body = #"{"spaces":[],"news":{"a":1.5}}"#
        try await ScriptedDaemon.run(.text(sampleResponse("200 OK", body))) { daemon in
            let answer = try await DaemonClient(socket: daemon.path).spaces()
            #expect(String(decoding: answer.json, as: UTF8.self) == body)
        }
    }

    @Test("a chunked answer is put together")
    func chunked() async throws {
        let reply =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"spaces\r\n5\r\n\":[]}\r\n0\r\n\r\n"
        try await ScriptedDaemon.run(.text(reply)) { daemon in
            let answer = try await DaemonClient(socket: daemon.path).spaces()
            #expect(answer.document.spaces.isEmpty)
        }
    }

    @Test("an error document becomes an error with its code, sentence and next step")
    func errors() async throws {
        let body = #"{"error":{"code":"E-1006","message":"the date is in conflict","action":"resolve it"}}"#
        let error = try await error(.text(sampleResponse("409 Conflict", body)))
        #expect(error == ConcordError(.fieldInConflict, "the date is in conflict", action: "resolve it"))
    }

    @Test("a code that this version does not know is not lost")
    func unknownCode() async throws {
        let body = #"{"error":{"code":"E-9876","message":"something new"}}"#
        let error = try await error(.text(sampleResponse("409 Conflict", body)))
        #expect(error?.message.contains("E-9876") == true)
        #expect(error?.message.contains("something new") == true)
    }

    @Test(
        "what is no answer is reported as such",
        arguments: [
            (ScriptedDaemon.Reply.text(sampleResponse("200 OK", "not JSON")), ErrorCode.internalError),
            (.text(sampleResponse("500 Oops", "not JSON")), .internalError),
            (.text(sampleResponse("404 Not Found", "")), .malformedRequest),
            (.text("this is not HTTP at all\r\n\r\n"), .daemonUnreachable),
            (.textThenClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), .daemonUnreachable),
            (.textThenClose(""), .daemonUnreachable),
        ])
    func noAnswer(reply: ScriptedDaemon.Reply, code: ErrorCode) async throws {
        #expect(try await error(reply)?.code == code)
    }

    @Test("a daemon that never answers is given up in time", .timeLimit(.minutes(2)))
    func silence() async throws {
        let start = ContinuousClock.now
        let error = try await error(.silence, timeout: .milliseconds(200))
        #expect(error?.code == .daemonUnreachable)
        #expect(error?.message.contains("in time") == true)
        // Without the time given here, the client would wait for thirty seconds.
        #expect(ContinuousClock.now - start < .seconds(29))
    }

    @Test("an answer beyond the limit is refused, not kept in memory")
    func tooLarge() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n"
        let error = try await error(.endless(head: head, block: 1 << 20))
        #expect(error?.code == .limitExceeded)
    }

    @Test("no socket, and a socket on which nobody listens, are daemons that cannot be reached")
    func unreachable() async throws {
        let path = ScriptedDaemon.temporaryPath()
        let missing = await #expect(throws: ConcordError.self) {
            try await DaemonClient(socket: path).status()
        }
        #expect(missing?.code == .daemonUnreachable)
        #expect(missing?.message.contains(path) == true)

        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            close(descriptor)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        let stale = await #expect(throws: ConcordError.self) { try await DaemonClient(socket: path).status() }
        #expect(stale?.code == .daemonUnreachable)

        let long = await #expect(throws: ConcordError.self) {
            try await DaemonClient(socket: "/tmp/" + String(repeating: "x", count: 200)).status()
        }
        #expect(long?.code == .daemonUnreachable)
    }

    @Test("a record is read with those below it")
    func children() throws {
        let document = RecordDetailDocument(record: sampleContact(), children: [sampleContact(name: "Ben")])
        let encoded = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(RecordDetailDocument.self, from: encoded) == document)
    }
}
