// What a field can hold, and text that compares as bytes: for Swift's String two spellings of "é" are equal, for
// replicas that hash and sign bytes they are not.

import Glibc

/// Text that is equal, ordered and hashed by its UTF-8 bytes.
public struct UTF8Text: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The text itself.
    public let string: String

    /// The text of a string, as it is spelled.
    public init(_ string: String) {
        var string = string
        string.makeContiguousUTF8()
        self.string = string
    }

    public init(stringLiteral value: String) { self.init(value) }

    /// The number of UTF-8 bytes.
    public var byteCount: Int { string.utf8.count }
    public var description: String { string }

    public static func == (a: Self, b: Self) -> Bool {
        a.byteCount == b.byteCount && compare(a, b) == 0
    }

    public static func < (a: Self, b: Self) -> Bool {
        let order = compare(a, b)
        return order < 0 || order == 0 && a.byteCount < b.byteCount
    }

    /// Compares as many bytes as both have: below, at or above zero.
    private static func compare(_ a: Self, _ b: Self) -> Int32 {
        var (first, second) = (a.string, b.string)
        return first.withUTF8 { x in
            second.withUTF8 { y in
                let count = min(x.count, y.count)
                guard count > 0, let left = x.baseAddress, let right = y.baseAddress else { return 0 }
                return memcmp(left, right, count)
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        var string = string
        string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xff as UInt8)
    }
}

/// What one operation writes into a field, and the elements of sets. A cleared register holds the empty text.
public enum Value: Hashable, Comparable, Sendable {
    /// A whole number of 64 bits.
    case integer(Int64)
    /// Bytes that are not text, such as a hash.
    case bytes([UInt8])
    /// Text, of which also dates, codes and references to records are written.
    case text(UTF8Text)
    /// What stands where a value was erased for good. It never occurs in a change in full form.
    case erased

    /// The value of a register that was cleared.
    public static let empty = Value.text("")

    /// Whether there is nothing to show: this is what a cleared register holds, or it was erased.
    public var isEmpty: Bool { self == .empty || self == .erased }

    /// Integers before byte strings before texts before what was erased; within a type by number or by bytes.
    public static func < (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): a < b
        case (.integer, _): true
        case (_, .integer): false
        case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
        case (.bytes, _): true
        case (_, .bytes): false
        case (.text(let a), .text(let b)): a < b
        case (.text, .erased): true
        case (.erased, _): false
        }
    }
}
