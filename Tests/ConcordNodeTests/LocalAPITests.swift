import ConcordAPI
import ConcordModel
import Foundation
import Glibc
import Testing

@testable import ConcordNode

@Suite("The local API: node, peers and form")
struct LocalAPITests {
    @Test("the socket is for owner and group, and tells who the node is")
    func identity() async throws {
        try await TestNode.run { node in
            #expect(mode(of: node.home.socket) == "660")
            let response = try await node.client.send("GET", "/v1/identity")
            #expect(response.status == 200)
            let identity = try response.document(IdentityDocument.self)
            #expect(identity.member == "ESP")
            #expect(identity.memberName == "Spain")
            #expect(identity.node == "madrid")
            #expect(identity.authorityFingerprint == node.member.id.description)
            #expect(identity.addresses == ["esp.example.org:7443"])
            #expect(identity.authority.hasPrefix("-----BEGIN CERTIFICATE-----"))
            #expect(!response.text.contains("PRIVATE"))
        }
    }

    @Test("a socket that a dead daemon left behind is replaced")
    func staleSocket() async throws {
        let folder = TemporaryFolder()
        let home = NodeHome(path: folder.file("home"))
        try home.prepare()
        let path = home.socket
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(descriptor)
        #expect(FileManager.default.fileExists(atPath: path))
        try await TestNode.run(in: folder) { node in
            let response = try await node.client.send("GET", "/v1/status")
            #expect(response.status == 200)
        }
    }

    @Test("peers are listed, added, removed, paused and resumed")
    func peers() async throws {
        try await TestNode.run { node in
            let client = node.client
            #expect(
                try await client.send("POST", "/v1/peers", json: #"{"address":"[::1]:7443"}"#).status == 200)
            #expect(
                try await client.send("POST", "/v1/peers", json: #"{"address":"nowhere"}"#).errorCode
                    == "E-6009")
            #expect(
                try await client.send("POST", "/v1/peers/pause", json: #"{"member":"DEU"}"#).status == 200)
            #expect(try await client.send("POST", "/v1/peers/pause").status == 200)
            let unknown = try await client.send("POST", "/v1/peers/pause", json: #"{"member":"XXX"}"#)
            #expect(unknown.status == 404)
            #expect(unknown.errorCode == "E-4008")
            let listed = try await client.send("GET", "/v1/peers").document(PeersDocument.self)
            #expect(listed.addresses == ["[::1]:7443"])
            #expect(listed.paused == ["DEU"])
            #expect(listed.pausedAll)
            #expect(
                try await client.send("POST", "/v1/peers/resume", json: #"{"member":"DEU"}"#).status == 200)
            #expect(try await client.send("DELETE", "/v1/peers?address=%5B::1%5D:7443").status == 200)
            #expect(try await client.send("DELETE", "/v1/peers").errorCode == "E-6006")
            let after = try await client.send("GET", "/v1/peers").document(PeersDocument.self)
            #expect(after.addresses.isEmpty)
            #expect(after.paused.isEmpty)
        }
    }

    @Test(
        "what the API does not have is an error document with status 404",
        arguments: [
            ("GET", "/"), ("GET", "/v1"), ("GET", "/v1/nothing"), ("PUT", "/v1/status"),
            ("GET", "/v2/status"),
        ])
    func notFound(method: String, path: String) async throws {
        try await TestNode.run { node in
            let response = try await node.client.send(method, path)
            #expect(response.status == 404)
            #expect(response.errorCode == "E-6006")
        }
    }

    @Test("requests that cannot be read are refused with E-6006, and the daemon goes on")
    func malformed() async throws {
        try await TestNode.run { node in
            let client = node.client
            for body in ["{", "[]", "null", #"{"adress":"a:1"}"#, #"{"address":1}"#, "{}"] {
                let response = try await client.send("POST", "/v1/peers", json: body)
                #expect(response.status == 400, "\(body)")
                #expect(response.errorCode == "E-6006", "\(body)")
            }
            for target in [
                "/v1/records?knid=contact", "/v1/status?x=1", "/v1/log?limit=0", "/v1/records?where=x",
                "/v1/records?kind=%ff",
            ] {
                let response = try await client.send("GET", target)
                #expect(response.status == 400, "\(target)")
                #expect(response.errorCode == "E-6006", "\(target)")
            }
            for garbage in [
                "\0\0\0\0", "GET\r\n\r\n", "POST /v1/peers HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            ] {
                _ = try await client.exchange(Array(garbage.utf8), endsInput: true)
            }
            #expect(try await client.send("GET", "/v1/status").status == 200)
        }
    }

    @Test("a body beyond the limit is refused with E-3002")
    func tooLarge() async throws {
        try await TestNode.run { node in
            for (method, path, limit) in [
                ("POST", "/v1/peers", LocalAPILimits.bodyBytes),
                ("PATCH", "/v1/records/a", LocalAPILimits.bodyBytes),
                ("POST", "/v1/records", LocalAPILimits.textBodyBytes),
                ("PUT", "/v1/records/a/text", LocalAPILimits.textBodyBytes),
            ] {
                let body = [UInt8](repeating: UInt8(ascii: " "), count: limit + 1)
                let response = try await node.client.send(method, path, body)
                #expect(response.status == 413, "\(method) \(path)")
                #expect(response.errorCode == "E-3002", "\(method) \(path)")
            }
        }
    }

    @Test("a home whose socket would have too long a path is refused")
    func longPath() async throws {
        let folder = TemporaryFolder()
        let home = NodeHome(path: folder.file(String(repeating: "x", count: 100)))
        let lock = try home.lock()
        try await TestNode.run { node in
            let server = LocalAPIServer(
                lock: lock, services: node.services, peers: node.peers, logger: node.services.logger)
            await expectError(.unwritableHome) { try await server.run() }
        }
    }
}
