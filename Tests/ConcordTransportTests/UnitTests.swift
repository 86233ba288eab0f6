import ConcordCrypto
import NIOCore
import NIOEmbedded
import Testing

@testable import ConcordTransport

@Suite("Frames on a byte stream")
struct FrameDecoderTests {
    @Test("frames come out as they went in, however the stream is cut", arguments: 1...50)
    func cuts(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let frames = (0..<20).map { _ in
            (0..<Int(1 + random.next() % 50)).map { _ in UInt8(random.next() & 255) }
        }
        let stream = frames.flatMap {
            Array(buffer: FrameDecoder.encode($0, allocator: ByteBufferAllocator()))
        }
        var decoder = FrameDecoder(limit: 50)
        var decoded: [[UInt8]] = []
        var position = 0
        while position < stream.count {
            let end = min(stream.count, position + Int(1 + random.next() % 90))
            decoder.append(ByteBuffer(bytes: stream[position..<end]))
            while let frame = try decoder.next() { decoded.append(frame) }
            position = end
        }
        #expect(decoded == frames, "seed \(seed)")
        #expect(!decoder.isInsideFrame)
    }

    @Test("a length of zero or beyond the limit is refused before any content arrives")
    func limits() {
        func failure(_ bytes: [UInt8]) -> TransportError.Reason? {
            var decoder = FrameDecoder(limit: 256)
            decoder.append(ByteBuffer(bytes: bytes))
            do { _ = try decoder.next() } catch { return error.reason }
            return nil
        }
        #expect(failure([0, 0, 0, 0]) == .emptyFrame)
        #expect(failure([0, 0, 1, 1]) == .frameTooLarge)
        #expect(failure([255, 255, 255, 255]) == .frameTooLarge)
        #expect(failure([0, 0, 1, 0]) == nil)
        #expect(failure([255, 255, 255]) == nil)
    }
}

@Suite("Back-off")
struct BackoffTests {
    @Test("waits double up to the cap, are a random part of the bound, and start again after a success")
    func bounds() {
        var backoff = Backoff(base: .milliseconds(500), cap: .seconds(60))
        let bounds = (0..<10).map { _ in backoff.next(random: 1) }
        #expect(bounds == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        #expect(backoff.next(random: 0) == .zero)
        #expect(backoff.next(random: 0.5) == .seconds(30))
        #expect(backoff.failures == 12)
        backoff.reset()
        #expect(backoff.next(random: 1) == .milliseconds(500))
    }

    @Test("many failures neither overflow nor take long")
    func many() {
        var backoff = Backoff()
        let waits = (0..<100_000).map { _ in backoff.next(random: 1) }
        #expect(waits.allSatisfy { $0 <= .seconds(60) })
    }
}

@Suite("The TLS handler in an embedded channel")
struct OpenSSLHandlerTests {
    /// Two handlers whose channels are joined by hand.
    final class Wire {
        let client: EmbeddedChannel
        let server: EmbeddedChannel
        private let clientEnd = HalfClosure()
        private let serverEnd = HalfClosure()

        init(limits: TransportLimits = TransportLimits()) throws {
            let (spain, france) = (try TestNode("ESP"), try TestNode("FRA"))
            client = EmbeddedChannel()
            server = EmbeddedChannel()
            for (channel, end) in [(client, clientEnd), (server, serverEnd)] {
                try channel.pipeline.syncOperations.addHandler(end)
                try channel.syncOptions?.setOption(.autoRead, value: false)
                try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
                try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            }
            try client.pipeline.syncOperations.addHandler(
                OpenSSLHandler(context: france.context(trusting: [spain]), side: .initiator, limits: limits))
            try server.pipeline.syncOperations.addHandler(
                OpenSSLHandler(context: spain.context(trusting: [france]), side: .responder, limits: limits))
        }

        /// Carries bytes across until none are left.
        func exchange() throws {
            var isMoving = true
            while isMoving {
                isMoving = false
                while let bytes = try client.readOutbound(as: ByteBuffer.self) {
                    isMoving = true
                    try server.writeInbound(bytes)
                }
                while let bytes = try server.readOutbound(as: ByteBuffer.self) {
                    isMoving = true
                    try client.writeInbound(bytes)
                }
                if clientEnd.takeEnd() {
                    server.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                }
                if serverEnd.takeEnd() {
                    client.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                }
            }
        }
    }

