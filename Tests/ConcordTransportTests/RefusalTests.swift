import ConcordCrypto
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import ConcordTransport

@Suite("Refusing strangers, with the reason at both ends", .timeLimit(.minutes(5)))
struct RefusalTests {
    static let reasons = TLSRefusal.allCases.filter { $0 != .noCertificate }

    @Test("the listener's reason reaches the dialler", arguments: reasons)
    func refusedByListener(refusal: TLSRefusal) async throws {
        let (spain, france) = (try TestNode("ESP"), try TestNode("FRA"))
        let server = try await TestServer(context: spain.context { _ in .refuse(reason: refusal) })
        let near = try await server.dial(france.context(trusting: [spain]))
        #expect(try await reason { _ = try await nextFrame(near) } == .refusedByPeer(refusal))
        #expect(try await reason { try await near.send([1]) } == .refusedByPeer(refusal))
        #expect(try await server.refusals.next().reason == .refusedPeer(refusal))
        try await eventually { server.listener.load == (0, 0) }
    }

    @Test("the dialler's reason reaches the listener", arguments: reasons)
    func refusedByDialler(refusal: TLSRefusal) async throws {
        let (spain, france) = (try TestNode("ESP"), try TestNode("FRA"))
        let server = try await TestServer(context: spain.context(trusting: [france]))
        let context = try france.context { _ in .refuse(reason: refusal) }
        #expect(try await reason { _ = try await server.dial(context) } == .refusedPeer(refusal))
        #expect(try await server.refusals.next().reason == .refusedByPeer(refusal))
    }

    @Test("a dialler that sends at once still learns why it is refused")
    func refusedWhileSending() async throws {
        let (spain, france) = (try TestNode("ESP"), try TestNode("FRA"))
        let server = try await TestServer(context: spain.context(trusting: []))
        for _ in 0..<20 {
            let near = try await server.dial(france.context(trusting: [spain]))
            let sender = Task {
                try await reason {
                    for _ in 0..<100 { try await near.send([UInt8](repeating: 1, count: 50_000)) }
                }
            }
            #expect(try await reason { _ = try await nextFrame(near) } == .refusedByPeer(.unknownAuthority))
            #expect(try await sender.value == .refusedByPeer(.unknownAuthority))
        }
    }

    @Test("unknown authorities and certificates out of their dates are refused")
    func judged() async throws {
        let spain = try TestNode("ESP")
        let cases: [(TestNode, Bool, TLSRefusal)] = [
            (try TestNode("FRA"), false, .unknownAuthority),
            (try TestNode("FRA", notAfter: TestNode.now - 1), true, .expired),
            (try TestNode("FRA", notBefore: TestNode.now + 1), true, .notYetValid),
        ]
        for (node, isKnown, refusal) in cases {
            let server = try await TestServer(context: spain.context(trusting: isKnown ? [node] : []))
            let near = try await server.dial(node.context(trusting: [spain]))
            #expect(try await reason { _ = try await nextFrame(near) } == .refusedByPeer(refusal))
            #expect(try await server.refusals.next().reason == .refusedPeer(refusal))
        }
    }

    @Test("both sides must speak the same application protocol")
    func applicationProtocol() async throws {
        let pair = try await TestPair()
        let other = try pair.france.context(trusting: [pair.spain], protocol: "concord/9")
        #expect(try await reason { _ = try await pair.server.dial(other) } == .applicationProtocol)
        #expect(try await pair.server.refusals.next().reason == .applicationProtocol)
        #expect(try await pair.stillServes())
    }
}

@Suite("Hostile and foreign peers", .timeLimit(.minutes(5)))
struct HostilePeerTests {
    @Test("plain text is recognized, and the connection closed")
    func plainText() async throws {
        let pair = try await TestPair()
        for text in ["GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{16}x", "\0"] {
            let peer = try await RawPeer(port: pair.server.listener.port)
            await peer.send(Array(text.utf8))
            #expect(try await pair.server.refusals.next().reason == .notTLS)
            try await peer.closed()
        }
        #expect(try await pair.stillServes())
    }

