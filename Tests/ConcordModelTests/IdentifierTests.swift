// Identifiers, text and values compare as bytes, and come back from their written forms.

import ConcordCrypto
import ConcordModel
import Testing

@Suite("Identifiers and values")
struct IdentifierTests {
    @Test("16 bytes come back and compare as bytes", arguments: 0..<100 as Range<UInt64>)
    func sixteenBytes(seed: UInt64) throws {
        var random = Seeded(seed)
        let bytes = random.bytes(16)
        var other = bytes
        other[random.below(16)] = UInt8.random(in: 0...255, using: &random)
        let (a, b) = (try #require(Bytes16(bytes)), try #require(Bytes16(other)))
        #expect(a.bytes == bytes, "seed \(seed)")
        #expect((a < b) == bytes.lexicographicallyPrecedes(other), "seed \(seed)")
        #expect((a == b) == (bytes == other), "seed \(seed)")
        #expect(Bytes16(bytes.dropLast()) == nil && Bytes16(bytes + [0]) == nil)
    }

    @Test("dots and record ids come back from their text")
    func text() throws {
        var random = Seeded(1)
        for _ in 0..<50 {
            let replica = try #require(ReplicaID(bytes: random.bytes(16)))
            let dot = Dot(replica, 1 + random.next() >> UInt64(1 + random.below(60)))
            #expect(Dot(text: dot.description) == dot)
            let record = try #require(RecordID(bytes: random.bytes(16)))
            #expect(RecordID(text: record.description) == record)
            #expect(RecordID(text: hexadecimal(record.bytes).uppercased()) == record)
        }
        #expect(
            RecordID(Bytes16(high: 0x0123_4567_89ab_cdef, low: 1)).description
                == "01234567-89ab-cdef-0000-000000000001")
    }

    @Test("what is no dot and no record id is refused")
    func malformedText() {
        let replica = String(repeating: "0", count: 32)
        for text in [
            "", ":", replica, "\(replica):", "\(replica):0", "\(replica):-1", "\(replica):+1",
            "\(replica):1:2", "\(replica):٣", "0:1", "\(replica)0:1",
        ] {
            #expect(Dot(text: text) == nil, "\(text)")
        }
        for text in ["", "0", replica + "0", replica.dropLast() + "g", "01234567-89ab-cdef-0000-00000000000"]
            as [String]
        {
            #expect(RecordID(text: text) == nil, "\(text)")
        }
        #expect(
            bytes(hexadecimal: "abc") == nil && bytes(hexadecimal: "zz") == nil
                && bytes(hexadecimal: "00Ff") == [0, 255])
    }

    @Test("two spellings of one character are two texts")
    func spellings() {
        let (composed, decomposed) = (UTF8Text("\u{e9}"), UTF8Text("e\u{301}"))
        #expect(composed != decomposed && composed.string == decomposed.string)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed && !(composed < decomposed))
        #expect(Value.text(composed) != .text(decomposed))
        #expect(UTF8Text("a") < "aa" && UTF8Text("z") < "\u{e9}")
    }

    @Test("values are in one total order")
    func values() {
        let ascending: [Value] = [
            .integer(.min), .integer(-1), .integer(0), .integer(.max), .bytes([]), .bytes([0]),
            .bytes([0, 0]), .bytes([1]),
            .text(""), .text("a"), .text("aa"), .text("b"), .text("é"),
        ]
        for (i, a) in ascending.enumerated() {
            for (j, b) in ascending.enumerated() {
                #expect((a < b) == (i < j) && (a == b) == (i == j))
            }
        }
        #expect(Value.empty.isEmpty && !Value.bytes([]).isEmpty && !Value.integer(0).isEmpty)
    }

    @Test("a record id is a UUID of version 7 that carries time and place, and is bound to all it comes from")
    func derivation() {
        let kind: UTF8Text = "contact"
        let dot = Dot(5, 77)
        let id = RecordID(space: someSpace, kind: kind, dot: dot, index: 3, timestamp: 1_764_000_000_123)
        #expect(id.timestamp == 1_764_000_000_123)
        #expect(id.value.high >> 12 & 0xf == 7 && id.value.low >> 62 == 2 && id.value.high & 0xfff == 3)
        let others = [
            RecordID(
                space: SpaceID(SHA256.hash([1])), kind: kind, dot: dot, index: 3, timestamp: 1_764_000_000_123
            ),
            RecordID(space: someSpace, kind: "meeting", dot: dot, index: 3, timestamp: 1_764_000_000_123),
            RecordID(space: someSpace, kind: kind, dot: Dot(6, 77), index: 3, timestamp: 1_764_000_000_123),
            RecordID(space: someSpace, kind: kind, dot: Dot(5, 78), index: 3, timestamp: 1_764_000_000_123),
            RecordID(space: someSpace, kind: kind, dot: dot, index: 4, timestamp: 1_764_000_000_123),
        ]
        #expect(Set(others.map { $0.value.low } + [id.value.low]).count == 6)
        let later = RecordID(space: someSpace, kind: kind, dot: dot, index: 3, timestamp: 1_764_000_000_124)
        #expect(later.value.low == id.value.low && id < later, "the time alone is not what binds it")
        #expect(
            RecordID(space: someSpace, kind: kind, dot: dot, index: 0, timestamp: Limits.timestamp).timestamp
                == Limits.timestamp)
    }
}
