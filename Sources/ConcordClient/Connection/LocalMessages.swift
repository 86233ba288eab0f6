// A request to the local API and its response, as far as HTTP is concerned.

import NIOHTTP1

/// One request.
struct LocalRequest: Sendable {
    let method: HTTPMethod
    /// Path and query, percent-encoded.
    let target: String
    let contentType: String?
    let body: [UInt8]

    /// A request for the path of these segments, which are encoded here.
    init(
        _ method: HTTPMethod, _ path: [String], query: [(name: String, value: String?)] = [],
        contentType: String? = nil, body: [UInt8] = []
    ) {
        self.method = method
        var target = (["", "v1"] + path.map(Self.encoded)).joined(separator: "/")
        let parameters = query.compactMap { parameter in
            parameter.value.map { "\(parameter.name)=\(Self.encoded($0))" }
        }
        if !parameters.isEmpty { target += "?" + parameters.joined(separator: "&") }
        self.target = target
        self.contentType = contentType
        self.body = body
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986, so that any text fits anywhere in a
    /// target.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// One response, complete.
struct LocalResponse: Sendable {
    let status: Int
    let body: [UInt8]
}
