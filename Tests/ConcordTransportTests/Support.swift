// What the transport's tests share: nodes with their certificates, a listener whose refusals can be awaited,
// raw sockets for hostile peers, and deadlines.

import ConcordCrypto
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import ConcordTransport

/// A member with an authority, and one node of it.
struct TestNode {
    let authorityKey: PrivateKey
    let authority: Certificate
    let key: PrivateKey
    let certificate: Certificate

    static let now: Int64 = 1_800_000_000

    init(_ code: String, notBefore: Int64 = now - 1000, notAfter: Int64 = now + 1000) throws {
        authorityKey = try PrivateKey.generate()
        authority = try CertificateIssuer.authority(
            subject: CertificateSubject(
                memberCode: code, memberName: "Member \(code)", commonName: "\(code) authority"),
            key: authorityKey, notBefore: 0, notAfter: Self.now * 2)
        key = try PrivateKey.generate()
        certificate = try CertificateIssuer.node(
            commonName: "\(code) node", publicKey: key.publicKey, purpose: .signing, issuer: authority,
            issuerKey: authorityKey, notBefore: notBefore, notAfter: notAfter)
    }

    /// A context that accepts the nodes of `trusted`, by the rules for every peer.
    func context(trusting trusted: [TestNode], protocol name: String = "concord/0") throws -> TLSContext {
        let authorities = Set(trusted.map(\.authority))
        return try context(protocol: name) { $0.verdict(now: Self.now) { authorities.contains($0) } }
    }

    func context(
        protocol name: String = "concord/0", verify: @escaping @Sendable (PeerCertificates) -> PeerVerdict
    ) throws -> TLSContext {
        try TLSContext(
            TLSConfiguration(
                certificate: certificate, authority: authority, key: key, applicationProtocol: name,
                verify: verify))
    }
}

/// Two nodes that know one another, one of which listens.
struct TestPair {
    let spain: TestNode
    let france: TestNode
    let server: TestServer

    init(limits: TransportLimits = TransportLimits()) async throws {
        spain = try TestNode("ESP")
        france = try TestNode("FRA")
        server = try await TestServer(context: spain.context(trusting: [france]), limits: limits)
    }

    func dial(limits: TransportLimits = TransportLimits()) async throws -> FrameConnection {
        try await server.dial(france.context(trusting: [spain]), limits: limits)
    }

    /// A new connection and the other end of it.
    func connect(
        limits: TransportLimits = TransportLimits()
    ) async throws -> (near: FrameConnection, far: FrameConnection) {
        let near = try await dial(limits: limits)
        return (near, try await server.accepted.next())
    }

    /// Whether a new connection carries a frame there and back.
    func stillServes() async throws -> Bool {
        let (near, far) = try await connect()
        try await near.send([1, 2, 3])
        var farFrames = far.frames().makeAsyncIterator()
        let request = try await farFrames.next()
        try await far.send([4])
        var nearFrames = near.frames().makeAsyncIterator()
        let answer = try await nearFrames.next()
        await near.close()
        return request == [1, 2, 3] && answer == [4]
    }
}

/// A listener on the loopback whose connections and refusals can be awaited.
struct TestServer {
    let listener: Listener
    let accepted: Awaitable<FrameConnection>
    let refusals: Awaitable<TransportError>

    init(
        context: TLSContext, host: String = "127.0.0.1", limits: TransportLimits = TransportLimits()
    ) async throws {
        let refusals = Awaitable<TransportError>()
        listener = try await Listener.bind(
            host: host, port: 0, context: context, limits: limits, logger: quiet,
            onRefusal: { _, error in refusals.put(error) })
        self.refusals = refusals
        accepted = Awaitable(listener.connections)
    }

    func dial(
        _ context: TLSContext, host: String = "127.0.0.1", limits: TransportLimits = TransportLimits()
    ) async throws -> FrameConnection {
        try await Dialler.dial(
            host: host, port: listener.port, context: context, limits: limits, logger: quiet)
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

struct DeadlineExceeded: Error {}

/// The result of `body`, or an error after `time`.
func within<Result: Sendable>(
    _ time: Duration = .seconds(60), _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: time)
            throw DeadlineExceeded()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw DeadlineExceeded() }
        return first
    }
}

/// Waits, looking every few milliseconds, until `condition` holds; fails after `time`.
func eventually(_ time: Duration = .seconds(60), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + time
    while try await !condition() {
        guard ContinuousClock.now < end else { throw DeadlineExceeded() }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Values that arrive on some thread and are awaited, with a deadline, by a test.
actor Awaitable<Value: Sendable> {
    private var values: [Value] = []
    private nonisolated let continuation: AsyncStream<Value>.Continuation?
    private var pump: Task<Void, Never>?

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Value.self)
        self.continuation = continuation
        Task { await self.start(stream) }
    }

    init(_ stream: AsyncStream<Value>) {
        continuation = nil
        Task { await self.start(stream) }
    }

    private func start(_ stream: AsyncStream<Value>) {
        pump = Task { for await value in stream { values.append(value) } }
    }

    nonisolated func put(_ value: Value) { continuation?.yield(value) }

    func next() async throws -> Value {
        let end = ContinuousClock.now + .seconds(20)
        while values.isEmpty {
            guard ContinuousClock.now < end else { throw DeadlineExceeded() }
            try await Task.sleep(for: .milliseconds(5))
        }
        return values.removeFirst()
    }
}

/// A plain TCP connection for peers that do not follow the rules.
struct RawPeer {
    let channel: any Channel
    let received: Awaitable<[UInt8]>

    init(port: Int) async throws {
        let received = Awaitable<[UInt8]>()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector { received.put($0) })
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        self.received = received
    }

    /// Sends bytes, unless the other side has already closed: what counts is what that side reports.
    func send(_ bytes: [UInt8]) async {
        _ = try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Waits until the other side has closed.
    func closed() async throws {
        let channel = channel
        try await within { try await channel.closeFuture.get() }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let receive: @Sendable ([UInt8]) -> Void
        init(receive: @escaping @Sendable ([UInt8]) -> Void) { self.receive = receive }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            receive(Array(buffer: unwrapInboundIn(data)))
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Runs `openssl`, which reads `input` and then the end; its output and errors together.
func openssl(_ arguments: [String], input: [UInt8] = []) async throws -> String {
    try await within(.seconds(30)) {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
                process.arguments = arguments
                let pipe = Pipe()
                process.standardOutput = pipe
                process.standardError = pipe
                let inputPipe = Pipe()
                process.standardInput = inputPipe
                do {
                    try process.run()
                    try inputPipe.fileHandleForWriting.write(contentsOf: input)
                    try inputPipe.fileHandleForWriting.close()
                } catch { return continuation.resume(throwing: error) }
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }
}

/// The reason of the ``TransportError`` that `body` throws, or nil if it throws none.
func reason(_ body: () async throws -> Void) async throws -> TransportError.Reason? {
    do { try await body() } catch let error as TransportError { return error.reason }
    return nil
}

/// Reads one frame, with a deadline.
func nextFrame(_ connection: FrameConnection) async throws -> [UInt8]? {
    try await within {
        var frames = connection.frames().makeAsyncIterator()
        return try await frames.next()
    }
}
