// The counter at which bundles are handed out and taken in. A bundle that was made waits here until it is fetched, for a
// while; what is taken in is checked whole before anything of it is used.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Logging
import Synchronization

/// Bundles of one node.
public actor BundleDesk: BundleServices {
    private final class Waiting: Sendable {
        let name: String
        let volumes: [PreparedVolume]
        /// When something of it was asked for last.
        let touched = Mutex<ContinuousClock.Instant>(.now)

        init(name: String, volumes: [PreparedVolume]) {
            self.name = name
            self.volumes = volumes
        }

        var idle: Duration { touched.withLock { ContinuousClock.now - $0 } }
    }

    private let folder: ScratchFolder
    private let identity: NodeIdentity
    private let keys: NodeKeys
    private let store: ReplicaStore
    private let attachments: AttachmentKeeper
    private let peers: any PeerServices
    private let logger: Logger
    private let clock: @Sendable () -> Int64
    private let findSpace: @Sendable (String?) throws -> StoredSpace
    /// Exports whose volumes are being fetched.
    private var waiting: [Waiting] = []

    /// A desk whose scratch files lie in `folder`.
    ///
    /// - Parameters:
    ///   - clock: Milliseconds since 1970.
    ///   - findSpace: The space that a person means.
    init(
        folder: ScratchFolder, identity: NodeIdentity, keys: NodeKeys, store: ReplicaStore,
        attachments: AttachmentKeeper, peers: any PeerServices, logger: Logger,
        clock: @escaping @Sendable () -> Int64 = WallClock.milliseconds,
        findSpace: @escaping @Sendable (String?) throws -> StoredSpace
    ) {
        self.folder = folder
        self.identity = identity
        self.keys = keys
        self.store = store
        self.attachments = attachments
        self.peers = peers
        self.logger = logger
        self.clock = clock
        self.findSpace = findSpace
    }

    // MARK: Export

    public func export(_ order: BundleOrder) async throws -> BundleExportDocument {
        let space = try findSpace(order.space)
        try makeRoom()
        let exporter = BundleExporter(
            folder: folder, identity: identity, signing: keys.signing, store: store, attachments: attachments,
            clock: clock)
        let bundle = try await exporter.export(order, of: space)
        let name = BundleReport.name(bundle.volumes[0].header.bundle)
        waiting.append(Waiting(name: name, volumes: bundle.volumes))
        Task { [weak self] in
            while let idle = await self?.idle(name), idle < BundlePolicyLimits.keptFor {
                guard (try? await Task.sleep(for: BundlePolicyLimits.keptFor - idle)) != nil else { return }
            }
            try? await self?.discard(name)
        }
        let bytes = bundle.volumes.reduce(0) { $0 + $1.byteCount }
        logger.info(
            "a bundle is made",
            metadata: [
                "bundle": "\(name)", "space": "\(space.id)", "volumes": "\(bundle.volumes.count)",
                "bytes": "\(bytes)", "for": "\(bundle.addressees.map(\.code).joined(separator: " "))",
                "encrypted": "\(!order.isPlain)",
            ])
        return BundleReport.export(bundle, name: name, of: space, isEncrypted: !order.isPlain)
    }

    public func volume(_ number: Int64, of bundle: String) async throws -> BundleContent {
        guard let prepared = waiting.first(where: { $0.name == bundle }),
            (1...Int64(prepared.volumes.count)).contains(number)
        else {
            throw ConcordError(
                .malformedRequest, "no bundle of this name waits here with such a volume",
                action: "make the bundle again")
        }
        let volume = prepared.volumes[Int(number - 1)]
        return BundleContent(size: volume.byteCount) {
            prepared.touched.withLock { $0 = .now }
            return try volume.read(at: $0, count: $1)
        }
    }

    /// How long nothing of a bundle was asked for; nil if it does not wait here any more.
    private func idle(_ bundle: String) -> Duration? { waiting.first { $0.name == bundle }?.idle }

    /// Forgets the bundle that was asked for the longest ago, if there are many; one that is being fetched stays.
    private func makeRoom() throws {
        guard waiting.count >= BundlePolicyLimits.keptExports else { return }
        let oldest = waiting.indices.max { waiting[$0].idle < waiting[$1].idle }
        guard let oldest, waiting[oldest].idle >= BundlePolicyLimits.fetchPause else {
            throw ConcordError(
                .limitExceeded, "\(waiting.count) bundles are being fetched from this node",
                action: "make another one when one of them is done")
        }
        waiting.remove(at: oldest)
    }

    public func discard(_ bundle: String) async throws { waiting.removeAll { $0.name == bundle } }

    // MARK: Import

    public func beginVolume(size: Int64?) async throws -> ScratchFile {
        if let size {
            guard size <= Int64(BundleLimits.volumeBytes) else {
                throw ConcordError(
                    .limitExceeded, "a volume of \(size) bytes is larger than \(BundleLimits.volumeBytes)")
            }
            // Once as it comes, and once decrypted.
            guard folder.hasRoom(for: 2 * size) else {
                throw ConcordError(.diskFull, "the disk has no room to take in a bundle of \(size) bytes")
            }
        }
        return try ScratchFile(in: folder)
    }

    public func inspect(_ file: ScratchFile) async throws -> BundleDocument {
        try report.document(try open(file))
    }

    public func importVolume(_ file: ScratchFile) async throws -> BundleImportDocument {
        let volume = try open(file)
        try report.judge.check(volume.signed)
        let document = try report.document(volume)
        let importer = BundleImporter(
            store: store, attachments: attachments, peers: peers, logger: logger, clock: clock)
        let intake = try await importer.take(volume)
        logger.info(
            "a bundle is imported",
            metadata: [
                "bundle": "\(document.bundle)", "volume": "\(document.volume)", "space": "\(document.space)",
                "exporter": "\(document.exporter.member)", "applied": "\(intake.applied)",
                "receipts": "\(intake.receipts)", "files": "\(intake.files)",
                "code": "\(intake.shortfall?.code.rawValue ?? "")",
            ])
        if let shortfall = intake.shortfall {
            let taken = intake.applied == 1 ? "1 change was" : "\(intake.applied) changes were"
            throw ConcordError(
                shortfall.code, "\(shortfall.message); \(taken) new and taken", action: shortfall.action)
        }
        return BundleImportDocument(
            bundle: document, applied: intake.applied, receipts: intake.receipts, files: intake.files)
    }

    private func open(_ file: ScratchFile) throws -> BundleVolume {
        try BundleVolume(
            file, key: .init(key: keys.agreement, certificate: identity.agreementCertificate), folder: folder)
    }

    private var report: BundleReport {
        BundleReport(
            judge: BundleJudge(
                member: identity.memberID, key: keys.agreement.publicKey.fingerprint, store: store))
    }
}
