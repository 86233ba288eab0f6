// The daemon put together: home, replica, TLS, peers and local API, started in that order and stopped in reverse.
// Everything that can be wrong with the home, the configuration, the database or the address is found before the
// first connection is accepted.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Logging
import ServiceLifecycle

/// A node that runs until it is told to stop.
public struct Daemon: Sendable {
    private let home: NodeHome
    private let lock: HomeLock
    private let configuration: Configuration
    private let store: ReplicaStore
    private let attachments: AttachmentKeeper
    private let storage: StorageKeeper
    private let backups: BackupKeeper
    private let salvaged: SalvagedChanges
    private let manager: PeerManager
    private let services: StoreServices
    private let certificates: CertificateKeeper
    private let bundles: BundleDesk
    private let ownBranches: OwnBranches
    private let context: TLSContext
    private let logger: Logger

    /// Opens a home.
    ///
    /// - Parameter release: what this program speaks; another than its own only in tests of what is to come.
    /// - Throws: ``ConcordError`` with the reason: E-2005 no identity, E-2008 a key that others can read, E-2001,
    ///   E-2002 and E-2011 a key that cannot be opened, E-5002 a newer database, E-5003 a damaged one, E-6001 and E-6002 the configuration, E-6004 another daemon on this home.
    public init(home: NodeHome, configuration: Configuration, logger: Logger, release: Release = Release())
        throws
    {
        self.home = home
        self.configuration = configuration
        self.logger = logger
        let (identity, keys) = try home.load(configuration.keys)
        lock = try home.lock()
        store = try Self.open(home, reserve: configuration.reserveBytes)
        let blobs = try BlobStore(folder: home.blobs)
        let trusted = TrustedAuthorities()
        do {
            let clock: @Sendable () -> Int64 = WallClock.milliseconds
            context = try TLSContext(
                TLSConfiguration(
                    certificate: identity.nodeCertificate, authority: identity.authorityCertificate,
                    key: keys.signing
                ) { peer in trusted.verdict(on: peer, now: clock() / 1000) })
            guard let incarnation = Bytes16(try Randomness.bytes(16)) else {
                preconditionFailure("16 bytes were asked for")
            }
            let signer = NodeKeySigner(identity: identity, key: keys.signing)
            attachments = AttachmentKeeper(
                store: store, blobs: blobs, policy: configuration.blobs, clock: clock, logger: logger)
            storage = StorageKeeper(home: home, store: store, clock: clock, logger: logger)
            backups = BackupKeeper(
                home: home, store: store, policy: configuration.backup, reserve: configuration.reserveBytes,
                clock: clock, logger: logger)
            salvaged = SalvagedChanges(path: home.salvaged, store: store, logger: logger)
            manager = try PeerManager(
                .init(
                    home: home, identity: identity, configuration: configuration, store: store,
                    attachments: attachments, backups: backups, salvaged: salvaged, context: context,
                    trusted: trusted, incarnation: incarnation,
                    signReceipt: { try signer.signReceipt($0) }, clock: clock, release: release,
                    logger: logger))
            ownBranches = OwnBranches(store: store, signer: signer, clock: clock, logger: logger)
            services = StoreServices(
                identity: identity, signer: signer, store: store, attachments: attachments,
                backups: backups, peers: manager, logger: logger)
            bundles = BundleDesk(
                folder: ScratchFolder(home.path, reserveBytes: configuration.blobs.reservedBytes),
                identity: identity, keys: keys, store: store, attachments: attachments,
                peers: manager, logger: logger, findSpace: { [services] in try services.space($0) })
            certificates = CertificateKeeper(
                home: home, identity: identity, keys: keys, context: context, logger: logger,
                isOurs: { [store] in try Self.isAuthority($0, of: identity.memberID, in: store) })
        } catch {
            throw ConcordError(wrapping: error)
        }
    }

