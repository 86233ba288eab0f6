// A volume that was found whole: its envelope, if it has one, is opened, and what was in it is checked. Nothing of it was
// looked at before, and nothing of it is taken yet.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// An opened volume.
public struct BundleVolume: Sendable {
    /// Whether it came in an envelope.
    public let isEncrypted: Bool
    /// Bytes of the file that came.
    public let fileBytes: Int64
    private let reader: VolumeReader<ScratchFile>

    /// Its header, whose signature verifies.
    public var signed: SignedBundleHeader { reader.signed }
    /// The same without the signature.
    public var header: BundleHeader { signed.header }
    /// What it holds, frame by frame.
    public var frames: VolumeReader<ScratchFile>.Frames { reader.frames }

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
        reader = try VolumeReader(isEncrypted ? try Self.decrypt(file, beginning, key, folder) : file)
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
}
