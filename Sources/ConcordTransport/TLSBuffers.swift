// The buffers between the network and OpenSSL, and the BIO by which OpenSSL reaches them.

import COpenSSL
import ConcordCrypto
import NIOCore

/// Ciphertext on its way in and out.
final class TLSBuffers {
    /// What OpenSSL has not read yet.
    private(set) var input = ByteBuffer()
    private var segment = ByteBuffer()
    private var fullSegments = CircularBuffer<ByteBuffer>()

    /// Three records of 16 KiB with their framing.
    private static let segmentBytes = 3 * (16 * 1024 + 22)

    /// Makes `ssl` read and write these buffers. They must live as long as `ssl` is used.
    func attach(to ssl: OpaquePointer) throws {
        guard let bio = BIO_new(Self.method) else {
            throw CryptoError(.library, "OpenSSL could not make a BIO.")
        }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        SSL_set_bio(ssl, bio, bio)  // the same twice: takes over the one reference
    }

    /// Adds input.
    func append(_ buffer: ByteBuffer) {
        if input.readableBytes == 0 {
            input = buffer
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(buffer)
        }
    }

    /// The next segment of output.
    func takeOutput() -> ByteBuffer? {
        if let full = fullSegments.popFirst() { return full }
        guard segment.readableBytes > 0 else { return nil }
        let last = segment
        segment = ByteBuffer()
        return last
    }

    private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, input.readableBytes)
        return input.readWithUnsafeReadableBytes { source in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
            return count
        }
    }

    private func write(_ source: UnsafeRawBufferPointer) {
        if segment.readableBytes > 0, segment.readableBytes + source.count > Self.segmentBytes {
            fullSegments.append(segment)
            segment = ByteBuffer()
        }
        if segment.capacity == 0 { segment.reserveCapacity(source.count > 4096 ? Self.segmentBytes : 4096) }
        segment.writeBytes(source)
    }

    // MARK: The BIO

    // One method table per process, never changed after it is made. Its callbacks find the buffers in the
    // BIO's data.
    private nonisolated(unsafe) static let method: OpaquePointer = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "concord") else {
            preconditionFailure("OpenSSL has no memory for a BIO method.")
        }
        let isComplete =
            BIO_meth_set_create(method) { bio in
                BIO_set_init(bio, 1)
                return 1
            } == 1
            && BIO_meth_set_read(method) { bio, target, count in
                concord_bio_clear_retry(bio)
                let space = UnsafeMutableRawBufferPointer(start: target, count: Int(count))
                let read = TLSBuffers.with(bio) { $0.read(into: space) }
                guard read > 0 else {
                    concord_bio_retry_read(bio)
                    return -1
                }
                return Int32(read)
            } == 1
            && BIO_meth_set_write(method) { bio, source, count in
                concord_bio_clear_retry(bio)
                let bytes = UnsafeRawBufferPointer(start: source, count: Int(count))
                TLSBuffers.with(bio) { $0.write(bytes) }
                return count
            } == 1
            && BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 } == 1
        precondition(isComplete, "OpenSSL refuses a BIO method.")
        return method
    }()

    private static func with<Result>(_ bio: OpaquePointer?, _ body: (TLSBuffers) -> Result) -> Result {
        guard let data = BIO_get_data(bio) else { preconditionFailure("The BIO has lost its buffers.") }
        return Unmanaged<TLSBuffers>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
    }
}
