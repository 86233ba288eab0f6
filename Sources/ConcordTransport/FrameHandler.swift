// The last handler of a connection's pipeline: between the channel and the tasks that send and receive
// frames. It asks for input only while the inbox has room, and lets writers wait, in their order, while the
// channel is not writable.
//
// It reports once, by `onOutcome`, how the attempt at a connection ended: with an established connection or
// an error.

import ConcordCrypto
import NIOCore
import Synchronization

/// Connects a channel's event loop with the tasks that use the connection. Confined to the event loop.
final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the tasks and the event loop both touch.
    final class Shared: Sendable {
        let inbox: FrameInbox
        let bytesReceived = Atomic<UInt64>(0)
        let bytesSent = Atomic<UInt64>(0)

        init(inbox: FrameInbox) { self.inbox = inbox }
    }

    private struct Writer {
        let id: UInt64
        let buffer: ByteBuffer
        let promise: EventLoopPromise<Void>
    }

    private let isInitiator: Bool
    private let remoteAddress: String
    private let inboxBytes: Int
    private let frameBytes: Int
    private var decoder: FrameDecoder
    private var onOutcome: (@Sendable (Result<FrameConnection, TransportError>) -> Void)?
    private var shared: Shared?
    private var context: ChannelHandlerContext?
    private var writers = CircularBuffer<Writer>()
    private var hasRoom = true
    private var failure: TransportError?

    init(
        isInitiator: Bool, remoteAddress: String, limits: TransportLimits,
        onOutcome: @escaping @Sendable (Result<FrameConnection, TransportError>) -> Void
    ) {
        self.isInitiator = isInitiator
        self.remoteAddress = remoteAddress
        inboxBytes = limits.queuedInputBytes
        frameBytes = limits.frameBytes
        decoder = FrameDecoder(limit: limits.frameBytes)
        self.onOutcome = onOutcome
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(TransportError(.closed))
        self.context = nil
        shared = nil  // its inbox refers to this handler
    }

    // MARK: Input

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let established as TLSEstablished:
            establish(context, established.peer)
        case ChannelEvent.inputClosed:
            if decoder.isInsideFrame {
                end(TransportError(.closed, detail: "the stream ends inside a frame"))
                context.close(promise: nil)
            } else {
                shared?.inbox.finish(nil)
            }
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func establish(_ context: ChannelHandlerContext, _ peer: PeerCertificates) {
        guard let onOutcome else { return }
        self.onOutcome = nil
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let shared = Shared(
            inbox: FrameInbox(highMark: inboxBytes) { loop.execute { bound.value.readOn() } })
        self.shared = shared
        onOutcome(
            .success(
                FrameConnection(
                    peer: peer, remoteAddress: remoteAddress, isInitiator: isInitiator,
                    channel: context.channel,
                    handler: bound, shared: shared, frameBytes: frameBytes)))
        context.read()
    }

    private func readOn() {
        hasRoom = true
        context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let shared, failure == nil else { return }
        let bytes = unwrapInboundIn(data)
        shared.bytesReceived.wrappingAdd(UInt64(bytes.readableBytes), ordering: .relaxed)
        decoder.append(bytes)
        do {
            // Order matters: `offer` may let the reader drain the inbox, and `readOn` comes later, through
            // the loop.
            while let frame = try decoder.next() { hasRoom = shared.inbox.offer(frame) }
        } catch {
            end(error)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if shared != nil, hasRoom { context.read() }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(TransportError(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(TransportError(.closed))
        context.fireChannelInactive()
    }

    // MARK: Output

    /// Sends a frame as soon as the channel is writable and all earlier ones are sent; `promise` is kept
    /// then.
    func send(_ buffer: ByteBuffer, id: UInt64, promise: EventLoopPromise<Void>) {
        guard let context, failure == nil else {
            promise.fail(failure ?? TransportError(.closed))
            return
        }
        writers.append(Writer(id: id, buffer: buffer, promise: promise))
        sendWaiting(context)
    }

    /// Takes a frame back that has not been sent yet.
    func withdraw(id: UInt64) {
        guard let index = writers.firstIndex(where: { $0.id == id }) else { return }
        writers.remove(at: index).promise.fail(CancellationError())
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sendWaiting(context)
        context.fireChannelWritabilityChanged()
    }

    private func sendWaiting(_ context: ChannelHandlerContext) {
        while context.channel.isWritable, failure == nil, let writer = writers.popFirst() {
            shared?.bytesSent.wrappingAdd(UInt64(writer.buffer.readableBytes), ordering: .relaxed)
            context.writeAndFlush(wrapOutboundOut(writer.buffer), promise: nil)
            writer.promise.succeed(())
        }
    }

    // MARK: The end

    /// This side closes: whoever waits to send is told, and the reader gets what has arrived and then the
    /// end.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input {
            shared?.inbox.finish(nil)
            end(TransportError(.closed))
        }
        context.close(mode: mode, promise: promise)
    }

    /// Tells everybody who waits. Only the first error counts.
    private func end(_ error: TransportError) {
        if failure == nil { failure = error }
        if let onOutcome {
            self.onOutcome = nil
            onOutcome(.failure(error))
        }
        shared?.inbox.finish(error)
        while let writer = writers.popFirst() { writer.promise.fail(failure ?? error) }
    }
}
