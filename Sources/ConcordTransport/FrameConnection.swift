// An established connection as the rest of the program sees it: who the peer is, frames out, frames in. Both
// directions hold back: a sender waits for the network, and the network waits for the receiver.

import ConcordCrypto
import NIOCore
import Synchronization

/// A mutually authenticated, encrypted connection that carries frames.
///
/// For the side that dialled, the handshake ends before the peer has judged it (RFC 8446 §2): a refusal then
/// arrives with the first read, as a ``TransportError`` with the reason `.refusedByPeer`, from ``frames()``
/// and ``send(_:)`` alike. Only with the first frame is it certain that the peer has accepted.
///
/// The connection closes when its last reference goes away; ``close()`` does it in good order.
public final class FrameConnection: Sendable {
    /// Who the peer is.
    public let peer: PeerCertificates
    /// Address and port of the peer, for logs: `192.0.2.1:8440` or `[2001:db8::1]:8440`.
    public let remoteAddress: String
    /// Whether this side dialled.
    public let isInitiator: Bool

    private let channel: any Channel
    private let handler: NIOLoopBound<FrameHandler>
    private let shared: FrameHandler.Shared
    private let frameBytes: Int
    private let nextWriter = Atomic<UInt64>(0)

    init(
        peer: PeerCertificates, remoteAddress: String, isInitiator: Bool, channel: any Channel,
        handler: NIOLoopBound<FrameHandler>, shared: FrameHandler.Shared, frameBytes: Int
    ) {
        self.peer = peer
        self.remoteAddress = remoteAddress
        self.isInitiator = isInitiator
        self.channel = channel
        self.handler = handler
        self.shared = shared
        self.frameBytes = frameBytes
    }

    deinit { channel.close(promise: nil) }

    /// Bytes of frames received so far, with their lengths, without TLS.
    public var bytesReceived: UInt64 { shared.bytesReceived.load(ordering: .relaxed) }

    /// Bytes of frames handed to the network so far, with their lengths, without TLS.
    public var bytesSent: UInt64 { shared.bytesSent.load(ordering: .relaxed) }

    /// Bytes of received frames that wait for the reader.
    public var bytesWaiting: Int { shared.inbox.byteCount }

    /// Sends one frame of 1 byte up to the limit. Returns when it is handed to the network, which may queue
    /// about 256 KiB and one frame; whether it arrives, only an answer can tell. Frames of concurrent senders
    /// are sent one by one, in the order of the calls.
    ///
    /// - Throws: ``TransportError``, or `CancellationError` if the task is cancelled before the frame is
    ///   handed over.
    public func send(_ frame: [UInt8]) async throws {
        guard !frame.isEmpty else { throw TransportError(.emptyFrame) }
        guard frame.count <= frameBytes else {
            throw TransportError(
                .frameTooLarge, detail: "\(frame.count) bytes, where \(frameBytes) are allowed")
        }
        let buffer = FrameDecoder.encode(frame, allocator: channel.allocator)
        let id = nextWriter.wrappingAdd(1, ordering: .relaxed).oldValue
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let (handler, loop) = (handler, channel.eventLoop)
        loop.execute { handler.value.send(buffer, id: id, promise: promise) }
        try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            loop.execute { handler.value.withdraw(id: id) }
        }
    }

    /// The frames that the peer sends, in order, until it closes its side. At most one task may read at a
    /// time.
    ///
    /// Iterating throws ``TransportError`` if the connection ends otherwise, after the frames that arrived
    /// before.
    public func frames() -> Frames { Frames(connection: self) }

    /// Sends what is queued, says good-bye (close_notify) and closes. Returns when the last byte is handed to
    /// the operating system, or cannot be; the peer's end is then awaited in the background, for at most two
    /// seconds.
    public func close() async {
        let flushed = channel.eventLoop.makePromise(of: Void.self)
        channel.close(mode: .output, promise: flushed)
        channel.close(mode: .all, promise: nil)
        // An error means that the connection is closed already, which is what was asked for.
        _ = try? await flushed.futureResult.get()
    }

    /// The sequence of received frames.
    public struct Frames: AsyncSequence, Sendable {
        let connection: FrameConnection

        /// An iterator that takes frames out of the connection.
        public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }

        /// Takes frames out of a connection.
        public struct Iterator: AsyncIteratorProtocol {
            let connection: FrameConnection

            /// The next frame; nil when the peer has closed its side.
            public mutating func next() async throws -> [UInt8]? { try await connection.shared.inbox.next() }
        }
    }
}
