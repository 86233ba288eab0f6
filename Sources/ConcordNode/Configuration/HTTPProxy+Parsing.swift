// How an administrator writes a proxy: `http://host:port`, or `http://user:password@host:port` with %xx for what would be
// mistaken. What is wrong is said without the text, in which a password may stand.

import ConcordModel
import ConcordTransport

extension HTTPProxy {
    /// Parses the value of a key.
    ///
    /// - Throws: ``ConcordError`` E-6002.
    init(parsing text: String, key: Configuration.Key, where place: String) throws {
        func refusal(_ reason: String) -> ConcordError {
            ConcordError(.malformedConfiguration, "\(place), key `\(key.rawValue)`: \(reason)")
        }
        let scheme = "http://"
        guard !text.hasPrefix("https://") else {
            throw refusal(
                "the proxy itself is spoken to without TLS: write http://; what passes is encrypted all the way"
            )
        }
        guard text.hasPrefix(scheme) else { throw refusal("it does not begin with http://") }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var user: String?
        var password = ""
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { Self.decoded($0) }
            guard decoded.allSatisfy({ $0 != nil }) else {
                throw refusal(
                    "a % in the user or password is not followed by two hexadecimal digits of UTF-8")
            }
            user = decoded.first ?? nil
            password = decoded.count > 1 ? decoded[1] ?? "" : ""
            guard let user, !user.isEmpty, !user.contains(":") else {
                throw refusal("the user is empty, or has a colon")
            }
            rest = rest[rest.index(after: at)...]
        }
        do {
            let address = try NodeAddress(parsing: String(rest))
            self.init(host: address.host, port: address.port, user: user, password: password)
        } catch {
            throw refusal("behind http:// and the user stands no host:port")
        }
    }

    /// Decodes %xx; nil if that is not UTF-8, or has control characters.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
