// SHA-256 (FIPS 180-4) by OpenSSL. The algorithm is fetched once per process and a context is used again and
// again: for inputs of 64 bytes that is two to four times faster than EVP_Digest, whose cost is mostly the
// look-up and allocation. A failure here can only be a library without SHA-256 or without memory, so it
// traps.

import COpenSSL
import Glibc

/// An incremental SHA-256. After ``finalize()`` the same value hashes the next input.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer
    private var isStarted = false

    /// A hash of nothing so far.
    public init() {
        guard let context = EVP_MD_CTX_new() else {
            preconditionFailure("OpenSSL has no memory for a digest context.")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in more bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Takes in more bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        start()
        Self.update(context, bytes)
    }

    /// The hash of all that was taken in since the start or the last call.
    public mutating func finalize() -> Digest {
        start()
        isStarted = false
        return Self.finalize(context)
    }

    /// The hash of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> Digest {
        let context = threadContext()
        begin(context)
        bytes.withUnsafeBytes { update(context, $0) }
        return finalize(context)
    }

    /// The hash of the concatenation of `parts`.
    public static func hash(_ parts: [UInt8]...) -> Digest {
        let context = threadContext()
        begin(context)
        for part in parts { part.withUnsafeBytes { update(context, $0) } }
        return finalize(context)
    }

    /// The hash of a digest and, after it, a part of `bytes`.
    public static func hash(_ digest: Digest, _ bytes: [UInt8], _ range: Range<Int>) -> Digest {
        let context = threadContext()
        begin(context)
        digest.withUnsafeBytes { update(context, $0) }
        bytes.withUnsafeBytes { update(context, UnsafeRawBufferPointer(rebasing: $0[range])) }
        return finalize(context)
    }

    /// The hash of a part of `bytes` and, after it, a digest.
    public static func hash(_ bytes: [UInt8], _ range: Range<Int>, _ digest: Digest) -> Digest {
        let context = threadContext()
        begin(context)
        bytes.withUnsafeBytes { update(context, UnsafeRawBufferPointer(rebasing: $0[range])) }
        digest.withUnsafeBytes { update(context, $0) }
        return finalize(context)
    }

    private mutating func start() {
        guard !isStarted else { return }
        Self.begin(context)
        isStarted = true
    }

    // MARK: The C interface

    // An EVP_MD is immutable once fetched and may be used by any thread.
    private nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("OpenSSL offers no SHA-256: check openssl.cnf and its providers.")
        }
        return algorithm
    }()

    private static let threadKey: pthread_key_t = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key) { EVP_MD_CTX_free(OpaquePointer($0)) }
        precondition(status == 0, "The process has no thread-specific key left for digest contexts.")
        return key
    }()

    /// This thread's context, for hashes that begin and end within one call.
    private static func threadContext() -> OpaquePointer {
        if let existing = pthread_getspecific(threadKey) { return OpaquePointer(existing) }
        guard let context = EVP_MD_CTX_new(), pthread_setspecific(threadKey, UnsafeRawPointer(context)) == 0
        else {
            preconditionFailure("OpenSSL has no memory for a digest context.")
        }
        return context
    }

    private static func begin(_ context: OpaquePointer) {
        precondition(EVP_DigestInit_ex2(context, algorithm, nil) == 1, "OpenSSL cannot start a SHA-256.")
    }

    private static func update(_ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        precondition(
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1,
            "OpenSSL cannot continue a SHA-256.")
    }

    private static func finalize(_ context: OpaquePointer) -> Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var count: UInt32 = 0
        let status = withUnsafeMutableBytes(of: &words) { buffer in
            EVP_DigestFinal_ex(context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &count)
        }
        precondition(status == 1 && count == Digest.byteCount, "OpenSSL cannot finish a SHA-256.")
        return Digest(bigEndian: words)
    }
}
