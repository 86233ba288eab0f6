import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import ConcordNode

@Suite("The doctor")
struct DoctorTests {
    private func examine(_ node: TestNode, now: Int64 = testNow, free: Int64? = 1 << 40) async throws
        -> DoctorDocument
    {
        var status = try await node.peers.status()
        status.storage.freeBytes = free
        return try Doctor(
            identity: try node.home.identity(), store: node.store, now: now
        ).examine(status)
    }

    private func states(_ document: DoctorDocument, _ check: String) -> [DoctorDocument.State] {
        document.checks.filter { $0.check == check }.map(\.state)
    }

    @Test("a new node has nothing wrong, over the local API as well")
    func healthy() async throws {
        try await TestNode.run { node in
            try await node.found()
            _ = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#)
            let document = try await examine(node)
            #expect(document.checks.allSatisfy { $0.state == .good })
            #expect(document.refused.isEmpty)
            let response = try await node.client.send("GET", "/v1/doctor")
            #expect(response.status == 200)
            #expect(
                try response.document(DoctorDocument.self).checks.map(\.check) == document.checks.map(\.check)
            )
            #expect(try await node.client.send("GET", "/v1/doctor?x=1").errorCode == "E-6006")
        }
    }

    @Test("certificates are warned of thirty days before their end, and when they are not valid yet")
    func certificates() async throws {
        try await TestNode.run { node in
            let day: Int64 = 86_400_000
            let end = try node.home.identity().nodeCertificate.notAfter * 1000
            #expect(
                states(try await examine(node, now: end - 40 * day), "certificate") == [.good, .good, .good])
            #expect(
                states(try await examine(node, now: end - 20 * day), "certificate") == [
                    .person, .person, .good,
                ])
            let late = try await examine(node, now: end + day)
            #expect(late.checks.first { $0.check == "certificate" }?.message.contains("expired on") == true)
            #expect(
                states(try await examine(node, now: testNow - 400 * day), "certificate")
                    == [.person, .person, .person])
        }
    }

    @Test("a full disk, a clock that is behind, and an unknown amount of space are told")
    func diskAndClock() async throws {
        try await TestNode.run { node in
            try await node.found()
            _ = try await node.create(#"{"kind":"contact","set":{"name":"Ana"}}"#)
            #expect(states(try await examine(node, free: 500 << 20), "disk") == [.degraded])
            #expect(states(try await examine(node, free: 1 << 20), "disk") == [.person])
            #expect(states(try await examine(node, free: nil), "disk") == [.unknown])
            #expect(states(try await examine(node, now: testNow - 9 * 60_000), "clock") == [.good])
            let slow = try await examine(node, now: testNow - 11 * 60_000)
            #expect(states(slow, "clock") == [.degraded])
            #expect(slow.checks.first { $0.check == "clock" }?.message.contains("ESP, node madrid") == true)
        }
    }

    @Test("a suspended member is told of it, and whose signature an act waits for")
    func members() async throws {
        let (deu, nam) = (try TestMember("DEU"), try TestMember("NAM"))
        let esp = try TestMember("ESP", name: "Spain")
        try await TestNode.run(esp) { node in
            let charter = try esp.charter("Network", with: [deu, nam])
            let id = try await node.found(charter)
            let suspension = Suspension(
                space: charter.charter.space, subject: nam.id, keeps: VersionVector(), reason: "dues",
                timestamp: testNow)
            _ = try await node.carry(try deu.sign(suspension), to: id)
            let waiting = try await examine(node).checks.filter { $0.check == "members" }
            #expect(waiting.map(\.state) == [.good])
            #expect(waiting[0].message.contains("1 act waits for a signature that ESP may give"))
            _ = try await node.carry(try esp.sign(suspension), to: id)
            let others = try await examine(node).checks.filter { $0.check == "members" }
            #expect(others.map(\.state) == [.good])
            let own = Suspension(
                space: charter.charter.space, subject: esp.id, keeps: VersionVector(), reason: "dues",
                timestamp: testNow)
            #expect(try await node.send(try deu.sign(own), to: id).errorCode == "E-4014")
        }
    }

    @Test("peers that are refused need a person, unreachable ones are a degradation")
    func network() async throws {
        try await TestNode.run { node in
            var status = try await node.peers.status()
            status.peers = [
                samplePeer("DEU"), samplePeer("FIN", state: .unreachable), sampleUnmetPeer("NAM"),
                samplePeer("CHL", state: .refused, error: .init(code: "E-2041", message: "expired", at: "")),
            ]
            status.attention = [
                .init(
                    code: "E-3016", severity: .integrity, member: "DEU", message: "states differ", action: nil
                )
            ]
            let document = try Doctor(
                identity: try node.home.identity(), store: node.store, now: testNow
            )
            .examine(status)
            #expect(states(document, "network") == [.good, .degraded, .unknown, .person])
            #expect(states(document, "database") == [.integrity])
        }
    }

    @Test("files that others may touch are told, with the command that mends it")
    func modes() async throws {
        try await TestNode.run { node in
            #expect(HomeModes.check(node.home).map(\.state) == [.good])
            let key = "\(node.home.path)/identity/node.key"
            #expect(chmod(key, 0o640) == 0)
            #expect(chmod(node.home.path, 0o755) == 0)
            let found = HomeModes.check(node.home)
            #expect(found.map(\.state) == [.person, .person])
            #expect(found.map(\.action) == ["chmod 600 \(key)", "chmod 750 \(node.home.path)"])
            #expect(chmod(key, 0o600) == 0)
            #expect(chmod(node.home.path, 0o750) == 0)
            try "key".write(toFile: "\(node.home.path)/authority.key", atomically: false, encoding: .utf8)
            #expect(HomeModes.check(node.home).map(\.state) == [.person])
        }
    }
}
