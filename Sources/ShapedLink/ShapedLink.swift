// A link that is slower, longer and worse than loopback, for tests and measurements of real programs on one machine: a
// TCP proxy on loopback that passes on what comes, at the rate, with the delay and the losses of a given shape. It is no
// part of a node.
//
// Everything happens on one event loop.

import Glibc
import NIOCore
import NIOPosix

/// A proxy between whoever connects to its port and one port of loopback.
public final class ShapedLink: Sendable {
    /// What passed in one direction.
    public struct Traffic: Hashable, Sendable {
        /// Bytes that a program sent.
        public var payloadBytes = 0
        /// Bytes on the link: with headers, and again what was lost.
        public var bytes = 0
        /// Segments, with those that were sent again.
        public var segments = 0
        /// Segments that were lost.
        public var lostSegments = 0

        /// What passed since an earlier moment.
        public func since(_ earlier: Traffic) -> Traffic {
            var difference = self
            difference.payloadBytes -= earlier.payloadBytes
            difference.bytes -= earlier.bytes
            difference.segments -= earlier.segments
            difference.lostSegments -= earlier.lostSegments
            return difference
        }
    }

    /// The port of loopback at which it takes connections.
    public let port: Int
    /// What the link is like.
    public let shape: LinkShape

    private let listener: any Channel
    private let core: NIOLoopBound<Core>

    private init(port: Int, shape: LinkShape, listener: any Channel, core: NIOLoopBound<Core>) {
        self.port = port
        self.shape = shape
        self.listener = listener
        self.core = core
    }

    deinit { listener.close(promise: nil) }

    /// Opens a link.
    ///
    /// - Parameters:
    ///   - target: the port of loopback to which it leads; nobody needs to listen there yet.
    ///   - port: where it takes connections; 0 for any.
    ///   - seed: equal seeds lose the same segments.
    public static func open(
        _ shape: LinkShape, to target: Int, at port: Int = 0, seed: UInt64 = 1
    ) async throws -> ShapedLink {
        let group = MultiThreadedEventLoopGroup.singleton
        let loop = group.next()
        let core = try await loop.submit {
            NIOLoopBound(Core(shape, target: target, seed: seed, loop: loop), eventLoop: loop)
        }.get()
        var bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { core.value.accept(channel) }
            }
        if shape.bitsPerSecond != nil {
            // What waits in the kernel would be a queue that no link has.
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_rcvbuf), value: Core.receiveBytes)
                .serverChannelOption(.tcpOption(Core.segmentOption), value: LinkShape.segmentBytes)
        }
        let listener = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
        return ShapedLink(
            port: listener.localAddress?.port ?? 0, shape: shape, listener: listener, core: core)
    }

    /// What passed so far, from those who connected and to them.
    public func traffic() async throws -> (forth: Traffic, back: Traffic) {
        let core = core
        return try await listener.eventLoop.submit { core.value.traffic }.get()
    }

    /// Breaks all connections off, and from now on each new one at once, until ``restore()``.
    public func cut() async throws {
        let core = core
        try await listener.eventLoop.submit { core.value.cut() }.get()
    }

    /// Takes connections again.
    public func restore() async throws {
        let core = core
        try await listener.eventLoop.submit { core.value.isCut = false }.get()
    }

    /// Ends the link and its connections.
    public func close() async throws {
        try await cut()
        try await listener.close().get()
    }
}

/// The state of a link, on its event loop.
private final class Core {
    /// Bytes that the kernel holds for the link, about.
    static let receiveBytes = 8 << 10
    /// The option by which a socket tells its peer how large segments may be.
    static let segmentOption = NIOBSDSocket.Option(rawValue: TCP_MAXSEG)

    private let shape: LinkShape
    private let target: Int
    private let loop: any EventLoop
    private let forth: Line
    private let back: Line
    private var channels: [ObjectIdentifier: any Channel] = [:]
    var isCut = false

    init(_ shape: LinkShape, target: Int, seed: UInt64, loop: any EventLoop) {
        self.shape = shape
        self.target = target
        self.loop = loop
        forth = Line(shape, seed: seed, loop: loop)
        back = Line(shape, seed: ~seed, loop: loop)
    }

    var traffic: (forth: ShapedLink.Traffic, back: ShapedLink.Traffic) { (forth.traffic, back.traffic) }

    func cut() {
        isCut = true
        for channel in channels.values { channel.close(promise: nil) }
    }

    /// Takes a connection: the one behind the link is made at once, but nothing passes before TCP's own handshake would
    /// have crossed the link.
    func accept(_ near: any Channel) {
        guard !isCut else { return near.close(promise: nil) }
        let stands = NIODeadline.now() + TimeAmount(shape.roundTrip)
        let forth = ShapedStream(forth, from: near, queueBytes: shape.queueBytes, earliest: stands)
        let bound = NIOLoopBound((self, forth), eventLoop: loop)
        watch(near)
        var bootstrap = ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if shape.bitsPerSecond != nil {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: Self.receiveBytes)
                .channelOption(.tcpOption(Self.segmentOption), value: LinkShape.segmentBytes)
        }
        bootstrap.connect(host: "127.0.0.1", port: target).whenComplete { result in
            let (core, forth) = bound.value
            switch result {
            case .failure: near.close(promise: nil)
            case .success(let far): core.join(near, far, forth, stands)
            }
        }
    }

    private func join(_ near: any Channel, _ far: any Channel, _ forth: ShapedStream, _ stands: NIODeadline) {
        guard !isCut, near.isActive else {
            near.close(promise: nil)
            return far.close(promise: nil)
        }
        watch(far)
        let back = ShapedStream(self.back, from: far, queueBytes: shape.queueBytes, earliest: stands)
        do {
            try near.pipeline.syncOperations.addHandler(ShapedEnd(forth) { far.close(promise: nil) })
            try far.pipeline.syncOperations.addHandler(ShapedEnd(back) { near.close(promise: nil) })
        } catch {
            near.close(promise: nil)
            return far.close(promise: nil)
        }
        forth.start(to: far)
        back.start(to: near)
    }

    /// Keeps a channel in the list as long as it is open.
    private func watch(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        channels[id] = channel
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in bound.value.channels[id] = nil }
    }
}
