// An HTTP proxy on the way out, asked by CONNECT for a connection to a peer (RFC 9110 §9.3.6). The proxy is spoken to in
// plain HTTP and sees whom a node dials; what it then passes on is TLS from end to end, whose certificates the two nodes
// judge as always.

import COpenSSL

/// A proxy, and the user to whom it grants connections. Nothing that describes it shows the password.
public struct HTTPProxy: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// A name or an address.
    public let host: String
    /// The port.
    public let port: Int
    /// Who asks, if the proxy wants to know; without a colon.
    public let user: String?
    private let password: String

    /// A proxy at this address.
    public init(host: String, port: Int, user: String? = nil, password: String = "") {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    /// Its address, without the user.
    public var description: String { Self.authority(host, port) }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }

    /// The request for a connection to a peer.
    func request(host: String, port: Int) -> String {
        let target = Self.authority(host, port)
        var lines = ["CONNECT \(target) HTTP/1.1", "Host: \(target)"]
        if let user { lines.append("Proxy-Authorization: Basic \(Self.base64("\(user):\(password)"))") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func authority(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func base64(_ text: String) -> String {
        let bytes = Array(text.utf8)
        // Four for three, and a zero at the end.
        var encoded = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&encoded, bytes, Int32(bytes.count))
        return String(decoding: encoded.prefix(Int(count)), as: UTF8.self)
    }
}

/// What a proxy has answered so far: heads of responses, of which the last one counts.
struct ProxyAnswer {
    private var bytes: [UInt8] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes bytes that came.
    ///
    /// - Returns: what follows the head by which the connection is granted; nil as long as that is not there.
    /// - Throws: ``TransportError`` if the connection is refused, or this is no answer of a proxy.
    mutating func take(_ more: some Sequence<UInt8>) throws(TransportError) -> [UInt8]? {
        bytes += more
        while true {
            guard Self.beginsLikeHTTP(bytes) else {
                throw TransportError(.proxyUnusable, detail: "what it answers is not HTTP")
            }
            guard let end = endOfHead else {
                guard bytes.count <= limit else {
                    throw TransportError(.proxyUnusable, detail: "its answer has more than \(limit) bytes")
                }
                return nil
            }
            guard end <= limit else {
                throw TransportError(.proxyUnusable, detail: "its answer has more than \(limit) bytes")
            }
            let line = bytes.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
            guard let status = Self.status(of: line) else {
                throw TransportError(.proxyUnusable, detail: "its answer has no status")
            }
            bytes.removeFirst(end)
            switch status {
            case 100...199: continue
            case 200...299: return bytes
            case 407: throw TransportError(.proxyAuthentication)
            default: throw TransportError(.proxyRefused(status))
            }
        }
    }

    private static let start = Array("HTTP/1.".utf8)

    private static func beginsLikeHTTP(_ bytes: [UInt8]) -> Bool {
        let count = min(bytes.count, start.count)
        return bytes.prefix(count).elementsEqual(start.prefix(count))
    }

    /// Behind the empty line that ends a head; nil if there is none yet.
    private var endOfHead: Int? {
        var previous = -1
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            let line = bytes[(previous + 1)..<index]
            if previous >= 0, line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return index + 1 }
            previous = index
        }
        return nil
    }

    /// The status of `HTTP/1.1 200 …`.
    private static func status(of line: ArraySlice<UInt8>) -> Int? {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2, parts[0].count == start.count + 1, parts[1].count == 3,
            parts[1].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return parts[1].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
