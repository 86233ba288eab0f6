// A node that nobody can reach: real home, real replica, and bundles as its only road.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation
import Logging
import Synchronization
import Testing

@testable import ConcordNode

/// A node without connections.
final class CourierNode: Sendable {
    let folder = TemporaryFolder()
    let member: TestMember
    let home: NodeHome
    let identity: NodeIdentity
    let keys: NodeKeys
    let store: ReplicaStore
    let attachments: AttachmentKeeper
    let peers: PeerDouble
    let desk: BundleDesk
    let space: SpaceID

    /// A node of `member` that holds the space of `charter`.
    init(_ member: TestMember, _ charter: SignedCharter, node: String = "hq", inviter: TestMember? = nil)
        async throws
    {
        self.member = member
        home = NodeHome(path: folder.file("home"))
        identity = try home.initialize(
            member: member.code, name: member.authority.subject.memberName, node: node,
            authority: member.authority,
            authorityKey: member.authorityKey, listen: [], addresses: [], now: testNow)
        keys = try home.load().keys
        store = try ReplicaStore(path: home.database)
        space = try await store.addSpace(charter, inviterAuthority: inviter?.authority.der)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        attachments = AttachmentKeeper(
            store: store, blobs: try BlobStore(folder: home.blobs), policy: BlobPolicy(), clock: { testNow },
            logger: logger)
        peers = PeerDouble(address: "nowhere.example.org:7443")
        let (store, space) = (store, space)
        let clock = Clock()
        desk = BundleDesk(
            folder: ScratchFolder(home.path), identity: identity, keys: keys, store: store,
            attachments: attachments,
            peers: peers,
            logger: logger, clock: { clock.next() }, findSpace: { _ in try store.space(space) })
    }

    /// Goes on by a minute with each look, so that receipts follow one another.
    private final class Clock: Sendable {
        private let now = Mutex<Int64>(testNow)
        func next() -> Int64 {
            now.withLock { now in
                now += 60_000
                return now
            }
        }
    }

    var agreement: String { get throws { try identity.agreementCertificate.pem() } }
    var digest: Digest { get async throws { try await store.digest(space) } }

    /// A new contact.
    @discardableResult
    func contact(_ name: String) async throws -> RecordID {
        let written = try await write([
            .create(kind: "contact", fields: [.set("name", .text(UTF8Text(name)))])
        ])
        return written.created[0]
    }

    @discardableResult
    func write(_ draft: Draft) async throws -> WrittenChange {
        try await store.write(
            draft, in: space, by: NodeKeySigner(identity: identity, key: keys.signing), author: "ana",
            now: testNow)
    }

    /// Writes many changes at once.
    func write(_ drafts: [Draft]) async throws {
        let results = try await store.write(
            drafts, in: space, by: NodeKeySigner(identity: identity, key: keys.signing), author: "ana",
            now: testNow)
        for result in results { _ = try result.get() }
    }

    /// The files of a bundle.
    func export(_ order: BundleOrder) async throws -> [[UInt8]] {
        let document = try await desk.export(order)
        var files: [[UInt8]] = []
        for volume in document.volumes {
            let content = try await desk.volume(volume.volume, of: document.bundle)
            var file: [UInt8] = []
            while Int64(file.count) < content.size {
                let piece = try content.read(Int64(file.count), 100_000)
                try #require(!piece.isEmpty)
                file += piece
            }
            #expect(Int64(file.count) == volume.bytes)
            files.append(file)
        }
        try await desk.discard(document.bundle)
        return files
    }

    /// The files of a bundle for a node that shows its certificate.
    func export(to other: CourierNode, _ change: (inout BundleOrder) -> Void = { _ in }) async throws
        -> [[UInt8]]
    {
        var order = BundleOrder()
        order.certificates = [try other.agreement]
        change(&order)
        return try await export(order)
    }

    /// The files of a bundle for a member, by what is known of its nodes.
    func export(for code: String, _ change: (inout BundleOrder) -> Void = { _ in }) async throws -> [[UInt8]]
    {
        var order = BundleOrder()
        order.recipients = [code]
        change(&order)
        return try await export(order)
    }

    @discardableResult
    func take(_ file: [UInt8]) async throws -> (applied: Int64, receipts: Int64, files: Int64) {
        let scratch = try await desk.beginVolume(size: Int64(file.count))
        try scratch.append(file)
        let document = try await desk.importVolume(scratch)
        return (document.applied, document.receipts, document.files)
    }

    func code(_ file: [UInt8]) async throws -> ErrorCode? {
        do {
            try await take(file)
            return nil
        } catch let error as ConcordError {
            return error.code
        }
    }
}
