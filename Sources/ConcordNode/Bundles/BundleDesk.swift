// The counter at which bundles are handed out and taken in. A bundle that was made waits here until it is fetched, for a
// while; what is taken in is checked whole before anything of it is used.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Logging

/// Bundles of one node.
public actor BundleDesk: BundleServices {
    private struct Waiting {
        let name: String
        let volumes: [PreparedVolume]
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
    /// The oldest first.
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
        let exporter = BundleExporter(
            folder: folder, identity: identity, signing: keys.signing, store: store, attachments: attachments,
            clock: clock)
        let bundle = try await exporter.export(order, of: space)
        let name = BundleReport.name(bundle.volumes[0].header.bundle)
        waiting.append(Waiting(name: name, volumes: bundle.volumes))
        if waiting.count > BundlePolicyLimits.keptExports { waiting.removeFirst() }
        Task { [weak self] in
            try? await Task.sleep(for: BundlePolicyLimits.keptFor)
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
        guard let volumes = waiting.first(where: { $0.name == bundle })?.volumes,
            (1...Int64(volumes.count)).contains(number)
        else {
            throw ConcordError(
                .malformedRequest, "no bundle of this name waits here with such a volume",
                action: "make the bundle again")
        }
        let volume = volumes[Int(number - 1)]
        return BundleContent(size: volume.byteCount) { try volume.read(at: $0, count: $1) }
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
        let importer = BundleImporter(store: store, attachments: attachments, peers: peers, clock: clock)
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
