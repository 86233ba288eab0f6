// Makes a bundle: what the recipients lack, in the log's order; what nodes said to hold, so that whoever gets it knows what
// others have; and the files that belong to it. Everything lies on the disk until it is fetched, and volumes are made one
// after the other.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync

/// What a bundle is to be.
public struct BundleOrder: Sendable {
    /// The space, as a person names it; nil for the only one.
    public var space: String?
    /// Codes of members, prefixes of their ids, or `everyone`.
    public var recipients: [String] = []
    /// Certificates for key agreement, in PEM.
    public var certificates: [String] = []
    /// Whether it is left unencrypted.
    public var isPlain = false
    /// Whether it holds everything, and not only what the recipients lack.
    public var isEverything = false
    /// Whether files go along.
    public var hasAttachments = true
    /// Whether files of records go along that say nothing new to the recipients.
    public var hasEarlierFiles = false
    /// Bytes of a volume at most.
    public var volumeBytes = BundleLimits.volumeBytes

    /// An order for nobody yet.
    public init() {}
}

/// A volume that is ready to be fetched.
struct PreparedVolume: Sendable {
    let header: BundleHeader
    private let head: [UInt8]
    private let body: ScratchFile
    /// Where in that file the part of this volume is.
    private let range: Range<Int64>
    private let tail: [UInt8]

    /// Bytes of the file.
    var byteCount: Int64 { Int64(head.count) + Int64(range.count) + Int64(tail.count) }

    init(header: BundleHeader, head: [UInt8], body: ScratchFile, range: Range<Int64>, tail: [UInt8] = []) {
        self.header = header
        self.head = head
        self.body = body
        self.range = range
        self.tail = tail
    }

    /// At most `count` bytes from `offset`, at least one before the end.
    func read(at offset: Int64, count: Int) throws -> [UInt8] {
        if offset < head.count { return Array(head[Int(offset)...].prefix(count)) }
        let place = offset - Int64(head.count)
        let bodyCount = Int64(range.count)
        guard place >= bodyCount else {
            return try body.read(
                at: range.lowerBound + place, count: Int(min(Int64(count), bodyCount - place)))
        }
        return Array(tail[min(Int(place - bodyCount), tail.count)...].prefix(count))
    }
}

/// A bundle that is ready to be fetched.
struct PreparedBundle: Sendable {
    let volumes: [PreparedVolume]
    let addressees: [BundleAddressee]
    let omissions: [BundleDirectory.Omission]
    /// Files that are to go along and are not on this node.
    let absentFiles: Int64
    /// Files of this node that do not go along, since the recipients are known to hold the records that name them.
    let earlierFiles: Int64
}

/// Makes bundles of one node.
struct BundleExporter: Sendable {
    let folder: ScratchFolder
    let identity: NodeIdentity
    let signing: PrivateKey
    let store: ReplicaStore
    let attachments: AttachmentKeeper
    let clock: @Sendable () -> Int64

