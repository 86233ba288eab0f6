// HTTP/1.1 over the Unix socket in the home folder: one connection per request, which is closed after the
// response. The daemon is on the same machine, so a connection costs microseconds, and no state outlives a
// request.

import ConcordModel
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// Where the daemon listens, and how to ask it something.
struct LocalConnection: Sendable {
    let socket: String

    /// Sends a request and waits for the whole response.
    ///
    /// - Throws: ``ConcordError`` E-6005 if the daemon cannot be reached, breaks off, or does not answer in
    ///   time.
    func send(_ request: LocalRequest, timeout: Duration) async throws -> LocalResponse {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: LocalResponse.self)
        let limit = TimeAmount.nanoseconds(
            timeout.components.seconds * 1_000_000_000 + timeout.components.attoseconds / 1_000_000_000)
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(5)).channelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(
                    LocalExchange(request: request, timeout: limit, promise: promise))
            }
        }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(unixDomainSocketPath: socket).get()
        } catch {
            promise.fail(error)
            throw unreachable(error)
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch let error as ConcordError {
            throw error
        } catch {
            throw unreachable(error)
        }
    }

    /// The daemon broke off before it had answered.
    struct BrokenOff: Error {}

    /// What an error of the socket means.
    func unreachable(_ error: any Error) -> ConcordError {
        switch error {
        case let error as IOError where error.errnoCode == ENOENT:
            ConcordError(.daemonUnreachable, "no daemon is running: there is no socket \(socket)")
        case let error as IOError where error.errnoCode == ECONNREFUSED:
            ConcordError(.daemonUnreachable, "no daemon is running: nobody listens on \(socket)")
        case let error as IOError where error.errnoCode == EACCES:
            ConcordError(
                .daemonUnreachable, "you may not use the socket \(socket)",
                action: "ask the administrator of this node to add you to the socket's group")
        case SocketAddressError.unixDomainSocketPathTooLong:
            ConcordError(
                .daemonUnreachable, "the path of the socket \(socket) is longer than the system allows",
                action: "use a home folder with a shorter path")
        case is BrokenOff:
            ConcordError(
                .daemonUnreachable, "the daemon broke off before it had answered",
                action: "see the daemon's log, then start it again with `concordd --home DIR`")
        case is LocalExchange.TimedOut:
            ConcordError(
                .daemonUnreachable, "the daemon accepted the request but did not answer in time",
                action: "see the daemon's log, or whether its process is stopped")
        default:
            ConcordError(.daemonUnreachable, "the daemon cannot be reached: \(error)")
        }
    }
}

/// The life of one connection: writes the request once connected, gathers the response, and keeps its promise
/// exactly once.
private final class LocalExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    struct TimedOut: Error {}

    private let request: LocalRequest
    private let timeout: TimeAmount
    private let promise: EventLoopPromise<LocalResponse>
    private var status = 0
    private var body: [UInt8] = []
    private var alarm: Scheduled<Void>?

    init(request: LocalRequest, timeout: TimeAmount, promise: EventLoopPromise<LocalResponse>) {
        self.request = request
        self.timeout = timeout
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let promise = promise
        let channel = context.channel
        alarm = context.eventLoop.scheduleTask(in: timeout) {
            promise.fail(TimedOut())
            channel.close(promise: nil)
        }
        var headers = HTTPHeaders([
            ("host", "concord"), ("connection", "close"), ("accept", "application/json"),
        ])
        if !request.body.isEmpty || request.method == .POST || request.method == .PATCH {
            headers.add(name: "content-length", value: String(request.body.count))
            headers.add(name: "content-type", value: request.contentType ?? "application/json")
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: request.method, uri: request.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !request.body.isEmpty {
            let buffer = context.channel.allocator.buffer(bytes: request.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
        case .body(let buffer):
            guard body.count + buffer.readableBytes <= ClientLimits.responseBytes else {
                finish(
                    context,
                    .failure(
                        ConcordError(
                            .limitExceeded,
                            "the daemon's answer has more than \(ClientLimits.responseBytes >> 20) MiB",
                            action: "ask for less, for example with --where, --member or --limit")))
                return
            }
            body.append(contentsOf: buffer.readableBytesView)
        case .end:
            finish(context, .success(LocalResponse(status: status, body: body)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context, .failure(LocalConnection.BrokenOff()))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(context, .failure(error is HTTPParserError ? LocalConnection.BrokenOff() : error))
    }

    /// A promise that is kept already stays as it is.
    private func finish(_ context: ChannelHandlerContext, _ result: Result<LocalResponse, any Error>) {
        alarm?.cancel()
        promise.completeWith(result)
        context.close(promise: nil)
    }
}
