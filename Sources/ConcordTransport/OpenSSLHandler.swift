// TLS in a channel's pipeline. What always holds:
//
// - Nothing is passed on to the next handler before the handshake is complete and the peer accepted.
// - Plaintext is passed on only when the next handler has asked by `read()`, about `deliveryBytes` at a time;
//   ciphertext that arrives meanwhile waits, and no more is read from the socket. (SwiftNIO reads all that
//   the kernel holds once the peer has closed its side: at most the socket's receive buffer.)
// - Whatever is written is encrypted at `flush()` and handed to the socket, whose fill level is the channel's
//   writability.
// - A failure is reported once, by `errorCaught`; then nothing more is passed on.
// - The channel must allow half-closure (`allowRemoteHalfClosure`): each direction ends by close_notify, and
//   an end of the TCP stream without it is a failure, since anybody on the way can forge that.
//
// | phase       | on                                | goes to                                                      |
// |-------------|-----------------------------------|--------------------------------------------------------------|
// | idle        | the channel is active             | handshaking                                                  |
// | handshaking | finished / failed, late           | open / closing                                               |
// | open        | `close(.all)` / failure           | closing: output flushed, TCP half-closed, input thrown away  |
// | closing     | the peer's end, or the time is up | closed                                                       |

import ConcordCrypto
import NIOCore

/// The event that tells the next handler that the peer is accepted.
public struct TLSEstablished: Sendable {
    /// Who the peer is.
    public let peer: PeerCertificates
}