    @Test("plaintext is passed on only when it is asked for")
    func reading() throws {
        let wire = try Wire()
        try wire.exchange()
        try wire.client.writeOutbound(ByteBuffer(string: "one"))
        try wire.exchange()
        #expect(try wire.server.readInbound(as: ByteBuffer.self) == nil)
        wire.server.read()
        #expect(try wire.server.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "one"))
        try wire.client.writeOutbound(ByteBuffer(string: "two"))
        try wire.exchange()
        #expect(try wire.server.readInbound(as: ByteBuffer.self) == nil)
    }

    @Test("at one go only a bounded amount is passed on")
    func portions() throws {
        var limits = TransportLimits()
        limits.deliveryBytes = 64 * 1024
        let wire = try Wire(limits: limits)
        try wire.exchange()
        try wire.client.writeOutbound(ByteBuffer(repeating: 5, count: 1 << 20))
        try wire.exchange()
        var received = 0
        for portion in 1...30 where received < 1 << 20 {
            wire.server.read()
            while let bytes = try wire.server.readInbound(as: ByteBuffer.self) {
                received += bytes.readableBytes
            }
            #expect(received <= portion * 2 * limits.deliveryBytes)
        }
        #expect(received == 1 << 20)
    }

    @Test("output comes in segments of at most three records")
    func segments() throws {
        let wire = try Wire()
        try wire.exchange()
        wire.client.writeAndFlush(ByteBuffer(repeating: 5, count: 1 << 20), promise: nil)
        var total = 0
        while let segment = try wire.client.readOutbound(as: ByteBuffer.self) {
            #expect(segment.readableBytes <= 3 * (16 * 1024 + 22))
            total += segment.readableBytes
        }
        #expect(total > 1 << 20)
    }

    @Test("one direction can end while the other goes on")
    func halfClosure() throws {
        let wire = try Wire()
        let events = EventCollector()
        try wire.server.pipeline.syncOperations.addHandler(events)
        try wire.exchange()
        wire.server.read()
        wire.client.close(mode: .output, promise: nil)
        try wire.exchange()
        #expect(events.inputHasEnded)
        try wire.server.writeOutbound(ByteBuffer(string: "still here"))
        try wire.exchange()
        wire.client.read()
        #expect(try wire.client.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "still here"))
        #expect(throws: TransportError.self) { try wire.client.writeOutbound(ByteBuffer(string: "too late")) }
    }

    @Test("writes before the handshake are sent after it")
    func earlyWrites() throws {
        let wire = try Wire()
        wire.client.writeAndFlush(ByteBuffer(string: "early"), promise: nil)
        wire.server.read()
        try wire.exchange()
        #expect(try wire.server.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "early"))
    }

    @Test("a handshake that does not end is given up")
    func endlessHandshake() throws {
        let wire = try Wire()
        #expect(throws: TransportError(.handshakeTimedOut)) {
            wire.server.embeddedEventLoop.advanceTime(by: .seconds(11))
            try wire.server.throwIfErrorCaught()
        }
        wire.server.embeddedEventLoop.advanceTime(by: .seconds(3))
        #expect(!wire.server.isActive)
    }

    @Test("a peer that answers no end is given up")
    func endlessClosing() throws {
        let wire = try Wire()
        try wire.exchange()
        wire.server.close(promise: nil)
        #expect(wire.server.isActive)
        wire.server.embeddedEventLoop.advanceTime(by: .seconds(3))
        #expect(!wire.server.isActive)
    }

    /// Stands in for a socket that can be closed in one direction, which an embedded channel cannot.
    private final class HalfClosure: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private var hasEnded = false

        func takeEnd() -> Bool {
            defer { hasEnded = false }
            return hasEnded
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard mode == .output else { return context.close(mode: mode, promise: promise) }
            hasEnded = true
            promise?.succeed(())
        }
    }

    private final class EventCollector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        private(set) var inputHasEnded = false

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { inputHasEnded = true }
            context.fireUserInboundEventTriggered(event)
        }
    }
}
