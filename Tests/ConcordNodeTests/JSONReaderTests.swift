import ConcordAPI
import ConcordModel
import Foundation
import Testing

@testable import ConcordNode

@Suite("JSON requests")
struct JSONReaderTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONReader.parse(Array(text.utf8)[...]) }

    @Test("values of every type are read")
    func values() throws {
        let text =
            #" { "a" : [ 1 , -2, true , false , null ] , "b" : { } , "c" : "x\n\u00e9\ud83d\ude00\"" , "d":[] } "#
        #expect(
            try parse(text)
                == .object([
                    "a": .array([.integer(1), .integer(-2), .boolean(true), .boolean(false), .null]),
                    "b": .object([:]), "c": .string("x\né😀\""), "d": .array([]),
                ]))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("0") == .integer(0))
    }

    @Test(
        "what is not strict JSON is refused",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.5", "1e3", "-",
            "9223372036854775808",
            "tru", "nul", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u12g4\"", "\"\u{1}\"",
            "1 2",
            "{a:1}", "{\"a\" 1}", "[1 2]", "'a'", "\"\\u00", "+1", "{1:2}",
        ])
    func refused(text: String) { #expect(throws: JSONFailure.self) { try parse(text) } }

    @Test(
        "bytes that are not UTF-8 are refused, with the first of them",
        arguments: [
            ([0x22, 0xff, 0x22], 1), ([0x22, 0x5c, 0x6e, 0x61, 0xe9, 0x22], 4),
            ([0x5b, 0x22, 0xe6, 0xb0, 0x5c, 0x6e, 0x22, 0x5d], 2),
        ] as [([UInt8], Int)])
    func badUTF8(bytes: [UInt8], offset: Int) {
        let error = #expect(throws: JSONFailure.self) { try JSONReader.parse(bytes[...]) }
        #expect(error?.reason == "a string is not valid UTF-8")
        #expect(error?.offset == offset)
    }

    @Test("nesting is bounded")
    func nesting() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(JSONReader.maximumDepth))
        #expect(throws: JSONFailure.self) { try parse(nested(JSONReader.maximumDepth + 2)) }
        #expect(throws: JSONFailure.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("random documents read as Foundation reads them", arguments: [UInt64](1...20))
    func agreesWithFoundation(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let value = Self.random(depth: 0, &generator)
        let encoder = JSONEncoder()
        if seed % 2 == 0 { encoder.outputFormatting = .prettyPrinted }
        let data = try encoder.encode(value)
        #expect(try JSONReader.parse([UInt8](data)[...]) == value, "seed \(seed)")
    }

    @Test("requests name their keys, and a misspelt one is refused")
    func unknownKey() async throws {
        let error = await expectError(.malformedRequest) {
            try RequestObject(body: Array(#"{"sett":{}}"#.utf8), keys: ["set"])
        }
        #expect(error?.message.contains("sett") == true)
        let object = try RequestObject(body: Array(#"{"set":{"b":1,"a":"x","c":null}}"#.utf8), keys: ["set"])
        let fields = try object.registers("set")
        #expect(fields.map(\.field) == ["a", "b", "c"])
        #expect(fields.map(\.value) == [.text("x"), .integer(1), .empty])
        await expectError(.malformedRequest) { try RequestObject(body: Array("[]".utf8), keys: []) }
    }

    @Test("values that no field can hold are refused", arguments: [#"["x"]"#, "true", "{}"])
    func badValue(text: String) async throws {
        let object = try RequestObject(body: Array("{\"set\":{\"a\":\(text)}}".utf8), keys: ["set"])
        await expectError(.malformedValue) { try object.registers("set") }
    }

    @Test("base64 has one form for each byte string")
    func base64() {
        #expect(Base64.decode(Base64.encode([1, 2, 3, 4])) == [1, 2, 3, 4])
        for text in ["AQ", "AR==", "A Q==", "====", "AQ==\n"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    private static func random(depth: Int, _ generator: inout SplitMix) -> JSONValue {
        switch Int.random(in: 0..<(depth < 4 ? 7 : 5), using: &generator) {
        case 0: .null
        case 1: .boolean(Bool.random(using: &generator))
        case 2, 3: .integer(Int64.random(in: .min ... .max, using: &generator))
        case 4:
            .string(
                String(
                    String.UnicodeScalarView(
                        (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                            Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator)) ?? "\\"
                        })))
        case 5: .array((0..<3).map { _ in random(depth: depth + 1, &generator) })
        default:
            .object(
                Dictionary(
                    (0..<3).map { ("k\($0)", random(depth: depth + 1, &generator)) },
                    uniquingKeysWith: { first, _ in first }))
        }
    }
}

/// A small seeded generator (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
