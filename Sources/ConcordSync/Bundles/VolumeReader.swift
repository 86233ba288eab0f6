// Reads a volume in the clear, wherever its bytes lie. A volume is known to be whole and genuine before anything of it is
// looked at: first its header's signature, then the hash of everything after it (Protocol/bundles.md).

import ConcordCrypto
import ConcordModel

/// Where the bytes of a volume lie.
public protocol VolumeSource: Sendable {
    /// How many there are.
    var byteCount: Int64 { get }
    /// At most `count` bytes from `offset`: fewer only where they end.
    func read(at offset: Int64, count: Int) throws -> [UInt8]
}

/// Bytes in memory are a source.
extension [UInt8]: VolumeSource {
    public var byteCount: Int64 { Int64(count) }

    public func read(at offset: Int64, count: Int) -> [UInt8] { Array(dropFirst(Int(offset)).prefix(count)) }
}

/// A volume that was found whole.
public struct VolumeReader<Source: VolumeSource>: Sendable {
    /// Bytes that are read at once to be hashed.
    private static var pieceBytes: Int { 256 << 10 }

    /// Its header, whose signature verifies.
    public let signed: SignedBundleHeader
    private let source: Source
    private let contentOffset: Int64

    /// Reads the header and checks everything after it.
    ///
    /// - Throws: ``ConcordError`` E-3050 to E-3052 or E-3056 with what is wrong.
    public init(_ source: Source) throws {
        self.source = source
        (signed, contentOffset) = try Self.header(of: source)
        try checkContents()
    }

    private static func header(of source: Source) throws -> (SignedBundleHeader, Int64) {
        let magic = BundleFrames.magic
        let beginning = try source.read(at: 0, count: magic.count + BundleFrames.lengthBytes)
        guard beginning.starts(with: magic) else {
            if !beginning.isEmpty, magic.starts(with: beginning) { throw truncated() }
            // The same in the form of other systems: what carried the file took it for a text.
            if beginning.starts(with: magic.prefix(14)) {
                throw ConcordError(
                    .alteredBundle,
                    "the bundle was changed on its way, as if it were a text: its line breaks differ")
            }
            throw ConcordError(.notABundle, beginning.isEmpty ? "the file is empty" : "the file is no bundle")
        }
        guard beginning.count == magic.count + BundleFrames.lengthBytes else { throw truncated() }
        let count = try BundleFrames.payloadBytes(
            of: Array(beginning.suffix(BundleFrames.lengthBytes)), upTo: BundleLimits.headerBytes)
        let payload = try source.read(at: Int64(beginning.count), count: count)
        guard payload.count == count else { throw truncated() }
        return (try SignedBundleHeader(encoded: payload), Int64(beginning.count + count))
    }

    private func checkContents() throws {
        let expected = Int64(signed.header.contentBytes)
        let found = source.byteCount - contentOffset
        guard found >= expected else { throw Self.truncated() }
        guard found == expected else {
            throw ConcordError(.alteredBundle, "the bundle is altered: something follows its end")
        }
        var hash = SHA256()
        var offset = contentOffset
        while offset < source.byteCount {
            let piece = try source.read(at: offset, count: Self.pieceBytes)
            guard !piece.isEmpty else { throw Self.truncated() }
            hash.update(piece)
            offset += Int64(piece.count)
        }
        guard hash.finalize() == signed.header.contentHash else {
            throw ConcordError(
                .alteredBundle, "the bundle is altered: its contents are not what its exporter signed")
        }
    }

    private static func truncated() -> ConcordError {
        ConcordError(.truncatedBundle, "the bundle is not whole: it ends before its own end")
    }

    // MARK: Frames

    /// Reads what the volume holds, frame by frame.
    public struct Frames {
        private let source: Source
        private let space: SpaceID
        private var offset: Int64

        fileprivate init(of volume: VolumeReader) {
            (source, space, offset) = (volume.source, volume.signed.header.space, volume.contentOffset)
        }

        /// What the next frame holds; nil at the end.
        ///
        /// - Throws: ``ConcordError`` E-3052 for a frame that has no place in a bundle.
        public mutating func next() throws -> BundleFrames.Content? {
            guard offset < source.byteCount else { return nil }
            let count = try BundleFrames.payloadBytes(of: try take(BundleFrames.lengthBytes))
            return try BundleFrames.read(try take(count), in: space)
        }

        private mutating func take(_ count: Int) throws -> [UInt8] {
            let bytes = try source.read(at: offset, count: count)
            guard bytes.count == count else {
                throw ConcordError(.alteredBundle, "the bundle ends inside a frame")
            }
            offset += Int64(count)
            return bytes
        }
    }

    /// What the volume holds, from its beginning.
    public var frames: Frames { Frames(of: self) }
}