    /// Makes a bundle of `space`.
    func export(_ order: BundleOrder, of space: StoredSpace) async throws -> PreparedBundle {
        guard (BundleLimits.smallestVolumeBytes...BundleLimits.volumeBytes).contains(order.volumeBytes) else {
            throw ConcordError(
                .malformedValue,
                "a volume has \(BundleLimits.smallestVolumeBytes) to \(BundleLimits.volumeBytes) bytes, and not \(order.volumeBytes)",
                action: "give another --volume-size")
        }
        guard let own = try store.roster(space.id).entry(identity.memberID) else {
            throw ConcordError(
                .notYetAdmitted, "this node has not received its own admission to “\(space.name)” yet")
        }
        guard own.suspensions.isEmpty else {
            throw ConcordError(
                .notInStanding,
                "\(identity.memberCode) is suspended in “\(space.name)”: nobody would import its bundle")
        }
        var directory = try BundleDirectory(space, store: store, identity: identity, now: clock())
        let addressees = try directory.addressees(
            order.recipients, certificates: order.certificates, isPlain: order.isPlain)
        let claims = addressees.map { order.isEverything ? VersionVector() : $0.holds ?? VersionVector() }
        let base = try store.common(claims, in: space.id)
        let template = BundleHeader(
            bundle: try random(), volume: 1, volumes: 1, space: space.id, exporter: identity.memberID,
            certificate: identity.nodeCertificate, recipients: addressees.map(\.recipient), created: clock(),
            from: base, to: base,
            counts: BundleCounts(), contentBytes: 0, contentHash: SHA256.hash([]))
        let writer = try BundleVolumeWriter(
            folder: folder, budget: order.volumeBytes - overhead(template, try store.held(space.id).vector),
            base: base)
        try await writeChanges(of: space.id, without: base, to: writer)
        try writer.add(try receipts(of: space.id), in: space.id)
        var absent: Int64 = 0
        var earlier: Int64 = 0
        if order.hasAttachments {
            let known = order.hasEarlierFiles ? VersionVector() : base
            absent = try await writeFiles(of: space.id, beyond: known, to: writer)
            earlier = try earlierFiles(of: space.id, beyond: known)
        }
        let certificates = addressees.compactMap(\.certificate)
        let sealed = certificates.isEmpty ? nil : try ScratchFile(in: folder)
        // The last first: what is sealed gives its room back to the disk.
        var volumes: [PreparedVolume] = []
        for (index, draft) in writer.drafts.enumerated().reversed() {
            let header = Self.header(template, draft, index, of: writer.drafts.count)
            let range = draft.start..<draft.start + draft.byteCount
            volumes.append(try prepare(header, writer.file, range, sealed, certificates))
            if sealed != nil { try writer.file.truncate(to: draft.start) }
        }
        volumes.reverse()
        return PreparedBundle(
            volumes: volumes, addressees: addressees, omissions: directory.omissions, absentFiles: absent,
            earlierFiles: earlier)
    }

    private func random() throws -> Bytes16 {
        let bytes = try ConcordError.mappingCrypto("the bundle") { try Randomness.bytes(16) }
        guard let name = Bytes16(bytes) else { preconditionFailure("16 bytes were asked for") }
        return name
    }

    /// Bytes of a volume besides its frames, at most.
    private func overhead(_ header: BundleHeader, _ held: VersionVector) -> Int {
        // Numbers may take up to nine bytes instead of one; what is written meanwhile by others may add a chain or two.
        let slack = 4096
        let vectors = 2 * 32 * held.elements.count
        let recipients = header.recipients.count * (72 + 200)
        return slack + vectors + recipients + identity.nodeCertificate.der.count
    }

    // MARK: Contents

    private func writeChanges(
        of space: SpaceID, without base: VersionVector, to writer: BundleVolumeWriter
    ) async throws {
        var position: Int64 = 0
        while true {
            let slice = try store.slice(
                space, after: position, excluding: base, maximumBytes: BundleLimits.frameAim)
            if !slice.runs.isEmpty { try writer.add(slice.runs, in: space) }
            guard !slice.isLast, slice.position > position || !slice.runs.isEmpty else { return }
            position = slice.position
            await Task.yield()
        }
    }

    /// The receipts that are kept, and a fresh one of this node in place of its last: what it says is in the bundle.
    private func receipts(of space: SpaceID) throws -> [Receipt] {
        let own = try ConcordError.mappingCrypto("a receipt") {
            try Receipt(
                space: space, member: identity.memberID, holds: try store.heldVector(space).vector,
                timestamp: clock(),
                certificate: identity.nodeCertificate, agreement: identity.agreementCertificate
            ) { try signing.sign($0, as: .receipt) }
        }
        let others = try ReceiptKeeper(store: store).all(of: space).filter { $0.node != identity.nodeID }
        return [own] + others
    }

    /// - Returns: how many files are not on this node.
    private func writeFiles(
        of space: SpaceID, beyond base: VersionVector, to writer: BundleVolumeWriter
    ) async throws -> Int64 {
        var absent: Int64 = 0
        for file in try store.namedFiles(space, beyond: base) {
            guard attachments.blobs.size(of: file.blob) == file.size,
                let manifest = try await manifest(of: file.blob)
            else {
                absent += 1
                continue
            }
            try await write(file.blob, manifest, of: space, to: writer)
        }
        return absent
    }

    /// How many files of this node belong to records of which the recipients hold everything.
    private func earlierFiles(of space: SpaceID, beyond known: VersionVector) throws -> Int64 {
        guard !known.isEmpty else { return 0 }
        let going = Set(try store.namedFiles(space, beyond: known))
        let earlier = try store.namedFiles(space, beyond: VersionVector()).filter { !going.contains($0) }
        return Int64(earlier.count { attachments.blobs.size(of: $0.blob) == $0.size })
    }

