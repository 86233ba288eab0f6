// What the same OpenSSL does on a loopback socket with nothing around it: mutual TLS 1.3 with the settings of Concord,
// blocking sockets, one thread for each side. The measure of what a connection can carry here and now.

import COpenSSL
import ConcordCrypto
import Foundation
import Glibc

/// Measures a bare TLS connection.
enum BareTLS {
    /// How long so many bytes take one way, until the receiver says that it has them all, and the handshake before; in
    /// milliseconds.
    static func transfer(bytes count: Int) async throws -> (handshake: Double, milliseconds: Double) {
        let start = ContinuousClock.now
        return try await withPair { near in
            let handshake = start.milliseconds
            let block = [UInt8](repeating: 0x5a, count: 16 * 1024)
            let (milliseconds, _) = try Stopwatch.measure {
                var rest = count
                while rest > 0 { rest -= try near.write(block, atMost: rest) }
                return try near.read(1)
            }
            return (handshake, milliseconds)
        } far: { far in
            var rest = count
            while rest > 0 { rest -= try far.read(min(rest, 16 * 1024)) }
            _ = try far.write([1], atMost: 1)
        }
    }

    /// Round trips of messages of so many bytes.
    static func roundTrips(_ count: Int, bytes: Int) async throws -> Distribution {
        let message = [UInt8](repeating: 0x5a, count: bytes)
        return try await withPair { near in
            Distribution(
                try (0..<count).map { _ in
                    try Stopwatch.measure {
                        try near.writeAll(message)
                        try near.readAll(bytes)
                    }.milliseconds
                })
        } far: { far in
            for _ in 0..<count {
                try far.readAll(bytes)
                try far.writeAll(message)
            }
        }
    }

    /// Runs the two sides of a new connection, after the handshake, each on a thread of its own.
    private static func withPair<Result: Sendable>(
        near: @escaping @Sendable (TLSEnd) throws -> Result, far: @escaping @Sendable (TLSEnd) throws -> Void
    ) async throws -> Result {
        let (nearContext, farContext) = try (identity("ESP"), identity("DEU"))
        let (nearSocket, farSocket) = try loopbackPair()
        async let other: Void = onThread {
            try far(try TLSEnd(farContext, .responder, socket: farSocket))
        }
        async let result = onThread {
            try near(try TLSEnd(nearContext, .initiator, socket: nearSocket))
        }
        try await other
        return try await result
    }

    private static func identity(_ code: String) throws -> TLSContext {
        let now = Int64(Date().timeIntervalSince1970)
        let (authorityKey, key) = (try PrivateKey.generate(), try PrivateKey.generate())
        let authority = try CertificateIssuer.authority(
            subject: CertificateSubject(
                memberCode: code, memberName: "Land \(code)", commonName: "\(code) authority"),
            key: authorityKey, notBefore: now - 60, notAfter: now + 3600)
        let certificate = try CertificateIssuer.node(
            commonName: code, publicKey: key.publicKey, purpose: .signing, issuer: authority,
            issuerKey: authorityKey, notBefore: now - 60, notAfter: now + 3600)
        return try TLSContext(
            TLSConfiguration(certificate: certificate, authority: authority, key: key) { _ in .accept })
    }

    /// Runs blocking code on a thread of its own.
    private static func onThread<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    /// Two connected TCP sockets of loopback, without delay of small segments.
    private static func loopbackPair() throws -> (near: Int32, far: Int32) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0 && connect(near, address, length) == 0
            }
        }
        let far = isConnected ? accept(listener, nil, nil) : -1
        guard far >= 0 else { throw BenchError("two sockets of loopback cannot be connected") }
        for descriptor in [near, far] {
            var one: Int32 = 1
            setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        return (near, far)
    }
}

/// One end of a bare TLS connection; used by one thread.
private final class TLSEnd {
    private let connection: TLSConnection
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 16 * 1024)

    /// Takes the socket over and makes the handshake.
    init(_ context: TLSContext, _ side: TLSConnection.Side, socket: Int32) throws {
        descriptor = socket
        connection = try TLSConnection(context: context, side: side)
        guard SSL_set_fd(connection.ssl, socket) == 1, SSL_do_handshake(connection.ssl) == 1 else {
            throw BenchError("a bare TLS connection cannot be made: \(TLSFailure.take().text)")
        }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8], atMost limit: Int) throws -> Int {
        var count = 0
        guard SSL_write_ex(connection.ssl, bytes, min(bytes.count, limit), &count) == 1 else {
            throw BenchError("a bare TLS connection takes nothing: \(TLSFailure.take().text)")
        }
        return count
    }

    func read(_ limit: Int) throws -> Int {
        var count = 0
        guard SSL_read_ex(connection.ssl, &buffer, min(limit, buffer.count), &count) == 1 else {
            throw BenchError("a bare TLS connection brings nothing: \(TLSFailure.take().text)")
        }
        return count
    }

    func writeAll(_ bytes: [UInt8]) throws {
        guard try write(bytes, atMost: bytes.count) == bytes.count else {
            throw BenchError("a bare TLS connection takes only a part")
        }
    }

    func readAll(_ count: Int) throws {
        var rest = count
        while rest > 0 { rest -= try read(rest) }
    }
}
