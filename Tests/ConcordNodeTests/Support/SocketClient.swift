// The simplest client of the local API that there is: one request over one connection to the Unix socket,
// read to its end. It shares no code with the server or with `concord`.

import ConcordAPI
import Foundation
import Glibc

@testable import ConcordNode

struct SocketResponse: Sendable {
    let status: Int
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONReader.parse(body[...])) ?? .null }

    func document<Document: Decodable>(_: Document.Type) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(body))
    }

    /// The code of the error document, if it is one.
    var errorCode: String? { try? document(ErrorDocument.self).error.code }
}

struct SocketFailure: Error { let reason: String }

struct SocketClient: Sendable {
    let path: String

    /// Sends a request and reads the response.
    func send(_ method: String, _ target: String, _ body: [UInt8] = [], headers: [String] = []) async throws
        -> SocketResponse
    {
        let head = [
            "\(method) \(target) HTTP/1.1", "Host: concord", "Connection: close",
            "Content-Length: \(body.count)",
        ]
        let request = Array(((head + headers).joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        return try Self.response(try await exchange(request))
    }

    func send(_ method: String, _ target: String, json: String) async throws -> SocketResponse {
        try await send(method, target, Array(json.utf8), headers: ["Content-Type: application/json"])
    }

    /// Sends raw bytes and gives what comes back until the server closes. Waits on a
    /// thread of its own: those of Dispatch are shared with tests and servers.
    ///
    /// - Parameter endsInput: Whether the server is told that nothing follows.
    func exchange(_ request: [UInt8], endsInput: Bool = false) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try wait(request, endsInput) }) }
        }
    }

    private func wait(_ request: [UInt8], _ endsInput: Bool) throws -> [UInt8] {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFailure(reason: "no socket") }
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            throw SocketFailure(reason: "not connected: \(String(cString: strerror(errno)))")
        }
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, request.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        if endsInput { shutdown(descriptor, Int32(SHUT_WR)) }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return received }
            received += buffer[..<count]
        }
    }

    private static func response(_ bytes: [UInt8]) throws -> SocketResponse {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw SocketFailure(reason: "no response: \(bytes.count) bytes")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let parts = lines[0].split(separator: " ")
        guard parts.count >= 2, let status = Int(parts[1]) else { throw SocketFailure(reason: lines[0]) }
        let isChunked = lines.contains { $0.lowercased() == "transfer-encoding: chunked" }
        guard !isChunked else { throw SocketFailure(reason: "a chunked response was not expected") }
        return SocketResponse(status: status, body: Array(bytes[end.upperBound...]))
    }
}
