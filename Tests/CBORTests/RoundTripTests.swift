// What is written is read again, and what is read is what would be written: so a signature over the bytes is a
// signature over the values.

import CBOR
import Testing

@Suite("Deterministic CBOR: round trips")
struct RoundTripTests {
    @Test("what is written is read again, all of it", arguments: 0..<300 as Range<UInt64>)
    func randomItems(seed: UInt64) throws {
        var random = Seeded(seed)
        let item = Item.random(&random)
        let bytes = item.encoded
        var reader = CBORReader(bytes)
        #expect(try Item(from: &reader) == item, "seed \(seed)")
        #expect(reader.isAtEnd, "seed \(seed)")
        var skipper = CBORReader(bytes)
        #expect(try skipper.skip() == 0..<bytes.count, "seed \(seed)")
    }

    @Test(
        "altered bytes are refused or are the encoding of what is read", arguments: 0..<300 as Range<UInt64>)
    func alteredBytes(seed: UInt64) throws {
        var random = Seeded(seed)
        var bytes = Item.random(&random).encoded
        for _ in 0..<40 {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: if bytes.count > 1 { bytes.remove(at: place) }
            }
            var reader = CBORReader(bytes)
            guard (try? reader.skip()) != nil, (try? reader.expectEnd()) != nil else { continue }
            var typed = CBORReader(bytes)
            if let item = try? Item(from: &typed) {
                #expect(item.encoded == bytes, "seed \(seed)")
            }
        }
    }

    @Test("integers at the edges of every head length keep their value")
    func integerEdges() throws {
        var edges: [Int64] = [.min, .max, 0, -1]
        for shift in [4, 5, 8, 16, 32, 48, 62] as [Int64] {
            for offset in -1...1 as ClosedRange<Int64> {
                edges += [(1 << shift) + offset, -(1 << shift) + offset]
            }
        }
        edges += [22, 23, 24, 25, -23, -24, -25, -26]
        for edge in edges {
            var writer = CBORWriter()
            writer.integer(edge)
            var reader = CBORReader(writer.bytes)
            #expect(try reader.integer() == edge)
            try reader.expectEnd()
        }
    }

    @Test("a larger number never has the shorter encoding")
    func monotoneLength() {
        var random = Seeded(7)
        for _ in 0..<2000 {
            let (a, b) = (random.magnitude(), random.magnitude())
            #expect(
                (a <= b)
                    == (a == b
                        || Item.unsigned(a).encoded.lexicographicallyPrecedes(Item.unsigned(b).encoded)))
        }
    }

    @Test("two words are the byte string of their 16 bytes")
    func twoWords() throws {
        var writer = CBORWriter()
        writer.byteString(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0eff)
        #expect(hex(writer.bytes) == "50000102030405060708090a0b0c0d0eff")
        var reader = CBORReader(writer.bytes)
        let words = try reader.twoWords()
        #expect(words == (0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0eff))
        var again = CBORReader(writer.bytes)
        #expect(try again.byteString(count: 16) == Array(writer.bytes.dropFirst()))
    }

    @Test("encoded items are read and written as they stand")
    func encodedItems() throws {
        var random = Seeded(11)
        let items = (0..<20).map { _ in Item.random(&random).encoded }
        var writer = CBORWriter(capacity: 100)
        writer.array(items.count)
        for item in items { writer.encoded(item) }
        var reader = CBORReader(writer.bytes)
        try reader.array(count: items.count)
        for item in items { #expect(try reader.encoded() == item) }
        try reader.expectEnd()
    }

    @Test("a reader of a part sees nothing beyond it")
    func partOfBytes() throws {
        let bytes = unhex("0043010203f6")
        var reader = CBORReader(bytes, range: 1..<5)
        #expect(try reader.byteString(upTo: 3) == [1, 2, 3])
        #expect(reader.isAtEnd && reader.position == 5)
        var short = CBORReader(bytes, range: 1..<4)
        #expect(refusal { () throws(CBORError) in try short.byteString(upTo: 3) }?.reason == .truncated)
    }
}

/// The error that `body` throws, nil if it throws none.
func refusal<Result>(_ body: () throws(CBORError) -> Result) -> CBORError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
