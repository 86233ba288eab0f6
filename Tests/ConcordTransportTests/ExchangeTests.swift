import ConcordCrypto
import NIOCore
import Testing

@testable import ConcordTransport

@Suite("Exchanging frames over two sockets", .timeLimit(.minutes(5)))
struct ExchangeTests {
    @Test("each side knows who the other is")
    func identities() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        #expect(near.peer.node == pair.spain.certificate && near.peer.authority == pair.spain.authority)
        #expect(far.peer.node == pair.france.certificate && far.peer.authority == pair.france.authority)
        #expect(near.isInitiator && !far.isInitiator)
        #expect(near.remoteAddress == "127.0.0.1:\(pair.server.listener.port)")
        #expect(pair.server.listener.boundAddress == near.remoteAddress)
    }

    @Test("64 MiB in frames of all sizes go both ways at once and arrive as they were")
    func bulk() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        let sizes = [
            1, 3, 100, 16_383, 16_384, 16_385, 65_536, 1_000_000, 1 << 20, TransportLimits().frameBytes,
        ]
        let total = 64 << 20
        @Sendable func send(_ connection: FrameConnection, seed: UInt8) async throws -> Digest {
            var hash = SHA256()
            var (sent, round) = (0, 0)
            while sent < total {
                let size = sizes[round % sizes.count]
                let frame = [UInt8](repeating: seed &+ UInt8(truncatingIfNeeded: round), count: size)
                hash.update(frame)
                try await connection.send(frame)
                sent += size
                round += 1
            }
            return hash.finalize()
        }
        @Sendable func receive(_ connection: FrameConnection) async throws -> Digest {
            var hash = SHA256()
            var received = 0
            for try await frame in connection.frames() {
                hash.update(frame)
                received += frame.count
                if received >= total { break }
            }
            return hash.finalize()
        }
        try await within(.seconds(100)) {
            async let sentThere = send(near, seed: 1)
            async let sentBack = send(far, seed: 77)
            async let receivedThere = receive(far)
            async let receivedBack = receive(near)
            let (there, back) = (try await (sentThere, receivedThere), try await (sentBack, receivedBack))
            #expect(there.0 == there.1)
            #expect(back.0 == back.1)
        }
        #expect(near.bytesSent == far.bytesReceived && far.bytesSent == near.bytesReceived)
        #expect(near.bytesSent > UInt64(total))
    }

    @Test(
        "keys are changed under way, by one side or both, without anybody noticing", arguments: [false, true])
    func keyUpdates(byBoth: Bool) async throws {
        var limits = TransportLimits()
        limits.keyUpdateBytes = 50_000
        let pair = try await TestPair(limits: byBoth ? limits : TransportLimits())
        let (near, far) = try await pair.connect(limits: limits)
        for round in 0..<60 {
            let frame = [UInt8](repeating: UInt8(round), count: 30_000)
            try await near.send(frame)
            #expect(try await nextFrame(far) == frame)
            try await far.send(frame)
            #expect(try await nextFrame(near) == frame)
        }
    }

    @Test("what was sent before closing arrives, and then the end")
    func closing() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        let frame = [UInt8](repeating: 7, count: 1 << 20)
        let sender = Task {
            for _ in 0..<8 { try await near.send(frame) }
            await near.close()
        }
        var count = 0
        for try await received in far.frames() {
            #expect(received == frame)
            count += 1
        }
        #expect(count == 8)
        try await sender.value
        #expect(try await reason { try await near.send([1]) } == .closed)
        await far.close()
        #expect(try await nextFrame(near) == nil)
        try await eventually { pair.server.listener.load == (0, 0) }
    }

    @Test("a connection that nobody refers to closes in good order")
    func dropped() async throws {
        let pair = try await TestPair()
        var (near, far): (FrameConnection?, FrameConnection) = try await pair.connect()
        near = nil
        #expect(near == nil)
        #expect(try await nextFrame(far) == nil)
    }

    @Test("a slow reader holds the sender back, and gets everything in the end")
    func slowReader() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        let frame = [UInt8](repeating: 9, count: 100_000)
        let count = 1000
        let sender = Task { for _ in 0..<count { try await near.send(frame) } }
        var (last, still) = (UInt64.max, 0)
        try await eventually {
            let sent = near.bytesSent
            still = sent == last ? still + 1 : 0
            last = sent
            return still > 60 && sent > 0
        }
        let limits = TransportLimits()
        #expect(last < UInt64(count * frame.count) / 2, "the sender was not held back")
        #expect(far.bytesWaiting <= limits.queuedInputBytes + limits.deliveryBytes + frame.count)
        var received = 0
        for try await next in far.frames() {
            #expect(next == frame)
            received += 1
            if received == count { break }
        }
        try await sender.value
        #expect(received == count)
    }

    @Test("a sender that waits can be cancelled, and the connection goes on")
    func cancelledSender() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        let frame = [UInt8](repeating: 9, count: 1_000_000)
        let sender = Task {
            while true { try await near.send(frame) }
        }
        var (last, still) = (UInt64.max, 0)
        try await eventually {
            let sent = near.bytesSent
            still = sent == last ? still + 1 : 0
            last = sent
            return still > 60 && sent > 0
        }
        sender.cancel()
        await #expect(throws: CancellationError.self) { try await within { try await sender.value } }
        let closer = Task {
            try await near.send([1])
            await near.close()
        }
        var final: [UInt8]?
        for try await received in far.frames() { final = received }
        #expect(final == [1])
        try await closer.value
    }

    @Test("a reader that waits can be cancelled, and another one reads on")
    func cancelledReader() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        let reader = Task { try await nextFrame(far) }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        try await near.send([5])
        #expect(try await nextFrame(far) == [5])
    }

    @Test("frames that are empty or too long are not sent")
    func unusableFrames() async throws {
        let pair = try await TestPair()
        let (near, _) = try await pair.connect()
        #expect(try await reason { try await near.send([]) } == .emptyFrame)
        let frame = [UInt8](repeating: 0, count: TransportLimits().frameBytes + 1)
        #expect(try await reason { try await near.send(frame) } == .frameTooLarge)
    }

    @Test("a listener serves IPv6, both families at once, and names")
    func families() async throws {
        let (spain, france) = (try TestNode("ESP"), try TestNode("FRA"))
        let server = try await TestServer(context: spain.context(trusting: [france]), host: "::")
        let context = try france.context(trusting: [spain])
        for host in ["::1", "127.0.0.1", "localhost"] {
            let near = try await server.dial(context, host: host)
            let far = try await server.accepted.next()
            try await near.send(Array(host.utf8))
            #expect(try await nextFrame(far) == Array(host.utf8))
            #expect(
                far.remoteAddress.hasPrefix(
                    host == "127.0.0.1" ? "127.0.0.1:" : host == "::1" ? "[::1]:" : ""))
        }
    }

    @Test("a taken port is told apart from other failures")
    func takenPort() async throws {
        let pair = try await TestPair()
        let context = try pair.spain.context(trusting: [])
        let found = try await reason {
            _ = try await Listener.bind(
                host: "127.0.0.1", port: pair.server.listener.port, context: context, logger: quiet)
        }
        #expect(found == .addressInUse)
    }

    @Test("a closed listener frees its port, ends its connections' sequence and leaves its connections alone")
    func closedListener() async throws {
        let pair = try await TestPair()
        let (near, far) = try await pair.connect()
        await pair.server.listener.close()
        guard case .io? = try await reason({ _ = try await pair.dial() }) else {
            Issue.record("dialling a closed port must fail with the system's reason")
            return
        }
        try await near.send([1])
        #expect(try await nextFrame(far) == [1])
    }
}
