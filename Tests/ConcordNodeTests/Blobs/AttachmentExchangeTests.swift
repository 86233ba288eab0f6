// Attachments between nodes in one process, with real replicas, files, TLS and ports: to everybody, on demand, from
// several at once, cut off in the middle, and from a node whose disk has gone bad.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation
import Testing

@testable import ConcordNode

extension PeerNode {
    /// Attaches bytes to a new document, as the local API does.
    fileprivate func attach(_ bytes: [UInt8], in space: SpaceID) async throws -> BlobID {
        let file = try attachments.blobs.beginImport(expectedSize: Int64(bytes.count))
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + (1 << 20), bytes.count)
            try await file.append(Array(bytes[offset..<end]))
            offset = end
        }
        let imported = try await attachments.adopt(file)
        let hash = imported.id.description
        _ = try await store.write(
            [
                .create(kind: "document", fields: [.set("title", .text("Report"))]),
                .create(
                    kind: Vocabulary.attachment, parent: .edit(0),
                    fields: [
                        .set("name", .text("report.pdf")), .set("size", .integer(imported.size)),
                        .set("blob", .text(UTF8Text(hash))),
                    ]),
            ], in: space, by: try home.signer(), author: "test", now: testNow)
        await attachments.unpin(imported.id)
        await attachments.announce(imported.id)
        return imported.id
    }

    fileprivate func holds(_ blob: BlobID) -> Bool { attachments.blobs.holds(blob) }

    fileprivate func content(_ blob: BlobID) throws -> [UInt8] {
        let name = blob.description
        return [UInt8](
            try Data(contentsOf: URL(filePath: "\(home.blobs)/\(name.prefix(2))/\(name.dropFirst(2))")))
    }

    fileprivate func path(of blob: BlobID) -> String {
        "\(home.blobs)/\(blob.description.prefix(2))/\(blob.description.dropFirst(2))"
    }

    /// Bytes that came over all connections, those that have ended included.
    fileprivate func receivedBytes(from other: PeerNode) async -> Int64 {
        let ended = await manager.acquaintances[other.identity.nodeID]?.bytesReceived ?? 0
        return ended
            + Int64(await manager.links[other.identity.nodeID]?.driver.connection.bytesReceived ?? 0)
    }
}

private func someBytes(_ count: Int) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}

@Suite("Attachments between nodes")
struct AttachmentExchangeTests {
    private let onDemand = BlobPolicy(mode: .onDemand, eagerLimit: 0)

    private func nodes(
        _ codes: [String], policies: [String: BlobPolicy] = [:]
    ) async throws -> (nodes: [PeerNode], space: SpaceID) {
        let members = try codes.map { try TestMember($0) }
        let charter = try members[0].charter(with: Array(members.dropFirst()))
        var nodes: [PeerNode] = []
        for member in members {
            let node = try await PeerNode(member, charter, policy: policies[member.code] ?? BlobPolicy())
            await node.start()
            nodes.append(node)
        }
        return (nodes, charter.charter.space)
    }

    private func stop(_ nodes: [PeerNode]) async throws {
        for node in nodes { try await node.stop() }
    }

