// What stands at the beginning of each volume of a bundle, under its exporter's signature: for whom it is, of which space,
// which part of how many, what it builds upon and what it brings, and the hash of everything that follows. So a volume is
// known to be whole and genuine before anything of it is taken (Protocol/bundles.md).

import CBOR
import ConcordCrypto
import ConcordModel

/// For whom a bundle is.
public struct BundleRecipient: Hashable, Comparable, Sendable {
    /// The member.
    public let member: MemberID
    /// The fingerprint of the node's key for key agreement; nil for any node of the member, in a bundle that is not
    /// encrypted.
    public let key: Digest?

    /// A node of a member, or any.
    public init(member: MemberID, key: Digest?) {
        self.member = member
        self.key = key
    }

    public static func < (a: Self, b: Self) -> Bool {
        guard a.member == b.member else { return a.member < b.member }
        switch (a.key, b.key) {
        case (_, nil): return false
        case (nil, _): return true
        case (let a?, let b?): return a < b
        }
    }
}

/// What a volume holds, in numbers.
public struct BundleCounts: Hashable, Sendable {
    /// Changes.
    public var changes: UInt64 = 0
    /// Receipts.
    public var receipts: UInt64 = 0
    /// Files, or parts of them.
    public var files: UInt64 = 0

    /// Nothing.
    public init() {}
}

/// The header of one volume.
public struct BundleHeader: Hashable, Sendable {
    private static let label = "concord bundle"
    private static let parts = 17

    /// Tells bundles apart: 16 random bytes, the same in all volumes of one.
    public var bundle: Bytes16
    /// The number of this volume, from 1.
    public var volume: UInt64
    /// How many volumes the bundle has.
    public var volumes: UInt64
    /// The space.
    public var space: SpaceID
    /// The member whose node exported it.
    public var exporter: MemberID
    /// The exporting node's signing certificate. Whether it is of a member in standing is for the importer's roster to say.
    public var certificate: Certificate
    /// For whom it is, ascending.
    public var recipients: [BundleRecipient]
    /// When it was made, in milliseconds since 1970 on the exporter's clock.
    public var created: Int64
    /// What the volume builds upon and leaves out, by the exporter's names of chains.
    public var from: VersionVector
    /// What whoever held ``from`` holds after it.
    public var to: VersionVector
    /// What it holds.
    public var counts: BundleCounts
    /// Bytes of everything after the header.
    public var contentBytes: UInt64
    /// Their SHA-256.
    public var contentHash: Digest

    /// A header of these parts.
    public init(
        bundle: Bytes16, volume: UInt64, volumes: UInt64, space: SpaceID, exporter: MemberID,
        certificate: Certificate, recipients: [BundleRecipient], created: Int64, from: VersionVector,
        to: VersionVector,
        counts: BundleCounts, contentBytes: UInt64, contentHash: Digest
    ) {
        self.bundle = bundle
        self.volume = volume
        self.volumes = volumes
        self.space = space
        self.exporter = exporter
        self.certificate = certificate
        self.recipients = recipients
        self.created = min(max(0, created), Limits.timestamp)
        self.from = from
        self.to = to
        self.counts = counts
        self.contentBytes = contentBytes
        self.contentHash = contentHash
    }

    /// Whether a node may import the bundle.
    ///
    /// - Parameter key: the fingerprint of its key for key agreement.
    public func isFor(_ member: MemberID, key: Digest) -> Bool {
        recipients.contains { $0.member == member && ($0.key == nil || $0.key == key) }
    }

    // MARK: Bytes