    /// Runs until SIGTERM or SIGINT, then stops in good order.
    ///
    /// - Throws: ``ConcordError`` E-6003 if an address to listen on is taken.
    public func run() async throws {
        await storage.examineMark()
        let advances = observeStore()
        let (grown, receiptsDue) = (Signal(), Signal())
        grown.raise()
        let listeners = try await listen()
        await manager.start(listening: listeners.map(\.boundAddress))
        logger.info(
            "started",
            metadata: [
                "home": "\(home.path)",
                "listening": "\(listeners.map(\.boundAddress).joined(separator: " "))",
            ])
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    LocalAPIServer(
                        lock: lock, services: services, peers: manager, certificates: certificates,
                        bundles: bundles, access: configuration.access, logger: logger),
                    AdvanceService(
                        advances: advances, manager: manager, ownBranches: ownBranches, salvaged: salvaged,
                        signals: [grown, receiptsDue]),
                    MaintenanceService(
                        store: store, manager: manager, grown: grown, receiptsDue: receiptsDue, logger: logger
                    ),
                    AttachmentService(attachments: attachments),
                    CareService(storage: storage, backups: backups, salvaged: salvaged),
                    ExchangeService(listeners: listeners, manager: manager),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            throw ConcordError(wrapping: error)
        }
        try store.close()
        lock.release()
        logger.info("stopped")
    }

    private static func open(_ home: NodeHome, reserve: Int64) throws -> ReplicaStore {
        var options = ReplicaStore.Options()
        options.reserveBytes = reserve
        options.freeBytes = { FileSystem.freeBytes(home.path) }
        options.clock = WallClock.milliseconds
        guard !Salvage.isUnfinished(home) else {
            throw ConcordError(
                .corruptDatabase, "a salvage of the replica was interrupted and must be ended first",
                action: "concord backup salvage --home \(home.path)")
        }
        // Its own chain may have gone on in what SQLite passes over.
        options.beginsAnew = try SalvagedChanges.rescueBeyondLog(home)
        return try ReplicaStore(path: home.database, options: options)
    }

    /// Whether a roster names this authority's key as one that the member has now.
    private static func isAuthority(
        _ authority: Certificate, of member: MemberID, in store: ReplicaStore
    ) throws -> Bool {
        try store.spaces().contains { space in
            try store.roster(space.id).entry(member)?.hasAuthority(authority.publicKey.fingerprint) ?? false
        }
    }

    /// Writes to each space what a later version might write; see ``ReplicaStore/append(in:by:author:now:_:)``.
    package func append(_ entries: @escaping @Sendable (SpaceID, Dot, Int64) -> [Entry]) async throws {
        for space in try store.spaces() {
            try await store.append(
                in: space.id, by: services.signer, author: "later", now: WallClock.milliseconds()
            ) { dot, timestamp in entries(space.id, dot, timestamp) }
        }
    }

    private func observeStore() -> AsyncStream<Advance> {
        // A session that gets a later signal needs no earlier one, but each space counts: nothing is dropped here, and
        // sessions merge what waits.
        let (stream, continuation) = AsyncStream.makeStream(of: Advance.self)
        store.observeAdvance { space, position in
            continuation.yield(Advance(space: space, position: position))
        }
        store.observeRepairs { [logger] repair in
            logger.warning(
                "a stored text was damaged and is made anew from the log",
                metadata: [
                    "space": "\(repair.space)", "record": "\(repair.record)", "field": "\(repair.field)",
                    "damage": "\(repair.reason)",
                ])
        }
        return stream
    }

    private func listen() async throws -> [Listener] {
        var listeners: [Listener] = []
        for address in configuration.listen {
            do {
                let manager = manager
                listeners.append(
                    try await Listener.bind(
                        host: address.host, port: address.port, context: context, logger: logger
                    ) { remote, error in Task { await manager.refused(error, address: remote) } })
            } catch let error as TransportError {
                for listener in listeners { await listener.close() }
                let taken = error.reason == .addressInUse
                throw ConcordError(
                    taken ? .addressInUse : .malformedConfiguration,
                    taken
                        ? "\(address) is taken by another program"
                        : "\(address) cannot be listened on: \(error.message)")
            }
        }
        return listeners
    }
}

/// The log of a space grew up to a position.
struct Advance: Sendable {
    let space: SpaceID
    let position: Int64
}

/// What a program speaks with its peers.
public struct Release: Sendable {
    /// Levels and features of the exchange.
    public var session = SessionConfiguration()
    /// The level of its vocabulary.
    public var vocabularyLevel = Vocabulary.level

    /// What this version speaks.
    public init() {}
}

/// What the programs call themselves.
public enum NodeVersion {
    /// Major, minor, patch.
    public static let text = "0.1.0"
}
