// Two nodes in one process, with real replicas, TLS and ports; and peers that do not behave.

import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Glibc
import Testing

@testable import ConcordNode

@Suite("Peers")
struct PeerManagerTests {
    @Test("two nodes that dial each other at once keep one and the same connection, and exchange over it")
    func crossing() async throws {
        let (madrid, berlin, space) = try await pair()
        await madrid.start()
        await berlin.start()
        async let one: Void = madrid.manager.addAddress(berlin.address)
        async let other: Void = berlin.manager.addAddress(madrid.address)
        _ = try await (one, other)
        _ = try await madrid.store.write(
            [.create(kind: "contact", fields: [.set("name", .text("Ana"))])], in: space,
            by: try madrid.home.signer(), author: "test", now: testNow)
        try await eventually("Berlin has what Madrid wrote") {
            try berlin.store.held(space).vector == madrid.store.held(space).vector
        }
        try await eventually("both use the connection that one of them dialled") {
            let here = await madrid.manager.links.values.map(\.isInitiator)
            let there = await berlin.manager.links.values.map(\.isInitiator)
            return here.count == 1 && there.count == 1 && here != there
        }
        try await madrid.stop()
        try await berlin.stop()
    }

    @Test(
        "a node that stops says goodbye to the peers that it dialled, which is no error of theirs or its own")
    func goodbye() async throws {
        let (madrid, berlin, _) = try await pair()
        await madrid.start()
        await berlin.start()
        try await madrid.manager.addAddress(berlin.address)
        try await eventually("they meet") {
            let (here, there) = (await hello(madrid, of: berlin), await hello(berlin, of: madrid))
            return here && there
        }
        try await madrid.stop()
        try await eventually("Berlin notices") { await berlin.manager.links.isEmpty }
        let (here, there) = (
            await madrid.manager.acquaintances[berlin.identity.nodeID],
            await berlin.manager.acquaintances[madrid.identity.nodeID]
        )
        #expect(here?.known.lastError == nil)
        #expect(there?.known.lastError == nil)
        #expect(there?.pausedUs == false)
        try await berlin.stop()
    }

    @Test("stopping does not wait for an address that takes connections and says nothing, nor for a wait")
    func stopWhileDialling() async throws {
        let (madrid, _, _) = try await pair()
        await madrid.start()
        let mute = try MutePort()
        try await madrid.manager.addAddress(NodeAddress(host: "127.0.0.1", port: mute.port))
        try await eventually("the address is dialled") {
            await madrid.manager.roads.values.contains { $0.task != nil }
        }
        let duration = try await madrid.stop()
        #expect(duration < .seconds(5))
    }

    @Test("a peer that lets a node in only to send it away is met ever more seldom")
    func sentAway() async throws {
        let (madrid, berlin, space) = try await pair()
        await madrid.start()
        await berlin.manager.refreshTrust()
        let serving = Task {
            for await connection in berlin.listener.connections {
                try? await connection.send(try berlin.hello(addresses: [], space: space))
                try? await connection.send(
                    Message.error(code: "E-9999", faultClass: .refuse, sentence: "no\u{1B}[2J").encoded())
                await connection.close()
            }
        }
        try await madrid.manager.addAddress(berlin.address)
        try await eventually("the waits grow") {
            await (madrid.manager.roads[berlin.address]?.backoff.failures ?? 0) > 2
        }
        let error = await madrid.manager.acquaintances[berlin.identity.nodeID]?.health.lastError
        #expect(error?.code == "E-3015")
        #expect(error?.message == "the peer says: no [2J (E-9999)")
        try await madrid.stop()
        await berlin.listener.close()
        await serving.value
    }

    @Test("of the addresses that a peer names only true ones are kept, and none is dialled without need")
    func namedAddresses() async throws {
        let (madrid, berlin, space) = try await pair()
        await madrid.start()
        await berlin.manager.refreshTrust()
        let connection = try await berlin.dial(madrid)
        let good = (1...9).map { "127.0.0.1:\($0)" }
        try await connection.send(
            try berlin.hello(addresses: good + ["\u{1B}[2J", "a\nb:1", "no port", "x:0"], space: space))
        try await eventually("Madrid knows where Berlin says it is") {
            await madrid.manager.acquaintances[berlin.identity.nodeID]?.known.addresses == good
        }
        try await eventually("Madrid would dial them") {
            await madrid.manager.roads.keys.map(\.description).sorted() == good
        }
        #expect(await madrid.manager.roads.values.allSatisfy { $0.task == nil }, "they are connected")
        await connection.close()
        try await madrid.stop()
    }

    @Test("a misdeed is counted under its own code although the peer breaks off right after it")
    func misdeed() async throws {
        let (madrid, berlin, _) = try await pair()
        await madrid.start()
        await berlin.manager.refreshTrust()
        let connection = try await berlin.dial(madrid)
        try await connection.send([0x81, 0x18])
        _ = try? await connection.frames().reduce(0) { count, _ in count + 1 }
        try await eventually("Madrid counts it") {
            try await madrid.manager.status().refusals.map(\.code) == ["E-3005"]
        }
        #expect(try await madrid.manager.status().refusals.map(\.count) == [1])
        try await madrid.stop()
    }

    @Test("a pause ends the session and reaches the other side as such; resuming one of all brings it back")
    func pausing() async throws {
        let (madrid, berlin, _) = try await pair()
        await madrid.start()
        await berlin.start()
        try await madrid.manager.addAddress(berlin.address)
        try await eventually("they meet") { await hello(berlin, of: madrid) }
        try await madrid.manager.pause(member: nil)
        try await eventually("Berlin knows of the pause") {
            let line = try await berlin.manager.status().attention.first { $0.code == "E-3011" }
            return line?.message == "ESP, esp-1: has paused exchange with us"
                && line?.action == "concord explain E-3011"
        }
        #expect(await madrid.manager.links.isEmpty)
        try await madrid.manager.resume(member: "DEU")
        try await eventually("they meet again") {
            let (here, there) = (await hello(madrid, of: berlin), await hello(berlin, of: madrid))
            return here && there
        }
        #expect(try await madrid.manager.peers().paused == ["ESP"])
        try await madrid.stop()
        try await berlin.stop()
    }

    private func pair() async throws -> (madrid: PeerNode, berlin: PeerNode, space: SpaceID) {
        let (spain, germany) = (try TestMember("ESP"), try TestMember("DEU"))
        let charter = try spain.charter(with: [germany])
        let madrid = try await PeerNode(spain, charter)
        let berlin = try await PeerNode(germany, charter)
        return (madrid, berlin, charter.charter.space)
    }

    private func hello(_ node: PeerNode, of other: PeerNode) async -> Bool {
        await node.manager.links[other.identity.nodeID]?.hello != nil
    }
}

/// A port at which the operating system takes connections and nobody says a word.
private final class MutePort: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(isListening)
    }

    deinit { close(descriptor) }
}
