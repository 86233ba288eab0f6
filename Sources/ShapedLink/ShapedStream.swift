// One direction of one connection: what is read from one socket is cut into segments, sent over the line, and written to
// the other socket in order, so that a segment which is lost holds up those behind it, as TCP does.

import NIOCore
import NIOPosix

/// Carries what one channel reads to another; confined to the event loop of both.
final class ShapedStream {
    private struct Segment {
        let number: Int
        let bytes: ByteBuffer
        var hasArrived = false
    }

    private let line: Line
    private let queueBytes: Int
    private let source: any Channel
    private let earliest: NIODeadline
    private var sink: (any Channel)?
    private var segments = CircularBuffer<Segment>()
    private var nextNumber = 0
    private var queuedBytes = 0
    /// Whether the source's end is on its way, too.
    private(set) var isFinished = false

    /// - Parameter earliest: when the connection stands: before that nothing can be sent.
    init(_ line: Line, from source: any Channel, queueBytes: Int, earliest: NIODeadline) {
        self.line = line
        self.source = source
        self.queueBytes = queueBytes
        self.earliest = earliest
    }

    /// Begins to carry.
    func start(to sink: any Channel) {
        self.sink = sink
        source.read()
    }

    /// Takes what the source has read.
    func take(_ bytes: ByteBuffer) {
        var rest = bytes
        while let part = rest.readSlice(length: min(rest.readableBytes, LinkShape.segmentBytes)),
            part.readableBytes > 0
        { send(part) }
    }

    /// The source has said that it sends no more: an empty segment stands for that.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        send(ByteBuffer())
    }

    /// The source has read what there was for the moment.
    func readOn() { if queuedBytes < queueBytes { source.read() } }

    private func send(_ bytes: ByteBuffer) {
        let number = nextNumber
        nextNumber += 1
        segments.append(Segment(number: number, bytes: bytes))
        let count = bytes.readableBytes
        queuedBytes += count
        line.send(bytes: count, earliest: earliest) {
            let wasFull = self.queuedBytes >= self.queueBytes
            self.queuedBytes -= count
            if wasFull { self.readOn() }
        } arrived: {
            self.arrived(number)
        }
    }

    private func arrived(_ number: Int) {
        guard let first = segments.first else { return }
        segments[segments.index(segments.startIndex, offsetBy: number - first.number)].hasArrived = true
        while let next = segments.first, next.hasArrived {
            segments.removeFirst()
            if next.bytes.readableBytes > 0 {
                sink?.write(next.bytes, promise: nil)
            } else {
                sink?.close(mode: .output, promise: nil)
            }
        }
        sink?.flush()
    }
}

/// Between a channel and its stream.
final class ShapedEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let stream: ShapedStream
    private let onEnd: () -> Void

    init(_ stream: ShapedStream, onEnd: @escaping () -> Void) {
        self.stream = stream
        self.onEnd = onEnd
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { stream.take(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { stream.readOn() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { stream.finish() }
    }

    /// What was sent before an orderly end still arrives; a connection that breaks off does so on both sides.
    func channelInactive(context: ChannelHandlerContext) { if !stream.isFinished { onEnd() } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
