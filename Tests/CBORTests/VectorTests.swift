// Protocol/vectors/cbor.json is for every implementation; this one must agree with it.

import CBOR
import Foundation
import Testing

private struct Vectors: Decodable {
    struct Accepted: Decodable {
        let hex: String
        let value: Item
        let note: String?
    }
    struct Rejected: Decodable {
        let hex: String
        let reason: String
        let at: Int
        let note: String
    }
    let accepted: [Accepted]
    let rejected: [Rejected]

    static func load() throws -> Vectors {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Protocol/vectors/cbor.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
    }
}

extension Item: Decodable {
    private enum Key: String, CodingKey { case unsigned, negative, bytes, text, array }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let digits = try container.decodeIfPresent(String.self, forKey: .unsigned) {
            self = .unsigned(try #require(UInt64(digits)))
        } else if let digits = try container.decodeIfPresent(String.self, forKey: .negative) {
            self = .negative(try #require(Int64(digits)))
        } else if let digits = try container.decodeIfPresent(String.self, forKey: .bytes) {
            self = .bytes(unhex(digits))
        } else if let text = try container.decodeIfPresent(String.self, forKey: .text) {
            self = .text(Array(text.utf8))
        } else {
            self = .array(try container.decode([Item].self, forKey: .array))
        }
    }
}

@Suite("Deterministic CBOR: vectors")
struct VectorTests {
    @Test("accepted encodings give their value and come from it")
    func accepted() throws {
        let vectors = try Vectors.load().accepted
        #expect(vectors.count > 40)
        for vector in vectors {
            var reader = CBORReader(unhex(vector.hex))
            #expect(try Item(from: &reader) == vector.value, "\(vector.hex)")
            #expect(reader.isAtEnd, "\(vector.hex)")
            #expect(hex(vector.value.encoded) == vector.hex)
        }
    }

    @Test("rejected encodings are refused for the reason and at the place that the table gives")
    func rejected() throws {
        let vectors = try Vectors.load().rejected
        #expect(vectors.count > 70)
        for vector in vectors {
            let error = refusal { () throws(CBORError) in
                var reader = CBORReader(unhex(vector.hex))
                try reader.skip()
                try reader.expectEnd()
            }
            #expect(error.map { "\($0.reason)" } == vector.reason, "\(vector.hex): \(vector.note)")
            #expect(error?.offset == vector.at, "\(vector.hex): \(vector.note)")
        }
    }
}