    @Test("a dialler recognizes a server that does not speak TLS")
    func plainServer() async throws {
        let pair = try await TestPair()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Greeter(bytes: Array("220 mail.example ESMTP\r\n".utf8)))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let context = try pair.france.context(trusting: [pair.spain])
        let found = try await reason {
            _ = try await Dialler.dial(host: "127.0.0.1", port: port, context: context, logger: quiet)
        }
        #expect(found == .notTLS)
        try await server.close()
    }

    @Test("random bytes in the guise of a handshake end the connection", arguments: 1...20)
    func garbage(seed: UInt64) async throws {
        let pair = try await TestPair()
        var random = SplitMix(state: seed)
        let peer = try await RawPeer(port: pair.server.listener.port)
        let length = Int(random.next() % 300)
        await peer.send(
            [22, 3, 1, 0, UInt8(length & 255)] + (0..<length).map { _ in UInt8(random.next() & 255) })
        _ = try? await peer.channel.close(mode: .output).get()  // the other side may have been faster
        let error = try await pair.server.refusals.next()
        #expect([.handshakeFailed, .closed, .notTLS].contains(error.reason), "seed \(seed): \(error)")
        try await peer.closed()
        #expect(try await pair.stillServes())
    }

    @Test("a client without a certificate is refused")
    func noCertificate() async throws {
        let pair = try await TestPair()
        let output = try await openssl([
            "s_client", "-connect", "127.0.0.1:\(pair.server.listener.port)", "-alpn", "concord/0",
        ])
        #expect(try await pair.server.refusals.next().reason == .refusedPeer(.noCertificate))
        #expect(output.contains("TLSv1.3"))
        #expect(try await pair.stillServes())
    }

    @Test("a foreign client with a certificate that is accepted can send frames, and closes in good order")
    func foreignClient() async throws {
        let pair = try await TestPair()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "concord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ text: String) throws -> String {
            let url = folder.appendingPathComponent(name)
            try text.write(to: url, atomically: true, encoding: .utf8)
            return url.path
        }
        let output = try await openssl(
            [
                "s_client", "-connect", "127.0.0.1:\(pair.server.listener.port)", "-alpn", "concord/0",
                "-cert", file("node.pem", pair.france.certificate.pem()),
                "-key", file("key.pem", pair.france.key.pem(passphrase: nil)),
                "-cert_chain", file("authority.pem", pair.france.authority.pem()),
                "-CAfile", file("spain.pem", pair.spain.authority.pem()), "-attime", "\(TestNode.now)",
            ], input: [0, 0, 0, 3, 7, 8, 9])
        #expect(
            output.contains("Verify return code: 0 (ok)") && output.contains("Peer signature type: ECDSA"))
        let far = try await pair.server.accepted.next()
        #expect(far.peer.node == pair.france.certificate)
        #expect(try await nextFrame(far) == [7, 8, 9])
        #expect(try await nextFrame(far) == nil)
    }

    @Test("a dialler says so if the server has only an older TLS")
    func olderServer() async throws {
        let pair = try await TestPair()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // The fatal alert protocol_version, as a server answers that does not know TLS 1.3.
                    try channel.pipeline.syncOperations.addHandler(Greeter(bytes: [21, 3, 3, 0, 2, 2, 70]))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let context = try pair.france.context(trusting: [pair.spain])
        let found = try await reason {
            _ = try await Dialler.dial(host: "127.0.0.1", port: port, context: context, logger: quiet)
        }
        #expect(found == .protocolVersion)
        try await server.close()
    }

    @Test("clients of older TLS, or without an application protocol, are told so")
    func olderProtocols() async throws {
        let pair = try await TestPair()
        let address = "127.0.0.1:\(pair.server.listener.port)"
        let old = try await openssl(["s_client", "-connect", address, "-tls1_2", "-alpn", "concord/0"])
        #expect(try await pair.server.refusals.next().reason == .protocolVersion)
        #expect(old.contains("alert protocol version"), "\(old)")
        let nameless = try await openssl(["s_client", "-connect", address])
        #expect(try await pair.server.refusals.next().reason == .applicationProtocol)
        #expect(nameless.contains("no application protocol"), "\(nameless)")
        #expect(try await pair.stillServes())
    }

    @Test("bytes that are not the peer's TLS end the connection as damaged")
    func injected() async throws {
        let pair = try await TestPair()
        let context = try pair.france.context(trusting: [pair.spain])
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: pair.server.listener.port).get()
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandlers([
                Injector(bytes: [23, 3, 3, 0, 40] + [UInt8](repeating: 0x5A, count: 40))
            ])
            try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(context: context, side: .initiator))
            try channel.pipeline.syncOperations.addHandler(Trigger())
        }.get()
        let far = try await pair.server.accepted.next()
        #expect(try await reason { _ = try await nextFrame(far) } == .corrupted)
        #expect(try await pair.stillServes())
    }

    @Test("a stream that is cut off is not taken for one that ends")
    func cutOff() async throws {
        let pair = try await TestPair()
        let context = try pair.france.context(trusting: [pair.spain])
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: pair.server.listener.port).get()
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(Injector(bytes: nil))
            try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(context: context, side: .initiator))
            try channel.pipeline.syncOperations.addHandler(Trigger())
        }.get()
        let far = try await pair.server.accepted.next()
        #expect(try await reason { _ = try await nextFrame(far) } == .closed)
    }

    @Test("a frame beyond the limit, or without content, ends the connection")
    func oversizedFrame() async throws {
        let pair = try await TestPair()
        var generous = TransportLimits()
        generous.frameBytes = 4 << 20
        let (near, far) = try await pair.connect(limits: generous)
        let sender = Task { try await near.send([UInt8](repeating: 1, count: 2 << 20)) }
        #expect(try await reason { _ = try await nextFrame(far) } == .frameTooLarge)
        #expect(try await reason { try await far.send([1]) } == .frameTooLarge)
        _ = await sender.result
        #expect(try await nextFrame(near) == nil)
        #expect(try await pair.stillServes())
    }

    @Test("a peer that connects and says nothing, or stops midway, is given up in time")
    func silent() async throws {
        var limits = TransportLimits()
        limits.handshakeTime = .milliseconds(200)
        let pair = try await TestPair(limits: limits)
        for bytes in [[], [22], [22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]] as [[UInt8]] {
            let peer = try await RawPeer(port: pair.server.listener.port)
            await peer.send(bytes)
            #expect(try await pair.server.refusals.next().reason == .handshakeTimedOut)
            try await peer.closed()
        }
        try await eventually { pair.server.listener.load == (0, 0) }
    }

    @Test("a dialler gives up on a server that accepts and says nothing")
    func silentServer() async throws {
        let pair = try await TestPair()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let context = try pair.france.context(trusting: [pair.spain])
        let found = try await reason {
            _ = try await Dialler.dial(
                host: "127.0.0.1", port: port, context: context, timeout: .milliseconds(300), logger: quiet)
        }
        #expect(found == .handshakeTimedOut)
        let attempt = Task {
            try await Dialler.dial(host: "127.0.0.1", port: port, context: context, logger: quiet)
        }
        attempt.cancel()
        await #expect(throws: CancellationError.self) { try await within { try await attempt.value } }
        try await server.close()
    }

    @Test(
        "beyond the number of handshakes at once, the oldest gives way, so that who says nothing keeps out nobody"
    )
    func tooManyHandshakes() async throws {
        var limits = TransportLimits()
        limits.concurrentHandshakes = 2
        // Who is silent here stays until the test lets go, however busy the machine is.
        limits.handshakeTime = .seconds(3600)
        let pair = try await TestPair(limits: limits)
        let first = try await RawPeer(port: pair.server.listener.port)
        let second = try await RawPeer(port: pair.server.listener.port)
        try await eventually { pair.server.listener.load == (2, 0) }
        #expect(try await pair.stillServes())
        try await first.closed()
        #expect(try await pair.server.refusals.next().reason == .tooManyConnections)
        try await second.channel.close().get()
        try await eventually { pair.server.listener.load.handshakes == 0 }
    }

    @Test("beyond the number of connections, newcomers are turned away")
    func tooManyConnections() async throws {
        var limits = TransportLimits()
        limits.connections = 1
        let pair = try await TestPair(limits: limits)
        let (near, far) = try await pair.connect()
        let late = try await pair.dial()
        #expect(try await nextFrame(late) == nil)
        #expect(try await pair.server.refusals.next().reason == .tooManyConnections)
        await near.close()
        await far.close()
        try await eventually { pair.server.listener.load == (0, 0) }
        #expect(try await pair.stillServes())
    }
}

/// A generator of reproducible numbers (Steele, Lea and Flood 2014).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Stands before TLS: when told, writes bytes to the socket as they are, or closes the socket without a word.
private final class Injector: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    struct Now: Sendable {}

    let bytes: [UInt8]?

    init(bytes: [UInt8]?) { self.bytes = bytes }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        if let bytes {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
        } else {
            context.close(promise: promise)
        }
    }
}

/// Speaks first, whatever the other side says.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}

/// Stands behind TLS: triggers the injection once the peer is established.
private final class Trigger: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSEstablished { context.triggerUserOutboundEvent(Injector.Now(), promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
