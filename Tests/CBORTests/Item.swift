// What the tests of this module share: a generic item, written and read only through the public interface, and a
// seeded source of random numbers, so that every failure can be repeated.

import CBOR

/// Any item of the subset.
indirect enum Item: Hashable {
    case unsigned(UInt64)
    case negative(Int64)
    case bytes([UInt8])
    case text([UInt8])
    case array([Item])

    func write(to writer: inout CBORWriter) {
        switch self {
        case .unsigned(let value): writer.unsigned(value)
        case .negative(let value): writer.integer(value)
        case .bytes(let bytes): writer.byteString(bytes)
        case .text(let utf8): writer.text(String(decoding: utf8, as: UTF8.self))
        case .array(let items):
            writer.array(items.count)
            for item in items { item.write(to: &writer) }
        }
    }

    var encoded: [UInt8] {
        var writer = CBORWriter()
        write(to: &writer)
        return writer.bytes
    }

    init(from reader: inout CBORReader) throws {
        switch try reader.nextType() {
        case .unsigned: self = .unsigned(try reader.unsigned())
        case .negative: self = .negative(try reader.integer())
        case .bytes: self = .bytes(try reader.byteString(upTo: Int.max))
        case .text: self = .text(Array(try reader.text(upTo: Int.max).utf8))
        case .array:
            let count = try reader.array(upTo: Int.max)
            var items: [Item] = []
            for _ in 0..<count { items.append(try Item(from: &reader)) }
            self = .array(items)
        }
    }

    static func random(_ random: inout Seeded, depth: Int = 0) -> Item {
        switch Int.random(in: 0..<(depth < 5 ? 6 : 4), using: &random) {
        case 0: .unsigned(random.magnitude())
        case 1: .negative(~Int64(random.magnitude() >> 1))
        case 2: .bytes((0..<random.length()).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 3: .text(Array(random.text().utf8))
        default:
            .array(
                (0..<Int.random(in: 0..<(depth == 0 ? 30 : 4), using: &random)).map { _ in
                    Item.random(&random, depth: depth + 1)
                })
        }
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number of any size, all sizes alike.
    mutating func magnitude() -> UInt64 { next() >> UInt64.random(in: 0..<64, using: &self) }

    /// A length around those where the head changes.
    mutating func length() -> Int {
        let ranges = [0..<3, 20..<27, 0..<60, 250..<260]
        return Int.random(in: ranges[Int.random(in: 0..<ranges.count, using: &self)], using: &self)
    }

    mutating func text() -> String {
        let scalars: [Unicode.Scalar] = ["a", "\0", "é", "\u{308}", "水", "𐅑", "\u{10ffff}", "\u{ffff}", "~"]
        var text = ""
        for _ in 0..<length() { text.unicodeScalars.append(scalars.randomElement(using: &self)!) }
        return text
    }
}

/// The bytes that hexadecimal digits stand for.
func unhex(_ digits: String) -> [UInt8] {
    let utf8 = Array(digits.utf8)
    return stride(from: 0, to: utf8.count, by: 2).map { place in
        UInt8(String(decoding: utf8[place..<place + 2], as: UTF8.self), radix: 16)!
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
