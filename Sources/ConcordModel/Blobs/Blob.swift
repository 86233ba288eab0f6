// A file as the network knows it: by the hash of its manifest, which names every chunk by the chunk's own hash. So a
// file has one name everywhere, and each part of it can be verified by itself, whoever brings it
// (Protocol/attachments.md).

import CBOR
import ConcordCrypto

/// The name of a file: the hash of its manifest.
public struct BlobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The hash itself.
    public let digest: Digest

    /// The blob with this hash.
    public init(_ digest: Digest) { self.digest = digest }

    /// The blob that 64 hexadecimal digits name, or nil if `text` is something else.
    public init?(hex text: String) {
        guard let digest = Digest(hex: text) else { return nil }
        self.digest = digest
    }

    public static func < (a: Self, b: Self) -> Bool { a.digest < b.digest }
    public var description: String { digest.description }
}

/// What a file consists of.
public struct BlobManifest: Hashable, Sendable {
    /// Bytes of the file.
    public let size: Int64
    /// Bytes of every chunk but the last, which has the rest.
    public let chunkBytes: Int
    /// The SHA-256 of each chunk.
    public let chunks: [Digest]

    /// A manifest of these parts.
    ///
    /// - Throws: ``ConcordError`` E-3002 if the file is larger than ``BlobLimits/blobBytes``, E-3020 if the chunks do not
    ///   fit its size.
    public init(size: Int64, chunks: [Digest]) throws {
        guard (0...Int64(BlobLimits.blobBytes)).contains(size) else {
            throw ConcordError(
                .limitExceeded, "an attachment has \(size) bytes, \(BlobLimits.blobBytes) are allowed")
        }
        chunkBytes = Self.chunkBytes(forSize: size)
        guard chunks.count == Self.chunkCount(size: size, chunkBytes: chunkBytes) else {
            throw ConcordError(
                .blobMismatch, "a file of \(size) bytes does not have \(chunks.count) chunks")
        }
        self.size = size
        self.chunks = chunks
    }

    /// The chunks' size for a file of `size` bytes: the smallest of which ``BlobLimits/chunks`` suffice.
    public static func chunkBytes(forSize size: Int64) -> Int {
        var bytes = BlobLimits.smallestChunkBytes
        while chunkCount(size: size, chunkBytes: bytes) > BlobLimits.chunks { bytes *= 2 }
        return bytes
    }

    /// How many chunks a file of `size` bytes has.
    public static func chunkCount(size: Int64, chunkBytes: Int) -> Int {
        Int((size + Int64(chunkBytes) - 1) / Int64(chunkBytes))
    }

    /// Where a chunk lies in the file.
    public func range(ofChunk index: Int) -> Range<Int64> {
        let start = Int64(index) * Int64(chunkBytes)
        return start..<min(start + Int64(chunkBytes), size)
    }

    /// The name of the file.
    public var id: BlobID { Self.id(ofEncoded: encoded()) }

    // MARK: Bytes

    private static let prefix = Array("concord/1 blob".utf8)

    /// The name of the file of which these are a manifest's bytes.
    public static func id(ofEncoded bytes: [UInt8]) -> BlobID { BlobID(SHA256.hash(prefix, bytes)) }

    /// `[size, chunk size, the hashes in a row]`.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(capacity: chunks.count * Digest.byteCount + 32)
        writer.array(3)
        writer.unsigned(UInt64(size))
        writer.unsigned(UInt64(chunkBytes))
        var hashes: [UInt8] = []
        hashes.reserveCapacity(chunks.count * Digest.byteCount)
        for chunk in chunks { chunk.append(to: &hashes) }
        writer.byteString(hashes)
        return writer.bytes
    }

    /// The length of the encoded manifest of a file of `size` bytes.
    public static func encodedByteCount(forSize size: Int64) -> Int {
        let chunkBytes = chunkBytes(forSize: size)
        var writer = CBORWriter(capacity: 32)
        writer.array(3)
        writer.unsigned(UInt64(size))
        writer.unsigned(UInt64(chunkBytes))
        let hashes = chunkCount(size: size, chunkBytes: chunkBytes) * Digest.byteCount
        let head = hashes < 24 ? 1 : hashes < 1 << 8 ? 2 : hashes < 1 << 16 ? 3 : 5
        return writer.bytes.count + head + hashes
    }

    /// Reads a manifest.
    ///
    /// - Throws: ``ConcordError`` E-3020 for what is none in its one form, E-3002 beyond a limit.
    public init(encoded bytes: [UInt8]) throws {
        guard bytes.count <= BlobLimits.manifestBytes else {
            throw ConcordError(
                .limitExceeded,
                "a manifest has \(bytes.count) bytes, \(BlobLimits.manifestBytes) are allowed")
        }
        do {
            var reader = CBORReader(bytes)
            try reader.array(count: 3)
            let size = try reader.unsigned(upTo: BlobLimits.blobBytes)
            let chunkBytes = try reader.unsigned(upTo: BlobLimits.largestChunkBytes)
            let hashes = try reader.byteString(upTo: BlobLimits.chunks * Digest.byteCount)
            try reader.expectEnd()
            guard hashes.count.isMultiple(of: Digest.byteCount) else {
                throw ConcordError(.blobMismatch, "a manifest ends inside a hash")
            }
            let starts = stride(from: 0, to: hashes.count, by: Digest.byteCount)
            try self.init(
                size: Int64(size),
                chunks: starts.compactMap { Digest(bytes: hashes[$0..<$0 + Digest.byteCount]) })
            guard self.chunkBytes == chunkBytes else {
                throw ConcordError(
                    .blobMismatch, "a file of \(size) bytes does not have chunks of \(chunkBytes)")
            }
        } catch let error as CBORError {
            let code: ErrorCode = error.reason == .tooLarge ? .limitExceeded : .blobMismatch
            throw ConcordError(code, "a manifest cannot be read: \(error)")
        }
    }
}
