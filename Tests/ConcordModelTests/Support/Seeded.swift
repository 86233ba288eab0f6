// A source of random numbers that gives the same sequence for the same seed, and short names for identifiers, so that
// every failure can be repeated and read.

import CBOR
import ConcordCrypto
import ConcordModel

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

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
    mutating func digest() -> Digest { Digest(bytes: bytes(32))! }

    mutating func text(upTo count: Int = 12) -> UTF8Text {
        let scalars: [Unicode.Scalar] = ["a", "Z", " ", "é", "\u{308}", "水", "𐅑", "\0", "\u{10ffff}"]
        var text = ""
        for _ in 0..<below(count + 1) { text.unicodeScalars.append(scalars.randomElement(using: &self)!) }
        return UTF8Text(text)
    }

    mutating func value() -> Value {
        switch below(4) {
        case 0: .integer(Int64(bitPattern: next() >> UInt64(below(64))))
        case 1: .bytes(bytes(below(40)))
        default: .text(text())
        }
    }
}

extension ReplicaID: ExpressibleByIntegerLiteral {
    /// The replica whose bits are this number.
    public init(integerLiteral value: UInt64) { self.init(Bytes16(high: 0, low: value)) }
}

extension RecordID: ExpressibleByIntegerLiteral {
    /// The record whose bits are this number.
    public init(integerLiteral value: UInt64) { self.init(Bytes16(high: 0, low: value)) }
}

extension Dependency {
    /// The dependency on a change with this name and some mark.
    init(some dot: Dot) { self.init(dot, mark: Bytes16(high: dot.sequence, low: dot.replica.value.low)) }
}

extension Binding {
    /// A binding of the right form, valid for nothing.
    init(certificate: [UInt8]) {
        self.init(
            certificate: certificate, member: MemberID(SHA256.hash([7])), issuer: nil,
            nonce: Bytes16(high: 3, low: 4))
    }
}

/// The space of the tests that need only some space.
let someSpace = SpaceID(SHA256.hash(Array("a space".utf8)))

/// The error that `body` throws as a ``ConcordError``, nil if it throws nothing or something else.
func refusal(_ body: () throws -> Void) -> ConcordError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ConcordError
    }
}
