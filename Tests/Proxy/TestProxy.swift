// A real HTTP proxy for the tests, small and strict: it understands CONNECT, may ask for a user, and can misbehave.

import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A proxy on loopback.
public final class TestProxy: Sendable {
    /// What it does with a request.
    public enum Manner: Sendable {
        /// Makes the connection; for this user alone, if one is given as `user:password`.
        case grant(user: String? = nil)
        /// The same, one byte of the answer after the other, after an answer that decides nothing.
        case slow
        /// Answers with these bytes, and closes if told so.
        case answer(String, closes: Bool = false)
        /// Says nothing.
        case silent
    }

    /// The port at which it listens.
    public let port: Int
    private let listener: any Channel
    private let log: Log
    private let roads: Roads

    private init(listener: any Channel, log: Log, roads: Roads) {
        self.listener = listener
        self.log = log
        self.roads = roads
        port = listener.localAddress?.port ?? 0
    }

    /// The requests that came, as they were written.
    public var requests: [String] { log.texts.withLock { $0 } }

    deinit { listener.close(promise: nil) }

    /// Breaks off the connections to these ports and makes none to them, until other ports are named.
    public func block(_ ports: Set<Int>) { roads.block(ports) }

    /// A proxy that treats all requests in this manner.
    public static func open(_ manner: Manner) async throws -> TestProxy {
        let (log, roads) = (Log(), Roads())
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Asked(manner, log, roads))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestProxy(listener: listener, log: log, roads: roads)
    }

    fileprivate final class Log: Sendable {
        let texts = Mutex<[String]>([])
    }

    /// The connections that stand, and where none may.
    fileprivate final class Roads: Sendable {
        private struct State {
            var blocked: Set<Int> = []
            var standing: [ObjectIdentifier: (port: Int, channel: any Channel)] = [:]
        }

        private let state = Mutex(State())

        func isOpen(_ port: Int) -> Bool { state.withLock { !$0.blocked.contains(port) } }

        func add(_ channel: any Channel, to port: Int) {
            let id = ObjectIdentifier(channel)
            state.withLock { $0.standing[id] = (port, channel) }
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { _ = $0.standing.removeValue(forKey: id) }
            }
        }

        func block(_ ports: Set<Int>) {
            let ended = state.withLock { state in
                state.blocked = ports
                return state.standing.values.filter { ports.contains($0.port) }.map(\.channel)
            }
            for channel in ended { channel.close(promise: nil) }
        }
    }
}

/// Reads a request and does what the proxy does with it.
private final class Asked: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let manner: TestProxy.Manner
    private let log: TestProxy.Log
    private let roads: TestProxy.Roads
    private var head: [UInt8] = []
    private var isAnswered = false
    private var far: (any Channel)?
    private var early: [ByteBuffer] = []

    init(_ manner: TestProxy.Manner, _ log: TestProxy.Log, _ roads: TestProxy.Roads) {
        self.manner = manner
        self.log = log
        self.roads = roads
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard !isAnswered else {
            if let far { far.writeAndFlush(buffer, promise: nil) } else { early.append(buffer) }
            return
        }
        head += buffer.readableBytesView
        let text = String(decoding: head, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return }
        isAnswered = true
        log.texts.withLock { $0.append(text) }
        switch manner {
        case .silent: break
        case .answer(let answer, let closes): say([answer], context, closes: closes)
        case .slow:
            let long = String(repeating: "x", count: 200)
            let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nVia: \(long)\r\n\r\n"
            connect(text, context, answer: answer.utf8.map { String(decoding: [$0], as: UTF8.self) })
        case .grant(let user):
            let wanted = user.map { Data($0.utf8).base64EncodedString() }
            if let wanted, !text.contains("\r\nProxy-Authorization: Basic \(wanted)\r\n") {
                let refusal = "HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic\r\n\r\n"
                return say([refusal], context, closes: true)
            }
            connect(text, context, answer: ["HTTP/1.1 200 Connection established\r\n\r\n"])
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { far?.close(mode: .output, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { far?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func say(_ parts: [String], _ context: ChannelHandlerContext, closes: Bool = false) {
        for part in parts {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: part)), promise: nil)
        }
        if closes { context.close(promise: nil) }
    }

    private func connect(_ request: String, _ context: ChannelHandlerContext, answer: [String]) {
        let target = request.split(separator: " ")[1]
        let port = target.split(separator: ":").last.flatMap { Int($0) } ?? 0
        guard roads.isOpen(port) else {
            return say(["HTTP/1.1 502 Bad Gateway\r\n\r\n"], context, closes: true)
        }
        roads.add(context.channel, to: port)
        let host = target.dropLast("\(port)".count + 1).trimmingCharacters(in: ["[", "]"])
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let near = context.channel
        ClientBootstrap(group: context.eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Back(near))
                }
            }
            .connect(host: host, port: port).whenComplete { result in
                let (asked, context) = bound.value
                switch result {
                case .failure:
                    asked.say(["HTTP/1.1 502 Bad Gateway\r\n\r\n"], context, closes: true)
                case .success(let channel):
                    asked.far = channel
                    asked.say(answer, context)
                    for buffer in asked.early { channel.writeAndFlush(buffer, promise: nil) }
                }
            }
    }

    /// What comes from the other side.
    private final class Back: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let near: any Channel

        init(_ near: any Channel) { self.near = near }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            near.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent {
                near.close(mode: .output, promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { near.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
