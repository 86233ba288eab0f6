// What is not the one deterministic encoding is refused with its reason and place. The table of forms is
// Protocol/vectors/cbor.json, which other implementations can read as well; what depends on the reader's call is here.

import CBOR
import Testing

@Suite("Deterministic CBOR: what is refused")
struct RejectionTests {
    @Test("no proper beginning of an encoding is accepted", arguments: 0..<60 as Range<UInt64>)
    func truncated(seed: UInt64) {
        var random = Seeded(seed)
        let bytes = Item.random(&random).encoded
        let step = max(1, bytes.count / 200)
        for count in stride(from: 0, to: bytes.count, by: step) {
            var reader = CBORReader(Array(bytes.prefix(count)))
            let error = refusal { () throws(CBORError) in try reader.skip() }
            // A text that is cut is too short before anybody asks whether it is UTF-8.
            #expect(error?.reason == .truncated, "seed \(seed), first \(count) of \(bytes.count) bytes")
        }
    }

    @Test("arrays may be 16 deep and no deeper, however many there are")
    func nesting() throws {
        for depth in [1, 15, 16] {
            var reader = CBORReader([UInt8](repeating: 0x81, count: depth) + [0])
            #expect(try reader.skip() == 0..<depth + 1)
        }
        for depth in [17, 18, 100, 1_000_000] {
            var reader = CBORReader([UInt8](repeating: 0x81, count: depth) + [0])
            #expect(refusal { () throws(CBORError) in try reader.skip() }?.reason == .tooDeep)
        }
    }

    @Test("a huge length is refused before anything is allocated")
    func hugeLengths() {
        for head in [
            "5b7fffffffffffffff", "5bffffffffffffffff", "7b7fffffffffffffff", "9b7fffffffffffffff",
            "9b0000000100000000",
        ] {
            let bytes = unhex(head) + [UInt8](repeating: 0, count: 100)
            #expect(
                refusal { () throws(CBORError) in
                    var reader = CBORReader(bytes)
                    return try reader.skip()
                }?.reason == .truncated)
            #expect(
                refusal { () throws(CBORError) in
                    var reader = CBORReader(bytes)
                    return try reader.array(upTo: 10)
                } != nil)
            #expect(
                refusal { () throws(CBORError) in
                    var reader = CBORReader(bytes)
                    return try reader.byteString(upTo: 10)
                } != nil)
        }
    }

    @Test("limits that the caller gives hold exactly")
    func callersLimits() throws {
        var reader = CBORReader(unhex("1818"))
        #expect(try reader.unsigned(upTo: 24) == 24)
        expect(.tooLarge, "1819") { reader throws(CBORError) in _ = try reader.unsigned(upTo: 24) }
        expect(.tooLarge, "1bffffffffffffffff") { reader throws(CBORError) in
            _ = try reader.unsigned(upTo: .max)
        }
        expect(.tooLarge, "43010203") { reader throws(CBORError) in _ = try reader.byteString(upTo: 2) }
        expect(.wrongLength, "43010203") { reader throws(CBORError) in _ = try reader.byteString(count: 2) }
        expect(.wrongLength, "43010203") { reader throws(CBORError) in _ = try reader.byteString(count: 4) }
        expect(.wrongLength, "4f" + String(repeating: "00", count: 15)) { reader throws(CBORError) in
            _ = try reader.twoWords()
        }
        expect(.wrongLength, "51" + String(repeating: "00", count: 17)) { reader throws(CBORError) in
            _ = try reader.twoWords()
        }
        expect(.tooLarge, "63616263") { reader throws(CBORError) in _ = try reader.text(upTo: 2) }
        expect(.tooLarge, "83000000") { reader throws(CBORError) in _ = try reader.array(upTo: 2) }
        expect(.wrongLength, "83000000") { reader throws(CBORError) in try reader.array(count: 2) }
        expect(.wrongLength, "83000000") { reader throws(CBORError) in try reader.array(count: 4) }
    }

    @Test("integers beyond 64 signed bits are no signed integers")
    func integerOverflow() {
        expect(.tooLarge, "1b8000000000000000") { reader throws(CBORError) in _ = try reader.integer() }
        expect(.tooLarge, "3b8000000000000000") { reader throws(CBORError) in _ = try reader.integer() }
        expect(.tooLarge, "3bffffffffffffffff") { reader throws(CBORError) in _ = try reader.integer() }
    }

    @Test("an item of another type is refused, and what is unsupported is told apart")
    func otherTypes() {
        for (digits, reason) in [
            ("20", .unexpectedType), ("40", .unexpectedType), ("60", .unexpectedType),
            ("80", .unexpectedType),
            ("a0", .unsupportedType), ("c000", .unsupportedType), ("f6", .unsupportedType), ("", .truncated),
        ] as [(String, CBORError.Reason)] {
            expect(reason, digits) { reader throws(CBORError) in _ = try reader.unsigned() }
        }
        expect(.unexpectedType, "00") { reader throws(CBORError) in _ = try reader.byteString(upTo: 10) }
        expect(.unexpectedType, "6161") { reader throws(CBORError) in _ = try reader.byteString(upTo: 10) }
        expect(.unexpectedType, "4161") { reader throws(CBORError) in _ = try reader.text(upTo: 10) }
        expect(.unexpectedType, "4161") { reader throws(CBORError) in _ = try reader.array(upTo: 10) }
        expect(.unexpectedType, "4161") { reader throws(CBORError) in _ = try reader.integer() }
    }

    @Test("every reason has a sentence, and an error says where")
    func descriptions() {
        var reader = CBORReader([0x82, 0x00, 0xf6])
        let error = refusal { () throws(CBORError) in try reader.skip() }
        #expect(error?.offset == 2)
        #expect(error?.description.hasSuffix("(at byte 2)") == true)
    }

    private func expect(
        _ reason: CBORError.Reason, _ digits: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ read: (inout CBORReader) throws(CBORError) -> Void
    ) {
        var reader = CBORReader(unhex(digits))
        let error = refusal { () throws(CBORError) in try read(&reader) }
        #expect(error?.reason == reason, "\(digits)", sourceLocation: sourceLocation)
        #expect(error?.offset == 0, "\(digits)", sourceLocation: sourceLocation)
    }
}
