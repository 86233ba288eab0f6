// An open file of the blob store: bytes at places, durable when asked. Errors of the system become coded ones at once,
// since nobody later knows what `errno` was.

import ConcordModel
import Glibc

/// A file that is read and written at places. Closed when its last reference goes.
final class BlobFile: Sendable {
    /// The path under which it was opened.
    let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Opens a file to read.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: ``ConcordError`` E-5001 if it cannot be read.
    static func reading(_ path: String) throws -> BlobFile? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw refusal(.storeFailure, "\(path) cannot be read")
        }
        return BlobFile(path: path, descriptor: descriptor)
    }

    /// Opens a file to read and write, and makes it (0640) if it is not there.
    ///
    /// - Throws: ``ConcordError`` E-5005 or E-5004.
    static func writing(_ path: String) throws -> BlobFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw refusal(.unwritableHome, "\(path) cannot be written") }
        return BlobFile(path: path, descriptor: descriptor)
    }

    /// Bytes of the file.
    func size() throws -> Int64 {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw Self.refusal(.storeFailure, "\(path) cannot be read")
        }
        return Int64(information.st_size)
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws -> [UInt8] {
        var done = 0
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while done < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, count - done,
                    off_t(offset) + off_t(done))
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw Self.refusal(.storeFailure, "\(path) cannot be read") }
                if got == 0 { break }
                done += got
            }
            initialized = done
        }
        return bytes
    }

    /// Writes all bytes from `offset`.
    func write(_ bytes: [UInt8], at offset: Int64) throws {
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    /// Writes all bytes from `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.refusal(.unwritableHome, "\(path) cannot be written") }
            done += count
        }
    }

    /// Has the system begin to write a part back, so that making it durable later takes less time.
    func startWriteback(_ range: Range<Int64>) {
        // A hint: without it everything is the same, but slower.
        _ = Self.synchronizeRange?(descriptor, range.lowerBound, range.upperBound - range.lowerBound, 2)
    }

    private typealias SynchronizeRange = @convention(c) (Int32, Int64, Int64, UInt32) -> Int32
    /// sync_file_range(2), which Swift's import of Glibc's headers leaves out; its flag 2 is SYNC_FILE_RANGE_WRITE.
    private static let synchronizeRange: SynchronizeRange? = dlsym(nil, "sync_file_range").map {
        unsafeBitCast($0, to: SynchronizeRange.self)
    }

    /// Makes what was written durable.
    func synchronize() throws {
        guard fdatasync(descriptor) == 0 else {
            throw Self.refusal(.unwritableHome, "\(path) cannot be made durable")
        }
    }

    /// An error with the system's reason.
    static func refusal(_ code: ErrorCode, _ message: String) -> ConcordError {
        let number = errno
        let reason = String(cString: strerror(number))
        return ConcordError(number == ENOSPC || number == EDQUOT ? .diskFull : code, "\(message): \(reason)")
    }
}