    @Test("a file goes to everybody who keeps files, through a node in between too")
    func eager() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU", "NAM"])
        try await nodes[1].manager.addAddress(nodes[0].address)
        try await nodes[2].manager.addAddress(nodes[1].address)
        let bytes = someBytes(900_000)
        let blob = try await nodes[0].attach(bytes, in: space)
        let empty = try await nodes[0].attach([], in: space)
        try await eventually("Windhoek has the files") { nodes[2].holds(blob) && nodes[2].holds(empty) }
        #expect(try nodes[2].content(blob) == bytes)
        try await eventually("nothing is missing") { await nodes[2].attachments.missing.isEmpty }
        try await stop(nodes)
    }

    @Test("a node that keeps none fetches a file when somebody asks for it")
    func onDemandFetching() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU"], policies: ["DEU": onDemand])
        try await nodes[1].manager.addAddress(nodes[0].address)
        let blob = try await nodes[0].attach(someBytes(300_000), in: space)
        try await eventually("Berlin knows of the file") { await nodes[1].attachments.missingCount() == 1 }
        #expect(await nodes[1].attachments.missing.isEmpty)
        #expect(!nodes[1].holds(blob))
        await nodes[1].attachments.request(blob)
        try await eventually("Berlin has the file") { nodes[1].holds(blob) }
        try await stop(nodes)
    }

    @Test("a file comes from several nodes at once")
    func several() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU", "NAM"], policies: ["NAM": onDemand])
        try await nodes[1].manager.addAddress(nodes[0].address)
        let bytes = someBytes(24 << 20)
        let blob = try await nodes[0].attach(bytes, in: space)
        try await eventually("Berlin has the file") { nodes[1].holds(blob) }
        for node in nodes[0...1] { try await nodes[2].manager.addAddress(node.address) }
        try await eventually("Windhoek knows of the file and both nodes") {
            let missing = await nodes[2].attachments.missingCount()
            let links = await nodes[2].manager.links.values.filter { $0.hello != nil }.count
            return missing == 1 && links == 2
        }
        await nodes[2].attachments.request(blob)
        try await eventually("Windhoek has the file") { nodes[2].holds(blob) }
        #expect(try nodes[2].content(blob) == bytes)
        for node in nodes[0...1] {
            let share = await nodes[2].receivedBytes(from: node)
            #expect(share > 2 << 20, "\(share) bytes came from \(node.member.code)")
        }
        try await stop(nodes)
    }

    @Test("when a connection breaks in the middle, what has come is not fetched again")
    func interruption() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU"])
        let bytes = someBytes(48 << 20)
        let blob = try await nodes[0].attach(bytes, in: space)
        try await nodes[1].manager.addAddress(nodes[0].address)
        var cuts = 0
        try await eventually("Berlin has the file") {
            let come = await nodes[1].attachments.state(of: blob).receivedBytes
            if cuts < 2, come > Int64(cuts + 1) * 12 << 20, !nodes[1].holds(blob) {
                cuts += 1
                try await nodes[1].manager.pause(member: nil)
                try await eventually("the session has ended") { await nodes[1].manager.links.isEmpty }
                try await nodes[1].manager.resume(member: nil)
            }
            return nodes[1].holds(blob)
        }
        #expect(cuts > 0)
        #expect(try nodes[1].content(blob) == bytes)
        let received = await nodes[1].receivedBytes(from: nodes[0])
        // At each cut a window may be on its way.
        #expect(received < bytes.count + (cuts + 1) * (5 << 20), "\(received) bytes for \(bytes.count)")
        try await stop(nodes)
    }

    @Test("a node whose disk has gone bad gives wrong bytes to nobody for long, and mends itself")
    func damage() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU", "NAM"], policies: ["NAM": onDemand])
        try await nodes[1].manager.addAddress(nodes[0].address)
        let bytes = someBytes(700_000)
        let blob = try await nodes[0].attach(bytes, in: space)
        try await eventually("Berlin has the file") { nodes[1].holds(blob) }
        var wrong = bytes
        wrong[600_000] ^= 1
        try Data(wrong).write(to: URL(filePath: nodes[1].path(of: blob)))
        // First only the bad one is there: nothing that it gives is kept as whole, and the session goes on.
        try await nodes[2].manager.addAddress(nodes[1].address)
        try await eventually("Windhoek knows of the file") { await nodes[2].attachments.missingCount() == 1 }
        await nodes[2].attachments.request(blob)
        try await eventually("all but the bad chunk has come") {
            await nodes[2].attachments.state(of: blob).receivedBytes == 2 * 262_144 || nodes[2].holds(blob)
        }
        #expect(!nodes[2].holds(blob))
        #expect(await nodes[2].manager.links.count == 1)
        try await nodes[2].manager.addAddress(nodes[0].address)
        try await eventually("Windhoek has the file from Madrid") { nodes[2].holds(blob) }
        #expect(try nodes[2].content(blob) == bytes)
        // Berlin finds it out by itself and fetches it again.
        let found = try await nodes[1].attachments.verify()
        #expect(found.damaged == [blob])
        try await eventually("Berlin has the file again") { nodes[1].holds(blob) }
        #expect(try nodes[1].content(blob) == bytes)
        #expect(try await nodes[1].attachments.verify().damaged.isEmpty)
        try await stop(nodes)
    }

    @Test("a file is given only where a record of the space names it")
    func permission() async throws {
        let (nodes, space) = try await nodes(["ESP"])
        let other = try await nodes[0].store.addSpace(try nodes[0].member.charter("Other"))
        let blob = try await nodes[0].attach([1, 2, 3], in: space)
        let unnamed = try nodes[0].attachments.blobs.beginImport(expectedSize: nil)
        try await unnamed.append([7])
        let secret = try await unnamed.finish().id
        func read(_ blob: BlobID, _ space: SpaceID) async -> BlobBytes? {
            await nodes[0].attachments.read(
                BlobPlace(space: space, blob: blob, part: .content, offset: 0), byteCount: 10)
        }
        #expect(await read(blob, space)?.bytes == [1, 2, 3])
        #expect(await read(blob, other) == nil)
        #expect(await read(secret, space) == nil)
        try await stop(nodes)
    }

    @Test("a record that lies about its file's size does not fill the disk")
    func lyingSize() async throws {
        let (nodes, space) = try await nodes(["ESP", "DEU"])
        let bytes = someBytes(600_000)
        let file = try nodes[0].attachments.blobs.beginImport(expectedSize: nil)
        try await file.append(bytes)
        let blob = try await nodes[0].attachments.adopt(file).id
        _ = try await nodes[0].store.write(
            [
                .create(kind: "document", fields: [.set("title", .text("Report"))]),
                .create(
                    kind: Vocabulary.attachment, parent: .edit(0),
                    fields: [
                        .set("name", .text("small.txt")), .set("size", .integer(10)),
                        .set("blob", .text(UTF8Text(blob.description))),
                    ]),
            ], in: space, by: try nodes[0].home.signer(), author: "test", now: testNow)
        try await nodes[1].manager.addAddress(nodes[0].address)
        let honest = try await nodes[0].attach([1, 2, 3], in: space)
        try await eventually("Berlin has the honest file") { nodes[1].holds(honest) }
        #expect(!nodes[1].holds(blob))
        #expect(await nodes[1].attachments.state(of: blob).receivedBytes == 0)
        try await stop(nodes)
    }

    @Test("what nothing names is removed after 30 days, what was erased at once, what is named again stays")
    func clearing() async throws {
        let (nodes, space) = try await nodes(["ESP"])
        let (node, keeper) = (nodes[0], nodes[0].attachments)
        let kept = try await node.attach([1], in: space)
        let deleted = try await node.attach([2], in: space)
        let erased = try await node.attach([3], in: space)
        try await eventually("the keeper knows all three") { await keeper.references.count == 3 }
        let references = await keeper.references
        func write(_ edit: RecordEdit) async throws {
            _ = try await node.store.write(
                [edit], in: space, by: try node.home.signer(), author: "test", now: testNow)
        }
        try await write(.delete(try #require(references[deleted]?.first?.record)))
        try await write(.erase(try #require(references[erased]?.first?.record), reason: "by mistake"))
        await keeper.sweep()
        #expect(node.holds(kept) && node.holds(deleted) && !node.holds(erased))
        let later = AttachmentKeeper(
            store: node.store, blobs: keeper.blobs, policy: keeper.policy,
            clock: { testNow + BlobPolicyLimits.keptUnused + 1 }, logger: keeper.logger)
        await later.sweep()
        #expect(node.holds(kept) && !node.holds(deleted))
        await keeper.sweep(atOnce: true)
        #expect(node.holds(kept))
        try await stop(nodes)
    }
}