    /// The canonical bytes, which are hashed and signed.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(capacity: 512 + 28 * (from.elements.count + to.elements.count))
        writer.array(Self.parts)
        writer.text(Self.label)
        writer.unsigned(BundleLimits.level)
        writer.byteString(bundle.bytes)
        writer.unsigned(volume)
        writer.unsigned(volumes)
        writer.digest(space.digest)
        writer.digest(exporter.digest)
        writer.byteString(certificate.der)
        writer.array(recipients.count)
        for recipient in recipients {
            writer.array(2)
            writer.digest(recipient.member.digest)
            writer.byteString(recipient.key?.bytes ?? [])
        }
        writer.unsigned(UInt64(created))
        writer.dots(from.dots)
        writer.dots(to.dots)
        writer.unsigned(counts.changes)
        writer.unsigned(counts.receipts)
        writer.unsigned(counts.files)
        writer.unsigned(contentBytes)
        writer.digest(contentHash)
        return writer.bytes
    }

    /// Reads a header.
    ///
    /// - Throws: ``ConcordError`` E-3056 if it is of a later level, E-3052 for anything else.
    init(encoded bytes: [UInt8]) throws {
        do {
            var reader = CBORReader(bytes)
            let parts = try reader.array(upTo: 256)
            guard parts >= 2, try reader.text(upTo: Limits.nameBytes) == Self.label else {
                throw Self.refusal("its header is none")
            }
            let level = try reader.unsigned()
            guard level <= BundleLimits.level else {
                throw ConcordError(
                    .newerBundle,
                    "the bundle is of level \(level), this program reads up to \(BundleLimits.level)")
            }
            guard parts == Self.parts else { throw Self.refusal("its header has \(parts) parts") }
            try self.init(from: &reader)
            try reader.expectEnd()
        } catch let error as CBORError {
            throw Self.refusal("its header cannot be read: \(error)")
        }
        guard (1...UInt64(BundleLimits.volumes)).contains(volumes), (1...volumes).contains(volume) else {
            throw Self.refusal("it says to be volume \(volume) of \(volumes)")
        }
        guard contentBytes <= UInt64(BundleLimits.volumeBytes) else {
            throw ConcordError(
                .limitExceeded,
                "a volume of \(contentBytes) bytes is larger than \(BundleLimits.volumeBytes)")
        }
    }

    private init(from reader: inout CBORReader) throws {
        guard let bundle = Bytes16(try reader.byteString(count: 16)) else {
            throw Self.refusal("its name has not 16 bytes")
        }
        self.bundle = bundle
        volume = try reader.unsigned()
        volumes = try reader.unsigned()
        space = SpaceID(try reader.digest())
        exporter = MemberID(try reader.digest())
        let der = try reader.byteString(upTo: Limits.certificateBytes)
        guard let certificate = try? Certificate(der: der), certificate.purpose == .signing else {
            throw Self.refusal("its exporter's certificate cannot be read")
        }
        self.certificate = certificate
        recipients = []
        for _ in 0..<(try reader.array(upTo: BundleLimits.recipients)) {
            try reader.array(count: 2)
            let member = MemberID(try reader.digest())
            let key = try reader.byteString(upTo: Digest.byteCount)
            guard key.isEmpty || key.count == Digest.byteCount else {
                throw Self.refusal("a key's fingerprint has \(key.count) bytes")
            }
            let next = BundleRecipient(member: member, key: Digest(bytes: key))
            if let last = recipients.last, last >= next {
                throw Self.refusal("its recipients are not in ascending order")
            }
            recipients.append(next)
        }
        created = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
        from = try Self.vector(&reader)
        to = try Self.vector(&reader)
        counts = BundleCounts()
        counts.changes = try reader.unsigned()
        counts.receipts = try reader.unsigned()
        counts.files = try reader.unsigned()
        contentBytes = try reader.unsigned()
        contentHash = try reader.digest()
    }

    private static func vector(_ reader: inout CBORReader) throws -> VersionVector {
        do {
            let dots = try reader.dots(upTo: Limits.versionVectorEntries)
            for (a, b) in zip(dots, dots.dropFirst()) where a.replica == b.replica {
                throw refusal("a version vector names a replica twice")
            }
            return VersionVector(dots)
        } catch let error as ConcordError where error.code != .alteredBundle {
            throw refusal(error.message)
        }
    }

    static func refusal(_ reason: String) -> ConcordError {
        ConcordError(.alteredBundle, "the bundle is refused: \(reason)")
    }
}
