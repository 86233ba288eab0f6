// Where a node listens or is dialled: a host and a port. Hosts are names or literal addresses and are
// resolved only when they are dialled, so that an address outlives a change of DNS.

import ConcordModel

/// `host:port` or `[IPv6]:port`.
public struct NodeAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest host that is taken, in bytes (RFC 1035, section 2.3.4).
    public static let maximumHostBytes = 253

    /// A name, an IPv4 address or an IPv6 address without brackets.
    public let host: String
    /// 1 to 65535; 0 asks the system for a free port, where listening allows it.
    public let port: Int

    /// An address of these parts, which are taken as they are.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port` or `[IPv6]:port`.
    ///
    /// - Parameter allowingAnyPort: Whether port 0, "any free one", is taken: it makes sense for listening
    ///   only.
    /// - Throws: ``ConcordError`` E-6009.
    public init(parsing text: String, allowingAnyPort: Bool = false) throws {
        guard let colon = text.lastIndex(of: ":") else { throw Self.refusal(text, "the port is missing") }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            ((allowingAnyPort ? 0 : 1)...65_535).contains(port)
        else { throw Self.refusal(text, "the port is not a number from 1 to 65535") }
        let written = text[..<colon]
        if written.hasPrefix("[") {
            guard written.hasSuffix("]") else { throw Self.refusal(text, "a bracket is not closed") }
            let inner = written.dropFirst().dropLast()
            guard inner.contains(":"), inner.utf8.allSatisfy(Self.isIPv6Byte) else {
                throw Self.refusal(text, "between the brackets is no IPv6 address")
            }
            self.init(host: String(inner), port: port)
        } else {
            guard !written.contains(":") else {
                throw Self.refusal(text, "an IPv6 address stands in brackets")
            }
            guard !written.isEmpty, written.utf8.count <= Self.maximumHostBytes,
                written.utf8.allSatisfy(Self.isNameByte)
            else { throw Self.refusal(text, "the host is not a name or an address") }
            self.init(host: String(written), port: port)
        }
    }

    /// As ``init(parsing:allowingAnyPort:)`` reads it.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public static func < (a: Self, b: Self) -> Bool { (a.host, a.port) < (b.host, b.port) }

    private static func refusal(_ text: String, _ reason: String) -> ConcordError {
        ConcordError(.badAddress, "“\(text.prefix(maximumHostBytes))” is not an address: \(reason)")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // Digits, colons, the dots of a mapped IPv4 address, and a zone after `%`.
    private static func isIPv6Byte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }
}
