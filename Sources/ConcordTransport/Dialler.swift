// Connects to a peer. Names are resolved, and IPv6 and IPv4 tried side by side (RFC 8305, by SwiftNIO).

import ConcordCrypto
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Makes connections.
public enum Dialler {
    /// Connects to `host` (a name or an address) and `port`, and returns when the peer has proved who it is
    /// and `context` has accepted it. Whether the peer accepts this node, its first frame tells: see
    /// ``FrameConnection``.
    ///
    /// - Parameter proxy: the proxy by which to go; it resolves the name.
    /// - Throws: ``TransportError``, or `CancellationError` if the task is cancelled.
    public static func dial(
        host: String, port: Int, context: TLSContext, proxy: HTTPProxy? = nil,
        timeout: Duration = .seconds(10), limits: TransportLimits = TransportLimits(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) async throws -> FrameConnection {
        let attempt = Attempt()
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard attempt.begin(continuation) else { return }
                ClientBootstrap(group: group)
                    .connectionOptions(limits)
                    .connectTimeout(TimeAmount(timeout))
                    .connect(host: proxy?.host ?? host, port: proxy?.port ?? port)
                    .whenComplete { result in
                        switch result {
                        case .failure(let error):
                            let found = TransportError(error)
                            let error =
                                proxy == nil
                                ? found : TransportError(.proxyUnusable, detail: found.message)
                            logger.debug(
                                "no connection",
                                metadata: ["peer": "\(host):\(port)", "reason": "\(error.message)"])
                            attempt.end(.failure(error))
                        case .success(let channel):
                            guard attempt.connected(channel) else { return }
                            guard let proxy else {
                                return secure(channel, context, limits, deadline, attempt, logger)
                            }
                            ask(proxy, for: (host, port), channel, limits, deadline, attempt, logger) {
                                secure(
                                    channel, context, limits, deadline, attempt, logger,
                                    peer: "\(host):\(port)")
                            }
                        }
                    }
            }
        } onCancel: {
            attempt.end(.failure(CancellationError()))
        }
    }

    /// Asks the proxy at the channel's other end for a connection to `target`, and goes on with `granted`.
    private static func ask(
        _ proxy: HTTPProxy, for target: (host: String, port: Int), _ channel: any Channel,
        _ limits: TransportLimits, _ deadline: NIODeadline, _ attempt: Attempt, _ logger: Logger,
        granted: @escaping () -> Void
    ) {
        let request = proxy.request(host: target.host, port: target.port)
        let handler = ProxyHandler(request: request, deadline: deadline, limits: limits) { result in
            switch result {
            case .success: granted()
            case .failure(let error):
                logger.debug(
                    "no connection by the proxy",
                    metadata: [
                        "peer": "\(target.host):\(target.port)", "proxy": "\(proxy)",
                        "reason": "\(error.message)",
                    ])
                attempt.end(.failure(error))
            }
        }
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            channel.close(promise: nil)
            attempt.end(.failure(TransportError(.closed, detail: "\(error)")))
        }
    }

    /// Adds the handlers, after the connection is made: SwiftNIO may have tried several.
    private static func secure(
        _ channel: any Channel, _ context: TLSContext, _ limits: TransportLimits, _ deadline: NIODeadline,
        _ attempt: Attempt, _ logger: Logger, peer: String? = nil
    ) {
        var limits = limits
        let rest = max(deadline - NIODeadline.now(), .milliseconds(1))
        limits.handshakeTime = min(limits.handshakeTime, .nanoseconds(rest.nanoseconds))
        do {
            try channel.addConnectionHandlers(context, side: .initiator, limits: limits, peer: peer) {
                result in
                if case .failure(let error) = result {
                    logger.debug(
                        "no connection", metadata: ["peer": "\(channel)", "reason": "\(error.message)"])
                }
                attempt.end(result.mapError { $0 })
            }
        } catch {
            channel.close(promise: nil)
            attempt.end(.failure(TransportError(.handshakeFailed, detail: "\(error)")))
        }
    }

    /// The one answer that a call of `dial` gets, and the channel to close if it comes too early.
    private final class Attempt: Sendable {
        private enum State {
            case idle
            case waiting(CheckedContinuation<FrameConnection, any Error>, (any Channel)?)
            case ended((any Error)?)
        }

        private let state = Mutex(State.idle)

        /// False if the attempt was cancelled before it began.
        func begin(_ continuation: CheckedContinuation<FrameConnection, any Error>) -> Bool {
            let error = state.withLock { state -> (any Error)? in
                if case .ended(let error) = state { return error ?? CancellationError() }
                state = .waiting(continuation, nil)
                return nil
            }
            if let error { continuation.resume(throwing: error) }
            return error == nil
        }

        /// Notes the channel; false, and closed, if the attempt has ended.
        func connected(_ channel: any Channel) -> Bool {
            let isWanted = state.withLock { state in
                guard case .waiting(let continuation, _) = state else { return false }
                state = .waiting(continuation, channel)
                return true
            }
            if !isWanted { channel.close(promise: nil) }
            return isWanted
        }

        /// Answers the caller, once.
        func end(_ result: Result<FrameConnection, any Error>) {
            let before = state.withLock { state in
                defer {
                    if case .failure(let error) = result {
                        state = .ended(error)
                    } else {
                        state = .ended(nil)
                    }
                }
                return state
            }
            guard case .waiting(let continuation, let channel) = before else { return }
            continuation.resume(with: result)
            if case .failure = result { channel?.close(promise: nil) }
        }
    }
}
