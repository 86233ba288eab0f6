// A node with only the part that exchanges with peers: a real replica, a real port of loopback, real TLS.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Foundation
import Logging
import Synchronization
import Testing

@testable import ConcordNode

/// A node whose peer manager a test holds in its hands.
struct PeerNode: Sendable {
    let folder: TemporaryFolder
    let member: TestMember
    let home: NodeHome
    let identity: NodeIdentity
    let store: ReplicaStore
    let context: TLSContext
    let manager: PeerManager
    let attachments: AttachmentKeeper
    private let keeping = KeepingTask()
    let listener: Listener

    var address: NodeAddress { NodeAddress(host: "127.0.0.1", port: listener.port) }

    /// A node of `member` that listens and holds the space of `charter`, and does not dial yet.
    init(_ member: TestMember, _ charter: SignedCharter, policy: BlobPolicy = BlobPolicy()) async throws {
        folder = TemporaryFolder()
        self.member = member
        home = NodeHome(path: folder.file("home"))
        identity = try home.initialize(
            member: member.code, name: member.code, node: "\(member.code.lowercased())-1",
            authority: member.authority, authorityKey: member.authorityKey, listen: [], addresses: [],
            now: testNow)
        store = try ReplicaStore(path: home.database)
        _ = try await store.addSpace(charter)
        let trusted = TrustedAuthorities()
        context = try TLSContext(
            TLSConfiguration(
                certificate: identity.nodeCertificate, authority: identity.authorityCertificate,
                key: try home.signingKey()
            ) { peer in trusted.verdict(on: peer, now: testNow / 1000) })
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        listener = try await Listener.bind(host: "127.0.0.1", port: 0, context: context, logger: logger)
        let configuration = try Configuration.load(path: folder.file("none"), environment: [:])
        let signer = try home.signer()
        let incarnation = try #require(Bytes16(try Randomness.bytes(16)))
        attachments = AttachmentKeeper(
            store: store, blobs: try BlobStore(folder: home.blobs), policy: policy, clock: { testNow },
            logger: logger)
        let manager = try PeerManager(
            .init(
                home: home, identity: identity, configuration: configuration, store: store,
                attachments: attachments,
                backups: BackupKeeper(
                    home: home, store: store, policy: configuration.backup, reserve: 0, clock: { testNow },
                    logger: logger),
                salvaged: SalvagedChanges(path: home.salvaged, store: store, logger: logger),
                context: context, trusted: trusted, incarnation: incarnation,
                signReceipt: { try signer.signReceipt($0) },
                clock: { testNow }, release: Release(), logger: logger))
        self.manager = manager
        store.observeAdvance { space, position in
            Task { await manager.advanced(space, position: position) }
        }
    }

    /// Takes connections and begins to dial.
    func start() async {
        let (listener, manager, attachments) = (listener, manager, attachments)
        keeping.set(Task { await attachments.run() })
        Task {
            for await connection in listener.connections { await manager.accept(connection) }
        }
        await manager.start(listening: [address.description])
    }

    /// Ends everything; returns how long the sessions took to end.
    @discardableResult
    func stop() async throws -> Duration {
        await listener.close()
        await keeping.cancel()
        let began = ContinuousClock.now
        await manager.stop()
        let duration = ContinuousClock.now - began
        try store.close()
        return duration
    }

    /// Connects to another node with this node's certificate, but without its manners.
    func dial(_ other: PeerNode) async throws -> FrameConnection {
        try await Dialler.dial(
            host: other.address.host, port: other.address.port, context: context,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// A hello that this node could say.
    func hello(addresses: [String], space: SpaceID) throws -> [UInt8] {
        let hello = Hello(
            vocabularyLevel: Vocabulary.level, incarnation: try #require(Bytes16(try Randomness.bytes(16))),
            clock: testNow, nodeName: UTF8Text("x"), addresses: addresses.map { UTF8Text($0) },
            spaces: [SpaceHead(space: space)])
        return Message.hello(hello).encoded()
    }
}

/// The work of a node's attachments, ended before its store is closed.
final class KeepingTask: Sendable {
    private let task = Mutex<Task<Void, Never>?>(nil)

    func set(_ task: Task<Void, Never>) { self.task.withLock { $0 = task } }

    func cancel() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
    }
}

/// Asks again and again until the answer is yes, at most for `seconds`.
func eventually(_ what: String, seconds: Double = 60, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within \(seconds) s: \(what)")
    throw CancellationError()
}
