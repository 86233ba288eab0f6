// Reads requests: bodies within their limits, path and query decoded, and no query parameter that means
// nothing.

import ConcordAPI
import ConcordModel
import Foundation
import Hummingbird

/// The query of a request, read strictly.
struct RequestQuery {
    private let pairs: [(name: String, value: String)]

    /// - Parameter names: All names that the request may have.
    /// - Throws: ``ConcordError`` E-6006.
    init(_ request: Request, names: Set<String> = []) throws {
        var pairs: [(name: String, value: String)] = []
        for part in (request.uri.query ?? "").split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(sides[0]).removingPercentEncoding,
                let value = sides.count == 2 ? String(sides[1]).removingPercentEncoding : ""
            else { throw ConcordError(.malformedRequest, "the query is not percent-encoded UTF-8") }
            guard names.contains(name) else {
                let known =
                    names.isEmpty
                    ? "none is taken here" : "known are \(names.sorted().joined(separator: ", "))"
                throw ConcordError(
                    .malformedRequest, "unknown query parameter “\(name.prefix(64))”; \(known)")
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// The last value of this name, nil if there is none or it is empty.
    func optional(_ name: String) -> String? {
        pairs.last { $0.name == name && !$0.value.isEmpty }?.value
    }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    func flag(_ name: String) throws -> Bool {
        switch optional(name) {
        case nil, "0", "false": return false
        case "1", "true": return true
        default: throw ConcordError(.malformedRequest, "query parameter “\(name)” is 0 or 1")
        }
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = optional(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw ConcordError(
                .malformedRequest,
                "query parameter “\(name)” is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension Request {
    /// The JSON object in the body.
    ///
    /// - Parameter maximum: Bytes of the body.
    func object(keys: Set<String>, upTo maximum: Int = LocalAPILimits.bodyBytes) async throws
        -> RequestObject
    {
        try RequestObject(body: try await bytes(upTo: maximum), keys: keys)
    }

    /// The whole body.
    ///
    /// - Throws: ``ConcordError`` E-3002 if it is larger.
    func bytes(upTo maximum: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await forEachPart(upTo: maximum) { bytes += $0.readableBytesView }
        return bytes
    }

    /// Hands over the body part by part as it arrives.
    ///
    /// - Throws: ``ConcordError`` E-3002 if it is larger, or what `take` throws.
    func forEachPart(upTo maximum: Int, _ take: (ByteBuffer) throws -> Void) async throws {
        var total = 0
        for try await part in body {
            total += part.readableBytes
            guard total <= maximum else {
                throw ConcordError(.limitExceeded, "the body has more than \(maximum) bytes")
            }
            try take(part)
        }
    }
}

extension RequestContext {
    /// A part of the path, decoded.
    func part(_ name: String) throws -> String {
        guard let text = parameters.get(name)?.removingPercentEncoding, !text.isEmpty else {
            throw ConcordError(.malformedRequest, "the path is not percent-encoded UTF-8")
        }
        return text
    }
}
