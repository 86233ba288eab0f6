// The first handler of a connection that goes out through a proxy, until the proxy has granted it: asks for the
// connection, reads the answer, and makes room for TLS. It reports once what came of it.

import NIOCore

/// Asks a proxy for a connection. Confined to its channel's event loop.
final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let deadline: NIODeadline
    private var answer: ProxyAnswer
    private var timer: Scheduled<Void>?
    private var onOutcome: ((Result<Void, TransportError>) -> Void)?

    /// - Parameter onOutcome: on success it adds the handlers of the connection behind this one.
    init(
        request: String, deadline: NIODeadline, limits: TransportLimits,
        onOutcome: @escaping (Result<Void, TransportError>) -> Void
    ) {
        self.request = request
        self.deadline = deadline
        self.onOutcome = onOutcome
        answer = ProxyAnswer(limit: limits.proxyAnswerBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = bound.value
            handler.fail(context, TransportError(.proxyUnusable, detail: "it does not answer in time"))
        }
        context.writeAndFlush(
            wrapOutboundOut(context.channel.allocator.buffer(string: request)), promise: nil)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard onOutcome != nil else { return context.fireChannelRead(data) }
        do {
            guard let rest = try answer.take(unwrapInboundIn(data).readableBytesView) else { return }
            finish(.success(()))
            if !rest.isEmpty {
                context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: rest)))
            }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            fail(context, error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if onOutcome != nil { context.read() } else { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, onOutcome != nil {
            return fail(context, Self.brokenOff)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(Self.brokenOff))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard onOutcome != nil else { return context.fireErrorCaught(error) }
        fail(context, TransportError(.proxyUnusable, detail: TransportError(error).message))
    }

    private static let brokenOff = TransportError(.proxyUnusable, detail: "it broke off before it answered")

    private func fail(_ context: ChannelHandlerContext, _ error: TransportError) {
        finish(.failure(error))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<Void, TransportError>) {
        timer?.cancel()
        guard let onOutcome else { return }
        self.onOutcome = nil
        onOutcome(result)
    }
}
