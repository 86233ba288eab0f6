// Where bundles lie while they are made or taken in: too large for memory, and nobody else's business. A scratch file has
// no name from its first moment on, so that nothing of it stays behind, however the process ends.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Glibc
import Synchronization

/// The folder on whose disk scratch files lie, and the bytes of that disk that are left for what people write meanwhile.
public struct ScratchFolder: Sendable {
    let path: String
    let reserveBytes: Int64

    /// This folder.
    public init(_ path: String, reserveBytes: Int64 = StorageLimits.reserveBytes) {
        self.path = path
        self.reserveBytes = reserveBytes
    }

    /// Whether so many bytes more fit; what cannot be told is left to the attempt.
    func hasRoom(for bytes: Int64) -> Bool {
        FileSystem.freeBytes(path).map { $0 >= bytes + reserveBytes } ?? true
    }
}

/// A file without a name, readable by this process alone.
public final class ScratchFile: VolumeSource {
    private let descriptor: Int32
    private let folder: ScratchFolder
    private let count = Mutex<Int64>(0)

    /// A new file on the disk of `folder`.
    ///
    /// - Throws: ``ConcordError`` E-5005 or E-5004.
    public init(in folder: ScratchFolder) throws {
        self.folder = folder
        let random = try ConcordError.mappingCrypto("a temporary file") { try Randomness.bytes(8) }
        let path = "\(folder.path)/.bundle-\(random.map { String($0, radix: 16) }.joined())"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw FileSystem.refusal(.unwritableHome, "a temporary file in \(folder.path) cannot be made")
        }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Bytes that were appended.
    public var byteCount: Int64 { count.withLock { $0 } }

    /// Adds bytes at the end. Some room is left on the disk for what people write meanwhile.
    ///
    /// - Throws: ``ConcordError`` E-5005 or E-5004.
    public func append(_ bytes: [UInt8]) throws {
        guard folder.hasRoom(for: Int64(bytes.count)) else {
            throw ConcordError(.diskFull, "the disk has no room for a bundle")
        }
        try count.withLock { count in
            var done = 0
            while done < bytes.count {
                let written = bytes.withUnsafeBytes {
                    pwrite(descriptor, $0.baseAddress! + done, bytes.count - done, off_t(count) + off_t(done))
                }
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    throw FileSystem.refusal(.unwritableHome, "a temporary file cannot be written")
                }
                done += written
            }
            count += Int64(bytes.count)
        }
    }

    /// At most `count` bytes from `offset`; fewer only at the end.
    ///
    /// - Throws: ``ConcordError`` E-5001.
    public func read(at offset: Int64, count: Int) throws -> [UInt8] {
        let wanted = Int(max(0, min(Int64(count), byteCount - offset)))
        return try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
            while initialized < wanted {
                let got = pread(
                    descriptor, buffer.baseAddress! + initialized, wanted - initialized,
                    off_t(offset) + off_t(initialized))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    throw FileSystem.refusal(.storeFailure, "a temporary file cannot be read")
                }
                initialized += got
            }
        }
    }

    /// Gives everything from `end` on back to the disk.
    func truncate(to end: Int64) throws {
        try count.withLock { count in
            guard ftruncate(descriptor, off_t(end)) == 0 else {
                throw FileSystem.refusal(.unwritableHome, "a temporary file cannot be shortened")
            }
            count = end
        }
    }

    /// Hands over everything from `offset` on in pieces.
    func forEachPiece(from offset: Int64, upTo end: Int64, _ body: ([UInt8]) throws -> Void) throws {
        var place = offset
        while place < end {
            let piece = try read(at: place, count: Int(min(Int64(BundlePolicyLimits.readBytes), end - place)))
            guard !piece.isEmpty else { return }
            try body(piece)
            place += Int64(piece.count)
        }
    }
}
