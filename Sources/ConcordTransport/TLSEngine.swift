// TLS without a socket: ciphertext in, plaintext out, and the other way round. OpenSSL reads and writes the
// engine's ByteBuffers through callbacks of its own BIO (its memory BIO would cost two thirds of the
// throughput). The engine knows no channel, clock or thread; it is confined to whoever owns it.
//
// Output is cut into segments of at most three records (48 KiB), below the size from which glibc maps memory
// afresh.

import COpenSSL
import ConcordCrypto
import NIOCore

/// One end of a TLS connection as a state machine over buffers.
final class TLSEngine {
    /// What became of the handshake.
    enum HandshakeStep {
        /// More input is needed.
        case starved
        /// Done; this is the peer, proved and accepted.
        case finished(PeerCertificates)
        /// It failed; the output may hold an alert for the peer.
        case failed(TransportError)
    }

    /// What became of the decryption.
    enum DecryptStep {
        /// The buffer is full; there may be more.
        case full
        /// More input is needed.
        case starved
        /// The peer has said that it sends no more (close_notify).
        case ended
        /// The stream is broken, or the peer sent an alert.
        case failed(TransportError)
    }

    private let connection: TLSConnection
    private let buffers: TLSBuffers
    private let keyUpdateBytes: Int
    private var bytesUnderKey = 0
    private var isSniffed = false
    /// Ciphertext received so far, in bytes.
    private(set) var bytesReceived = 0

    private static let recordBytes = 16 * 1024

    init(context: TLSContext, side: TLSConnection.Side, keyUpdateBytes: Int) throws {
        connection = try TLSConnection(context: context, side: side)
        buffers = TLSBuffers()
        self.keyUpdateBytes = keyUpdateBytes
        try buffers.attach(to: connection.ssl)
    }

    /// Whether ciphertext waits to be decrypted.
    var hasInput: Bool { buffers.input.readableBytes > 0 }

    /// Takes ciphertext from the network.
    func receive(_ buffer: ByteBuffer) {
        bytesReceived += buffer.readableBytes
        buffers.append(buffer)
    }

    /// The next segment of ciphertext for the network.
    func takeOutput() -> ByteBuffer? { buffers.takeOutput() }

    /// Carries the handshake on with what was received.
    func handshake() -> HandshakeStep {
        guard !isForeign() else { return .failed(TransportError(.notTLS)) }
        ERR_clear_error()
        let status = SSL_do_handshake(connection.ssl)
        if status == 1 {
            guard connection.hasAgreedProtocol else { return .failed(TransportError(.applicationProtocol)) }
            guard let peer = connection.peer else { return .failed(TransportError(.handshakeFailed)) }
            return .finished(peer)
        }
        if SSL_get_error(connection.ssl, status) == SSL_ERROR_WANT_READ { return .starved }
        return .failed(handshakeError(TLSFailure.take()))
    }

    /// Fills `buffer` up to its capacity with plaintext.
    func decrypt(into buffer: inout ByteBuffer) -> DecryptStep {
        ERR_clear_error()
        while buffer.writableBytes >= Self.recordBytes {
            var count = 0
            var status: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.recordBytes) { space in
                status = SSL_read_ex(connection.ssl, space.baseAddress, space.count, &count)
                return status == 1 ? count : 0
            }
            guard status == 1 else {
                switch SSL_get_error(connection.ssl, status) {
                case SSL_ERROR_WANT_READ: return .starved
                case SSL_ERROR_ZERO_RETURN: return .ended
                default: return .failed(streamError(TLSFailure.take()))
                }
            }
        }
        return .full
    }

    /// Encrypts all of `buffer`.
    func encrypt(_ buffer: ByteBuffer) throws(TransportError) {
        ERR_clear_error()
        let isEncrypted = buffer.withUnsafeReadableBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                var written = 0
                let count = min(bytes.count - offset, Self.recordBytes)
                guard let start = bytes.baseAddress,
                    SSL_write_ex(connection.ssl, start + offset, count, &written) == 1
                else { return false }
                offset += written
                guard changeKey(after: written) else { return false }
            }
            return true
        }
        guard isEncrypted else { throw streamError(TLSFailure.take()) }
    }

    /// Says that nothing more is sent (close_notify). What the peer sends can still be decrypted.
    func closeOutput() {
        ERR_clear_error()
        // -1 would mean that the message does not fit into the output, which has no bound; 0 and 1 tell
        // whether the peer has closed, too.
        if SSL_shutdown(connection.ssl) < 0 { ERR_clear_error() }
    }

    /// Changes this side's key when it is used up, and asks the peer, which may not count, to do the same.
    private func changeKey(after count: Int) -> Bool {
        bytesUnderKey += count
        guard bytesUnderKey >= keyUpdateBytes else { return true }
        bytesUnderKey = 0
        return SSL_key_update(connection.ssl, SSL_KEY_UPDATE_REQUESTED) == 1
    }

    /// Whether the first bytes cannot be TLS: a record of a handshake or an alert, whose version begins with
    /// 3.
    private func isForeign() -> Bool {
        let input = buffers.input
        guard !isSniffed, let first = input.getInteger(at: input.readerIndex, as: UInt8.self) else {
            return false
        }
        guard first == SSL3_RT_HANDSHAKE || first == SSL3_RT_ALERT else { return true }
        guard let second = input.getInteger(at: input.readerIndex + 1, as: UInt8.self) else { return false }
        isSniffed = true
        return second != SSL3_VERSION_MAJOR
    }

    private func handshakeError(_ failure: TLSFailure) -> TransportError {
        if let refusal = connection.refusal { return TransportError(.refusedPeer(refusal)) }
        if connection.isProtocolRefused { return TransportError(.applicationProtocol) }
        for reason in failure.reasons {
            if let alert = Self.alert(reason) { return TransportError(alert: alert, detail: failure.text) }
            switch reason {
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
                return TransportError(.refusedPeer(.noCertificate), detail: failure.text)
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION:
                return TransportError(.protocolVersion, detail: failure.text)
            case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
                return TransportError(.notTLS, detail: failure.text)
            default: continue
            }
        }
        return TransportError(.handshakeFailed, detail: failure.text)
    }

    private func streamError(_ failure: TLSFailure) -> TransportError {
        for reason in failure.reasons {
            if let alert = Self.alert(reason) { return TransportError(alert: alert, detail: failure.text) }
        }
        return TransportError(.corrupted, detail: failure.text)
    }

    private static func alert(_ reason: Int32) -> UInt8? {
        UInt8(exactly: reason - SSL_AD_REASON_OFFSET)
    }
}