    private func manifest(of blob: BlobID) async throws -> BlobManifest? {
        let bytes = try await attachments.blobs.read(blob, .manifest, at: 0, count: BlobLimits.manifestBytes)
        guard let bytes, BlobManifest.id(ofEncoded: bytes.bytes) == blob else { return nil }
        return try BlobManifest(encoded: bytes.bytes)
    }

    private func write(
        _ blob: BlobID, _ manifest: BlobManifest, of space: SpaceID, to writer: BundleVolumeWriter
    ) async throws {
        // Frames around pieces take less than a hundredth. A chunk that is larger than a volume is cut all the same.
        let beginning = manifest.encoded().count + 1024
        func cost(_ chunk: Int) -> Int {
            let bytes = manifest.range(ofChunk: chunk).count
            return bytes + bytes / 100 + 256
        }
        let largest = manifest.chunks.isEmpty ? 0 : cost(0)
        let isCut = beginning + largest > writer.budget
        try writer.reserve(beginning + (isCut ? 0 : largest))
        try begin(blob, manifest, of: space, in: writer)
        for index in manifest.chunks.indices {
            let range = manifest.range(ofChunk: index)
            if !isCut, try writer.reserve(cost(index)) { try begin(blob, manifest, of: space, in: writer) }
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = Int(min(Int64(BundleLimits.pieceBytes), range.upperBound - offset))
                let bytes = try await attachments.blobs.read(blob, .content, at: offset, count: count)
                guard let bytes, bytes.bytes.count == count else {
                    throw ConcordError(
                        .blobNotHeld, "attachment \(blob) was removed while the bundle was made",
                        action: "make the bundle again")
                }
                let place = BlobPlace(space: space, blob: blob, part: .content, offset: offset)
                if try writer.reserve(count + 256) { try begin(blob, manifest, of: space, in: writer) }
                try writer.add(place, bytes)
                offset += Int64(count)
            }
        }
    }

    /// Puts a file's manifest into the current volume: each that holds a part of it begins with that.
    private func begin(
        _ blob: BlobID, _ manifest: BlobManifest, of space: SpaceID, in writer: BundleVolumeWriter
    ) throws {
        let bytes = manifest.encoded()
        writer.countFile()
        for start in stride(from: 0, to: bytes.count, by: BundleLimits.pieceBytes) {
            let piece = Array(bytes[start..<min(start + BundleLimits.pieceBytes, bytes.count)])
            try writer.add(
                BlobPlace(space: space, blob: blob, part: .manifest, offset: Int64(start)),
                BlobBytes(piece, of: Int64(bytes.count)))
        }
    }

    // MARK: Volumes

    private static func header(
        _ template: BundleHeader, _ draft: BundleVolumeWriter.Draft, _ index: Int, of count: Int
    ) -> BundleHeader {
        var header = template
        header.volume = UInt64(index + 1)
        header.volumes = UInt64(count)
        header.from = draft.from
        header.to = draft.to
        header.counts = draft.counts
        header.contentBytes = UInt64(draft.byteCount)
        header.contentHash = draft.hash.finalize()
        return header
    }

    /// Signs a volume's header and seals the volume.
    ///
    /// - Parameter sealed: to which encrypted volumes are added; nil for a bundle that is not encrypted.
    private func prepare(
        _ header: BundleHeader, _ file: ScratchFile, _ range: Range<Int64>, _ sealed: ScratchFile?,
        _ recipients: [Certificate]
    ) throws -> PreparedVolume {
        do {
            let signed = try SignedBundleHeader(header) {
                try signing.sign($0, as: .bundle)
            }
            let beginning = BundleFrames.magic + BundleFrames.frame(signed.encoded)
            guard let sealed else {
                return PreparedVolume(header: header, head: beginning, body: file, range: range)
            }
            let start = sealed.byteCount
            let encryption = try CMSEncryption(recipients: recipients)
            try sealed.append(try encryption.update(beginning))
            try file.forEachPiece(from: range.lowerBound, upTo: range.upperBound) { piece in
                try Task.checkCancellation()
                try sealed.append(try encryption.update(piece))
            }
            let (rest, head, tail) = try encryption.finish()
            try sealed.append(rest)
            return PreparedVolume(
                header: header, head: head, body: sealed, range: start..<sealed.byteCount, tail: tail)
        } catch let error as CryptoError {
            throw ConcordError(error, subject: "the bundle")
        }
    }
}
