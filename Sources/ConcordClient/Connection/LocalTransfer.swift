// Files to and from the daemon: in pieces, each only when the one before has gone its way, so that a file of any size
// takes a fixed amount of memory on both sides of the socket.

import ConcordModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// A file on its way over the Unix socket in the home folder.
struct LocalTransfer: Sendable {
    private typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    let socket: String

    /// Sends a request with a body that is made piece by piece.
    ///
    /// - Parameters:
    ///   - byteCount: bytes of the body; nil if that is not known before.
    ///   - next: the next piece; nil at the end.
    /// - Throws: ``ConcordError`` E-6005 if the daemon cannot be reached or breaks off, or what `next` throws.
    func upload(
        _ request: LocalRequest, byteCount: Int64?, next: @escaping @Sendable () throws -> [UInt8]?
    ) async throws -> LocalResponse {
        var headers = Self.headers
        headers.add(name: "content-type", value: "application/octet-stream")
        if let byteCount { headers.add(name: "content-length", value: String(byteCount)) }
        let head = Self.head(request, headers)
        return try await exchange { inbound, outbound in
            try await withThrowingTaskGroup(of: LocalResponse?.self) { group in
                group.addTask {
                    try await outbound.write(.head(head))
                    while let piece = try next() {
                        try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: piece))))
                    }
                    try await outbound.write(.end(nil))
                    return nil
                }
                group.addTask { try await Self.response(inbound) }
                // A refusal may come before all is sent; then the rest is not wanted.
                var failure: (any Error)?
                while let result = await group.nextResult() {
                    switch result {
                    case .success(let response?):
                        group.cancelAll()
                        return response
                    case .success(nil): continue
                    // What the daemon says counts more than that it does not read on.
                    case .failure(let error): failure = failure ?? error
                    }
                    if failure is ConcordError { group.cancelAll() }
                }
                throw failure ?? LocalConnection.BrokenOff()
            }
        }
    }

    /// Sends a request without a body and hands over what comes.
    ///
    /// - Parameter take: called with each piece, in order, if the daemon does what is asked.
    /// - Returns: nil, or the whole response if the daemon refuses.
    func download(
        _ request: LocalRequest, take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws -> LocalResponse? {
        let head = Self.head(request, Self.headers)
        return try await exchange { inbound, outbound in
            // In one: the daemon may have answered and gone before a second write.
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
            var parts = inbound.makeAsyncIterator()
            guard case .head(let answer)? = try await parts.next() else { throw LocalConnection.BrokenOff() }
            let isRefusal = !(200..<300).contains(answer.status.code)
            var refusal: [UInt8] = []
            while let part = try await parts.next() {
                switch part {
                case .head: continue
                case .body(let buffer):
                    guard isRefusal else {
                        try take([UInt8](buffer.readableBytesView))
                        continue
                    }
                    try Self.append(buffer, to: &refusal)
                case .end:
                    return isRefusal
                        ? LocalResponse(status: Int(answer.status.code), body: refusal) : nil
                }
            }
            throw LocalConnection.BrokenOff()
        }
    }

    // MARK: Parts

    private static let headers = HTTPHeaders([
        ("host", "concord"), ("connection", "close"), ("accept", "*/*"),
    ])

    private static func head(_ request: LocalRequest, _ headers: HTTPHeaders) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: request.method, uri: request.target, headers: headers)
    }

    private static func response(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>
    ) async throws -> LocalResponse {
        var status = 0
        var body: [UInt8] = []
        for try await part in inbound {
            switch part {
            case .head(let head): status = Int(head.status.code)
            case .body(let buffer): try append(buffer, to: &body)
            case .end: return LocalResponse(status: status, body: body)
            }
        }
        throw LocalConnection.BrokenOff()
    }

    private static func append(_ buffer: ByteBuffer, to body: inout [UInt8]) throws {
        guard body.count + buffer.readableBytes <= ClientLimits.responseBytes else {
            throw ConcordError(
                .limitExceeded, "the daemon's answer has more than \(ClientLimits.responseBytes >> 20) MiB")
        }
        body += buffer.readableBytesView
    }

    private func exchange<Answer: Sendable>(
        _ body:
            @escaping @Sendable (
                NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
                NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
            ) async throws -> Answer
    ) async throws -> Answer {
        let connection = LocalConnection(socket: socket)
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .connect(unixDomainSocketPath: socket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try Channel(wrappingChannelSynchronously: channel)
                    }
                }
            return try await channel.executeThenClose { try await body($0, $1) }
        } catch let error as ConcordError {
            throw error
        } catch {
            throw connection.unreachable(error)
        }
    }
}
