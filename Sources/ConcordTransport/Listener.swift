// Accepts connections. The program gets only those whose peer is accepted; all others are reported with the
// reason and cost a bounded number of places for a bounded time. Beyond the bounds, newcomers are turned away
// at once: a queue would make honest peers wait behind hostile ones, while a peer that is turned away tries
// again after its back-off.

import ConcordCrypto
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A port that accepts connections.
public final class Listener: Sendable {
    /// The address that is listened at, for logs.
    public let boundAddress: String
    /// The port that is listened at; useful when 0 was asked for.
    public let port: Int
    /// The connections whose peers were accepted, in the order of their handshakes' ends. Ends with
    /// ``close()``; for one reader.
    public let connections: AsyncStream<FrameConnection>

    private let channel: any Channel
    private let places: Places

    private init(channel: any Channel, connections: AsyncStream<FrameConnection>, places: Places) {
        self.channel = channel
        self.connections = connections
        self.places = places
        boundAddress = channel.localAddress.map { ConnectionAddress.text($0) } ?? "unknown"
        port = channel.localAddress?.port ?? 0
    }

    deinit { channel.close(promise: nil) }

    /// Listens at `host` (an address or a name; `::` means all addresses of both families) and `port` (0:
    /// any).
    ///
    /// `onRefusal` is called on an event loop for each attempt that ends without an accepted peer.
    ///
    /// - Throws: ``TransportError`` with the reason `.addressInUse` if the port is taken, or `.io`.
    public static func bind(
        host: String, port: Int, context: TLSContext, limits: TransportLimits = TransportLimits(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        onRefusal: @escaping @Sendable (_ remoteAddress: String, _ error: TransportError) -> Void = { _, _ in
        }
    ) async throws -> Listener {
        let (stream, continuation) = AsyncStream.makeStream(of: FrameConnection.self)
        let places = Places(limits: limits)
        let refuse: @Sendable (String, TransportError) -> Void = { address, error in
            logger.debug(
                "connection refused", metadata: ["peer": "\(address)", "reason": "\(error.message)"])
            onRefusal(address, error)
        }
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .connectionOptions(limits)
            .childChannelInitializer { channel in
                accept(channel, context, limits, places, continuation, refuse)
            }
        do {
            let channel = try await bootstrap.bind(host: host, port: port).get()
            channel.closeFuture.whenComplete { _ in continuation.finish() }
            return Listener(channel: channel, connections: stream, places: places)
        } catch {
            throw TransportError(error)
        }
    }

    /// Handshakes under way and established connections.
    public var load: (handshakes: Int, connections: Int) { places.load }

    /// Stops listening. Established connections go on.
    public func close() async {
        // An error means that the port is closed already, which is what was asked for.
        _ = try? await channel.close().get()
    }

    private static func accept(
        _ channel: any Channel, _ context: TLSContext, _ limits: TransportLimits, _ places: Places,
        _ connections: AsyncStream<FrameConnection>.Continuation,
        _ refuse: @escaping @Sendable (String, TransportError) -> Void
    ) -> EventLoopFuture<Void> {
        let address = channel.remoteAddress.map { ConnectionAddress.text($0) } ?? "unknown"
        if let oldest = places.takeForHandshake(channel) {
            let address = oldest.remoteAddress.map { ConnectionAddress.text($0) } ?? "unknown"
            refuse(address, TransportError(.tooManyConnections))
            oldest.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in places.leave(channel) }
        return channel.eventLoop.makeCompletedFuture {
            try channel.addConnectionHandlers(context, side: .responder, limits: limits) { result in
                switch result {
                case .failure(let error):
                    refuse(address, error)
                case .success(let connection):
                    guard places.establish(channel) else {
                        return refuse(address, TransportError(.tooManyConnections))
                    }
                    if case .terminated = connections.yield(connection) {
                        refuse(address, TransportError(.closed, detail: "the listener is closed"))
                    }
                }
            }
        }
    }

    /// Counts who occupies a place: each accepted channel from its start to its end. Where there is none left for a
    /// handshake, the oldest gives way: an honest one takes a round trip or two, so whoever connects and says nothing
    /// keeps out nobody else.
    private final class Places: Sendable {
        private struct State {
            /// The oldest first.
            var handshakes: [any Channel] = []
            var established: Set<ObjectIdentifier> = []
        }

        private let state = Mutex(State())
        private let limits: TransportLimits

        init(limits: TransportLimits) { self.limits = limits }

        var load: (handshakes: Int, connections: Int) {
            state.withLock { ($0.handshakes.count, $0.established.count) }
        }

        /// - Returns: the channel that has to give way.
        func takeForHandshake(_ channel: any Channel) -> (any Channel)? {
            state.withLock { state in
                state.handshakes.append(channel)
                guard state.handshakes.count > limits.concurrentHandshakes else { return nil }
                return state.handshakes.removeFirst()
            }
        }

        /// False if there are too many connections; the channel then keeps its place of a handshake until it
        /// is closed.
        func establish(_ channel: any Channel) -> Bool {
            state.withLock { state in
                guard state.established.count < limits.connections else { return false }
                state.handshakes.removeAll { $0 === channel }
                state.established.insert(ObjectIdentifier(channel))
                return true
            }
        }

        func leave(_ channel: any Channel) {
            state.withLock { state in
                if state.established.remove(ObjectIdentifier(channel)) == nil {
                    state.handshakes.removeAll { $0 === channel }
                }
            }
        }
    }
}
