// A volume that was found whole: its envelope, if it has one, is opened, its header's signature and the hash of everything
// after it are checked. Nothing of it was looked at before, and nothing of it is taken yet.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// An opened volume.
public struct BundleVolume: Sendable {
    /// Its header, whose signature verifies.
    public let signed: SignedBundleHeader
    /// Whether it came in an envelope.
    public let isEncrypted: Bool
    /// Bytes of the file that came.
    public let fileBytes: Int64
    private let file: ScratchFile
    private let contentOffset: Int64

    /// The header.
    public var header: BundleHeader { signed.header }

    /// Reads what the volume holds, frame by frame.
    public struct Frames {
        private let file: ScratchFile
        private let space: SpaceID
        private var offset: Int64

        fileprivate init(of volume: BundleVolume) {
            (file, space, offset) = (volume.file, volume.header.space, volume.contentOffset)
        }

        /// What the next frame holds; nil at the end.
        ///
        /// - Throws: ``ConcordError`` E-3052 for a frame that has no place in a bundle.
        public mutating func next() throws -> BundleFrames.Content? {
            guard offset < file.byteCount else { return nil }
            let count = try BundleFrames.payloadBytes(of: try take(BundleFrames.lengthBytes))
            return try BundleFrames.read(try take(count), in: space)
        }

        private mutating func take(_ count: Int) throws -> [UInt8] {
            let bytes = try file.read(at: offset, count: count)
            guard bytes.count == count else {
                throw ConcordError(.alteredBundle, "the bundle ends inside a frame")
            }
            offset += Int64(count)
            return bytes
        }
    }

    /// What the volume holds, from its beginning.
    public var frames: Frames { Frames(of: self) }

    // MARK: Opening

    /// The key for key agreement, and a certificate of it.
    public struct Key: Sendable {
        /// The key.
        public let key: PrivateKey
        /// Any certificate of it.
        public let certificate: Certificate

        /// A key and its certificate.
        public init(key: PrivateKey, certificate: Certificate) {
            self.key = key
            self.certificate = certificate
        }
    }

    /// Opens what came.
    ///
    /// - Parameter folder: where a decrypted volume lies meanwhile.
    /// - Throws: ``ConcordError`` E-3050 to E-3053 or E-3056 with what is wrong.
    public init(_ file: ScratchFile, key: Key, folder: ScratchFolder) throws {
        fileBytes = file.byteCount
        guard fileBytes <= Int64(BundleLimits.volumeBytes) else {
            throw ConcordError(
                .limitExceeded, "a volume of \(fileBytes) bytes is larger than \(BundleLimits.volumeBytes)")
        }
        let beginning = try file.read(at: 0, count: CryptoLimits.envelopeHeadBytes)
        isEncrypted = CMSEnvelope.begins(beginning)
        self.file = isEncrypted ? try Self.decrypt(file, beginning, key, folder) : file
        (signed, contentOffset) = try Self.header(of: self.file)
        try checkContents()
    }

    private static func decrypt(
        _ file: ScratchFile, _ beginning: [UInt8], _ key: Key, _ folder: ScratchFolder
    ) throws -> ScratchFile {
        do {
            let envelope = try CMSEnvelope(beginning: beginning, byteCount: Int(file.byteCount))
            let end = Int64(envelope.contentOffset + envelope.contentCount)
            let tail = try file.read(at: end, count: CMSEnvelope.tailByteCount)
            let decryption = try CMSDecryption(
                envelope, tail: tail, key: key.key, certificate: key.certificate)
            let plain = try ScratchFile(in: folder)
            try file.forEachPiece(from: Int64(envelope.contentOffset), upTo: end) {
                try plain.append(try decryption.update($0))
            }
            try plain.append(try decryption.finish())
            return plain
        } catch let error as CryptoError {
            throw refusal(error)
        }
    }

    private static func refusal(_ error: CryptoError) -> ConcordError {
        switch error.code {
        case .truncatedEnvelope:
            ConcordError(.truncatedBundle, "the bundle is not whole: it ends before its own end")
        case .notARecipient:
            ConcordError(.bundleForOthers, "the bundle is encrypted to others, and not to this node's key")
        case .malformedEnvelope, .alteredEnvelope:
            ConcordError(.alteredBundle, "the bundle cannot be decrypted: it is not as it was encrypted")
        default: ConcordError(error, subject: "the bundle")
        }
    }

    private static func header(of file: ScratchFile) throws -> (SignedBundleHeader, Int64) {
        let magic = BundleFrames.magic
        let beginning = try file.read(at: 0, count: magic.count + BundleFrames.lengthBytes)
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
        let payload = try file.read(at: Int64(beginning.count), count: count)
        guard payload.count == count else { throw truncated() }
        return (try SignedBundleHeader(encoded: payload), Int64(beginning.count + count))
    }

    private func checkContents() throws {
        let expected = Int64(header.contentBytes)
        let found = file.byteCount - contentOffset
        guard found >= expected else { throw Self.truncated() }
        guard found == expected else {
            throw ConcordError(.alteredBundle, "the bundle is altered: something follows its end")
        }
        var hash = SHA256()
        try file.forEachPiece(from: contentOffset, upTo: file.byteCount) { hash.update($0) }
        guard hash.finalize() == header.contentHash else {
            throw ConcordError(
                .alteredBundle, "the bundle is altered: its contents are not what its exporter signed")
        }
    }

    private static func truncated() -> ConcordError {
        ConcordError(.truncatedBundle, "the bundle is not whole: it ends before its own end")
    }
}
