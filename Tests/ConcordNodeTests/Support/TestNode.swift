// A node without peers: a real home, a real replica and a real socket; only the exchange with others is a
// double.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import ConcordNode

/// Remembers what the local API asked of the part that exchanges with peers.
actor PeerDouble: PeerServices {
    private(set) var addresses: [NodeAddress] = []
    private(set) var paused: [String] = []
    private(set) var pausedAll = false
    private(set) var changes = 0
    private(set) var branches: [ReplicaID] = []
    private(set) var learned: [Receipt] = []
    private(set) var elsewhere: [ReplicaID] = []
    private let address: String

    init(address: String) { self.address = address }

    func status() async throws -> StatusDocument {
        StatusDocument(
            at: Timestamp.text(milliseconds: testNow), verdict: .inStep,
            node: .init(
                member: "ESP", memberName: "Spain", name: "madrid", id: "", version: "0", protocol: 0,
                uptimeSeconds: 1, certificate: .init(expiresAt: "", daysLeft: 1), listening: []),
            spaces: [], peers: [], attention: [],
            storage: .init(databaseBytes: 0, blobBytes: 0, freeBytes: nil),
            backup: .init(lastAt: nil, verified: false))
    }

    func peers() async throws -> PeersDocument {
        PeersDocument(
            peers: [], addresses: addresses.map(\.description), pausedAll: pausedAll, paused: paused)
    }

    func addAddress(_ address: NodeAddress) async throws { addresses.append(address) }
    func removeAddress(_ address: NodeAddress) async throws { addresses.removeAll { $0 == address } }

    func pause(member: String?) async throws {
        guard let member else {
            pausedAll = true
            return
        }
        guard member != "XXX" else { throw ConcordError(.unknownMember, "no member XXX is on a roster") }
        paused.append(member)
    }

    func resume(member: String?) async throws {
        guard let member else {
            pausedAll = false
            return
        }
        paused.removeAll { $0 == member }
    }

    func advertisedAddresses() async -> [String] { [address] }
    func spacesChanged() async { changes += 1 }
    func tookBranch(of replica: ReplicaID, in space: SpaceID) async { branches.append(replica) }
    func isElsewhere(_ replica: ReplicaID, in space: SpaceID) async { elsewhere.append(replica) }
    func learned(_ receipts: [Receipt], in space: SpaceID, from bearer: MemberID) async {
        learned += receipts
    }
}

/// A node that serves its local API.
struct TestNode: Sendable {
    let folder: TemporaryFolder
    let home: NodeHome
    let member: TestMember
    let store: ReplicaStore
    let peers: PeerDouble
    let services: StoreServices
    let client: SocketClient

    /// Runs `body` while a node of `member` serves its local API, then stops the node.
    static func run(
        _ member: TestMember? = nil, in folder: TemporaryFolder = TemporaryFolder(),
        _ body: (TestNode) async throws -> Void
    ) async throws {
        let member = try member ?? TestMember("ESP", name: "Spain")
        let home = NodeHome(path: folder.file("home"))
        let identity = try home.initialize(
            member: member.code, name: member.authority.subject.memberName, node: "madrid",
            authority: member.authority, authorityKey: member.authorityKey, listen: [], addresses: [],
            now: testNow)
        let lock = try home.lock()
        let store = try ReplicaStore(path: home.database)
        let peers = PeerDouble(address: "\(member.code.lowercased()).example.org:7443")
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let attachments = AttachmentKeeper(
            store: store, blobs: try BlobStore(folder: home.blobs), policy: BlobPolicy(), clock: { testNow },
            logger: logger)
        let services = StoreServices(
            identity: identity, signer: try home.signer(), store: store, attachments: attachments,
            backups: BackupKeeper(
                home: home, store: store, policy: BackupPolicy(), reserve: 0, clock: { testNow },
                logger: logger),
            peers: peers, logger: logger, clock: { testNow })
        let node = TestNode(
            folder: folder, home: home, member: member, store: store, peers: peers, services: services,
            client: SocketClient(path: home.socket))
        try await node.serve(lock: lock, logger: logger, body)
        lock.release()
        try store.close()
        #expect(!FileManager.default.fileExists(atPath: home.socket))
    }

    private func serve(lock: HomeLock, logger: Logger, _ body: (TestNode) async throws -> Void) async throws {
        let (serving, started) = AsyncStream.makeStream(of: Void.self)
        let server = LocalAPIServer(lock: lock, services: services, peers: peers, logger: logger) {
            started.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task {
            defer { started.finish() }
            try await group.run()
        }
        for await _ in serving {}
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(self))
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        try outcome.get()
    }

    /// Founds a space of this member through the local API.
    @discardableResult
    func found(_ name: String = "Focal Points") async throws -> String {
        try await found(try member.charter(name))
    }

    /// Founds a space by a charter through the local API.
    @discardableResult
    func found(_ charter: SignedCharter) async throws -> String {
        let charter = Base64.encode(charter.encoded)
        let response = try await client.send("POST", "/v1/spaces", json: "{\"charter\":\"\(charter)\"}")
        #expect(response.status == 200, "\(response.text)")
        return try response.document(FoundedDocument.self).id
    }

    /// Carries everything that this replica holds of a space to another, as a session would.
    func bring(_ space: SpaceID, to target: TestNode) async throws {
        var position: Int64 = 0
        while true {
            let slice = try store.slice(
                space, after: position, excluding: try target.store.held(space).vector, maximumBytes: 1 << 20)
            let outcome = try await target.store.receive(slice.runs, in: space)
            #expect(outcome.refusal == nil)
            position = slice.position
            if slice.isLast { return }
        }
    }

    /// Creates a record and gives it back.
    func create(_ json: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> RecordDocument
    {
        let response = try await client.send("POST", "/v1/records", json: json)
        #expect(response.status == 201, "\(response.text)", sourceLocation: sourceLocation)
        return try response.document(RecordDocument.self)
    }

    /// Hands an act to the local API, whatever comes of it.
    func send(_ signed: SignedAct, to space: String) async throws -> SocketResponse {
        let json = """
            {"act":"\(Base64.encode(signed.act))","signer":"\(signed.signer)",
             "signature":"\(Base64.encode(signed.signature.bytes))"}
            """
        return try await client.send("POST", "/v1/spaces/\(space)/acts", json: json)
    }

    /// Hands an act to the local API, which must take it.
    func carry(
        _ signed: SignedAct, to space: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ActDocument {
        let response = try await send(signed, to: space)
        #expect(response.status == 200, "\(response.text)", sourceLocation: sourceLocation)
        return try response.document(ActDocument.self)
    }

    /// The roster of a space.
    func members(_ space: String) async throws -> MembersDocument {
        try await client.send("GET", "/v1/members?space=\(space)").document(MembersDocument.self)
    }
}