/// Encrypts and decrypts a channel with TLS 1.3. Confined to its channel's event loop.
public final class OpenSSLHandler: ChannelDuplexHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    /// Which end of the connection this is.
    public enum Side: Hashable, Sendable {
        /// The end that dialled: TLS client.
        case initiator
        /// The end that listened: TLS server.
        case responder
    }

    private enum Phase {
        case idle
        case handshaking(deadline: Scheduled<Void>)
        case open
        case closing(Closing)
        case closed
    }

    private struct Closing {
        var deadline: Scheduled<Void>
        var isFlushed = false
        var discardedBytes = 0
    }

    private let engine: TLSEngine
    private let limits: TransportLimits
    private var phase = Phase.idle
    private var pending = MarkedCircularBuffer<(buffer: ByteBuffer, promise: EventLoopPromise<Void>?)>(
        initialCapacity: 8)
    /// The next handler has asked for plaintext and not got any since.
    private var wantsPlaintext = false
    private var isDelivering = false
    /// The peer's TCP stream has ended.
    private var hasStreamEnded = false
    /// The peer has sent close_notify.
    private var hasInputEnded = false
    /// This side has sent close_notify.
    private var hasOutputEnded = false

    /// One end of a connection.
    ///
    /// - Throws: ``CryptoError`` if OpenSSL is out of memory.
    public init(context: TLSContext, side: Side, limits: TransportLimits = TransportLimits()) throws {
        engine = try TLSEngine(
            context: context, side: side == .initiator ? .initiator : .responder,
            keyUpdateBytes: limits.keyUpdateBytes)
        self.limits = limits
    }

    // MARK: The channel's life

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        enterClosed()
        failPending(TransportError(.closed))
    }

    public func channelInactive(context: ChannelHandlerContext) {
        let wasCutOff: Bool
        switch phase {
        case .idle, .handshaking: wasCutOff = true
        case .open: wasCutOff = !hasInputEnded
        case .closing, .closed: wasCutOff = false
        }
        enterClosed()
        let error = TransportError(.closed, detail: "the peer broke off")
        failPending(error)
        if wasCutOff { context.fireErrorCaught(error) }
        context.fireChannelInactive()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, TransportError(error))
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        hasStreamEnded = true
        switch phase {
        case .idle, .closed: break
        case .handshaking: advance(context)
        case .open:
            deliver(context)
            if case .open = phase, !engine.hasInput { endStream(context) }
        case .closing: closeIfDone(context)
        }
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard case .idle = phase else { return }
        let deadline = schedule(context, after: limits.handshakeTime) { handler, context in
            guard case .handshaking = handler.phase else { return }
            handler.fail(context, TransportError(.handshakeTimedOut))
        }
        phase = .handshaking(deadline: deadline)
        advance(context)
        context.read()
    }

    private func advance(_ context: ChannelHandlerContext) {
        guard case .handshaking(let deadline) = phase else { return }
        let step = engine.handshake()
        switch step {
        case .starved:
            emit(context, promise: nil)
            if hasStreamEnded {
                fail(context, TransportError(.closed, detail: "the peer broke off the handshake"))
            } else if engine.bytesReceived > limits.handshakeBytes {
                fail(
                    context,
                    TransportError(.handshakeFailed, detail: "more than \(limits.handshakeBytes) bytes"))
            }
        case .failed(let error):
            fail(context, error)
        case .finished(let peer):
            deadline.cancel()
            phase = .open
            emit(context, promise: nil)
            context.fireUserInboundEventTriggered(TLSEstablished(peer: peer))
            encryptPending(context)
            deliver(context)
        }
    }

    // MARK: Input

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        case .idle, .closed: break
        case .handshaking:
            engine.receive(buffer)
            advance(context)
        case .open:
            engine.receive(buffer)
            deliver(context)
        case .closing(var closing):
            closing.discardedBytes += buffer.readableBytes
            phase = .closing(closing)
            if closing.discardedBytes > limits.lingerBytes { closeNow(context) }
        }
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        switch phase {
        case .handshaking, .closing: context.read()
        case .open: if wantsPlaintext { context.read() }
        case .idle, .closed: break
        }
    }

    public func read(context: ChannelHandlerContext) {
        wantsPlaintext = true
        guard case .open = phase, !isDelivering else { return }
        deliver(context)
        if wantsPlaintext, case .open = phase { context.read() }
    }

    /// Passes on plaintext as long as it is wanted and there is some. Handlers may call back in meanwhile.
    private func deliver(_ context: ChannelHandlerContext) {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        while wantsPlaintext, !hasInputEnded, case .open = phase {
            let (count, step) = deliverOnce(context)
            if count > 0 {
                wantsPlaintext = false
                context.fireChannelReadComplete()
            }
            guard case .open = phase else { return }
            switch step {
            case .full: continue
            case .starved:
                if hasStreamEnded { return endStream(context) }
                if count == 0 { return }
            case .ended:
                hasInputEnded = true
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            case .failed(let error):
                return fail(context, error)
            }
        }
    }

    private func deliverOnce(_ context: ChannelHandlerContext) -> (count: Int, step: TLSEngine.DecryptStep) {
        var count = 0
        while true {
            var plaintext = context.channel.allocator.buffer(capacity: 64 * 1024)
            let step = engine.decrypt(into: &plaintext)
            if plaintext.readableBytes > 0 {
                count += plaintext.readableBytes
                context.fireChannelRead(wrapInboundOut(plaintext))
            }
            guard case .full = step, case .open = phase, count < limits.deliveryBytes else {
                return (count, step)
            }
        }
    }

    private func endStream(_ context: ChannelHandlerContext) {
        guard !hasInputEnded else { return }
        fail(context, TransportError(.closed, detail: "the stream ends without close_notify"))
    }

    // MARK: Output

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch phase {
        case .closing, .closed: promise?.fail(TransportError(.closed))
        case .idle, .handshaking, .open:
            guard !hasOutputEnded else {
                promise?.fail(TransportError(.closed))
                return
            }
            pending.append((unwrapOutboundIn(data), promise))
        }
    }

    public func flush(context: ChannelHandlerContext) {
        pending.mark()
        if case .open = phase { encryptPending(context) }
    }

    private func encryptPending(_ context: ChannelHandlerContext) {
        var promises: [EventLoopPromise<Void>] = []
        do {
            while pending.hasMark, let next = pending.popFirst() {
                if let promise = next.promise { promises.append(promise) }
                try engine.encrypt(next.buffer)
            }
        } catch {
            for promise in promises { promise.fail(error) }
            return fail(context, error)
        }
        guard let last = promises.popLast() else { return emit(context, promise: nil) }
        for promise in promises { last.futureResult.cascade(to: promise) }
        emit(context, promise: last)
    }

    /// Hands the engine's output to the socket. `promise` is kept when it, and all before it, is written.
    private func emit(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var last = engine.takeOutput()
        guard last != nil || promise != nil else { return }
        while let segment = last, let next = engine.takeOutput() {
            context.write(wrapOutboundOut(segment), promise: nil)
            last = next
        }
        context.writeAndFlush(wrapOutboundOut(last ?? ByteBuffer()), promise: promise)
    }

    private func failPending(_ error: TransportError) {
        while let next = pending.popFirst() { next.promise?.fail(error) }
    }

    // MARK: The end

    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (phase, mode) {
        case (.open, .output):
            endOutput(context)
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.cascade(to: promise)
            closeOutput(context, after: written)
        case (.open, .all):
            context.channel.closeFuture.cascade(to: promise)
            endOutput(context)
            linger(context, flushTime: limits.flushTime)
        case (.closing, .all):
            context.channel.closeFuture.cascade(to: promise)
        case (.open, .input):
            hasInputEnded = true
            promise?.succeed(())
        case (.closing, _):
            promise?.succeed(())
        case (.idle, _), (.handshaking, _), (.closed, _):
            enterClosed()
            failPending(TransportError(.closed))
            context.close(mode: .all, promise: promise)
        }
    }

    private func endOutput(_ context: ChannelHandlerContext) {
        guard !hasOutputEnded else { return }
        flush(context: context)
        hasOutputEnded = true
        engine.closeOutput()
    }

    /// Half-closes TCP when everything is written. (SwiftNIO would drop what is queued if the peer closed
    /// first.)
    private func closeOutput(_ context: ChannelHandlerContext, after written: EventLoopPromise<Void>) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            if case .closing(var closing) = handler.phase {
                closing.isFlushed = true
                closing.deadline.cancel()
                closing.deadline = handler.closeLater(context, after: handler.limits.lingerTime)
                handler.phase = .closing(closing)
            }
            if handler.hasStreamEnded {
                handler.closeIfDone(context)
            } else {
                context.close(mode: .output, promise: nil)
            }
        }
        emit(context, promise: written)
    }

    /// Gives up: tells the next handler, lets the alert out, and closes.
    private func fail(_ context: ChannelHandlerContext, _ error: TransportError) {
        switch phase {
        case .closing, .closed: return
        case .idle, .handshaking, .open: break
        }
        failPending(error)
        linger(context, flushTime: limits.lingerTime)
        context.fireErrorCaught(error)
    }

    /// From here on nothing is passed on; the output is flushed and the input thrown away until the peer
    /// closes.
    private func linger(_ context: ChannelHandlerContext, flushTime: Duration) {
        if case .handshaking(let deadline) = phase { deadline.cancel() }
        phase = .closing(Closing(deadline: closeLater(context, after: flushTime)))
        closeOutput(context, after: context.eventLoop.makePromise(of: Void.self))
        context.read()
    }

    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard case .closing(let closing) = phase, closing.isFlushed, hasStreamEnded else { return }
        closeNow(context)
    }

    private func closeLater(_ context: ChannelHandlerContext, after time: Duration) -> Scheduled<Void> {
        schedule(context, after: time) { handler, context in handler.closeNow(context) }
    }

    private func closeNow(_ context: ChannelHandlerContext) {
        if case .closed = phase { return }
        enterClosed()
        context.close(mode: .all, promise: nil)
    }

    private func enterClosed() {
        switch phase {
        case .handshaking(let deadline): deadline.cancel()
        case .closing(let closing): closing.deadline.cancel()
        case .idle, .open, .closed: break
        }
        phase = .closed
    }

    private func schedule(
        _ context: ChannelHandlerContext, after time: Duration,
        _ action: @escaping (OpenSSLHandler, ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { [weak self] in
            if let self { action(self, context) }
        }
    }
}
