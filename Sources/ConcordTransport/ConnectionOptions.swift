// The socket options and handlers that every connection has, whichever side dialled.

import ConcordCrypto
import NIOCore
import NIOPosix

extension Channel {
    /// Makes this channel, on whose event loop the caller is, a connection; `onOutcome` is told once what
    /// became of it.
    ///
    /// - Parameter peer: the address of the peer, for logs, if it is not the one at the channel's other end.
    func addConnectionHandlers(
        _ context: TLSContext, side: OpenSSLHandler.Side, limits: TransportLimits, peer: String? = nil,
        onOutcome: @escaping @Sendable (Result<FrameConnection, TransportError>) -> Void
    ) throws {
        let frames = FrameHandler(
            isInitiator: side == .initiator,
            remoteAddress: peer ?? remoteAddress.map(ConnectionAddress.text) ?? "unknown", limits: limits,
            onOutcome: onOutcome)
        let security = try OpenSSLHandler(context: context, side: side, limits: limits)
        // From the last to the first: the first one starts at once, and must find the others.
        try pipeline.syncOperations.addHandler(frames)
        try pipeline.syncOperations.addHandler(security, position: .before(frames))
    }
}

/// Addresses for logs.
enum ConnectionAddress {
    /// Address and port as people write them; an IPv4 address that IPv6 maps, as the former.
    static func text(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return address.description }
        let mapped = "::ffff:"
        if host.hasPrefix(mapped), host.contains(".") { return "\(host.dropFirst(mapped.count)):\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension TransportLimits {
    /// The marks between which a channel becomes writable and unwritable.
    var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
        .init(low: queuedOutputBytes / 4, high: queuedOutputBytes)
    }
}

extension ClientBootstrap {
    /// The options of every connection: reading on demand, half-closure, no delay of small frames, keep-alive
    /// probes that find out that a peer has vanished.
    func connectionOptions(_ limits: TransportLimits) -> ClientBootstrap {
        channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.writeBufferWaterMark, value: limits.waterMark)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
    }
}

extension ServerBootstrap {
    /// The same options for accepted connections.
    func connectionOptions(_ limits: TransportLimits) -> ServerBootstrap {
        childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: limits.waterMark)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
    }
}
