// Reads deterministic CBOR and accepts nothing else: a head that is not the shortest, an indefinite length, a tag,
// a map, a float or a byte too many is an error. So decoding and encoding again gives the same bytes, and a foreign
// signature covers exactly what was read. Lengths are checked against what is left before anything is allocated.

/// Reads deterministic CBOR items from bytes, one after another.
public struct CBORReader: Sendable {
    /// Arrays nested deeper than this are refused by ``skip()``.
    public static let maximumNesting = 16

    private let bytes: [UInt8]
    private let end: Int
    /// The offset of the next item in the bytes given to the initializer.
    public private(set) var position: Int

    /// A reader of all of `bytes`.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// A reader of a part of `bytes`.
    public init(_ bytes: [UInt8], range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Whether every byte has been read.
    public var isAtEnd: Bool { position == end }

    /// Throws unless every byte has been read.
    public func expectEnd() throws(CBORError) {
        guard isAtEnd else { throw CBORError(.trailingBytes, at: position) }
    }

    /// The type of the next item, without reading it.
    public func nextType() throws(CBORError) -> CBORType {
        guard position < end else { throw CBORError(.truncated, at: position) }
        guard let type = CBORType(rawValue: bytes[position] >> 5) else {
            throw CBORError(.unsupportedType, at: position)
        }
        return type
    }

    /// Reads an unsigned integer.
    public mutating func unsigned() throws(CBORError) -> UInt64 {
        try head(.unsigned)
    }

    /// Reads an unsigned integer of at most `maximum`.
    public mutating func unsigned(upTo maximum: Int) throws(CBORError) -> Int {
        let start = position
        let value = try head(.unsigned)
        guard value <= UInt64(maximum) else { throw CBORError(.tooLarge, at: start) }
        return Int(value)
    }

    /// Reads a signed integer that fits in 64 bits.
    public mutating func integer() throws(CBORError) -> Int64 {
        let start = position
        let type = try nextType()
        let argument = try head(type == .negative ? .negative : .unsigned)
        guard argument <= UInt64(Int64.max) else { throw CBORError(.tooLarge, at: start) }
        return type == .negative ? ~Int64(argument) : Int64(argument)
    }

    /// Reads a byte string of at most `maximum` bytes.
    public mutating func byteString(upTo maximum: Int) throws(CBORError) -> [UInt8] {
        Array(bytes[try range(.bytes, upTo: maximum)])
    }

    /// Reads a byte string of exactly `count` bytes.
    public mutating func byteString(count: Int) throws(CBORError) -> [UInt8] {
        let start = position
        let range = try range(.bytes, upTo: Int.max)
        guard range.count == count else { throw CBORError(.wrongLength, at: start) }
        return Array(bytes[range])
    }

    /// Reads a byte string of exactly 16 bytes as two big-endian words.
    public mutating func twoWords() throws(CBORError) -> (high: UInt64, low: UInt64) {
        let start = position
        let range = try range(.bytes, upTo: Int.max)
        guard range.count == 16 else { throw CBORError(.wrongLength, at: start) }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for offset in 0..<8 {
            high = high << 8 | UInt64(bytes[range.lowerBound + offset])
            low = low << 8 | UInt64(bytes[range.lowerBound + offset + 8])
        }
        return (high, low)
    }

    /// Reads a byte string of exactly 8 bytes as a big-endian word.
    public mutating func word() throws(CBORError) -> UInt64 {
        let start = position
        let range = try range(.bytes, upTo: Int.max)
        guard range.count == 8 else { throw CBORError(.wrongLength, at: start) }
        return range.reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    /// The length of the next item, which must be a byte string, without reading it.
    public func lengthOfNext() throws(CBORError) -> Int {
        var reader = self
        return try reader.range(.bytes, upTo: Int.max).count
    }

    /// Reads a text string of at most `maximum` bytes, which must be valid UTF-8.
    public mutating func text(upTo maximum: Int) throws(CBORError) -> String {
        let start = position
        let range = try range(.text, upTo: maximum)
        guard
            let text = bytes.withUnsafeBufferPointer({ Self.text(UnsafeBufferPointer(rebasing: $0[range])) })
        else { throw CBORError(.invalidUTF8, at: start) }
        return text
    }

    /// Reads the head of an array of at most `maximum` elements and returns their number.
    public mutating func array(upTo maximum: Int) throws(CBORError) -> Int {
        let start = position
        let count = try head(.array)
        // An element takes at least one byte: a longer array cannot be there.
        guard count <= UInt64(end - position) else { throw CBORError(.truncated, at: start) }
        guard count <= UInt64(maximum) else { throw CBORError(.tooLarge, at: start) }
        return Int(count)
    }

    /// Reads the head of an array of exactly `count` elements.
    public mutating func array(count: Int) throws(CBORError) {
        let start = position
        guard try array(upTo: Int.max) == count else { throw CBORError(.wrongLength, at: start) }
    }

    /// Reads past the next item, whatever it is, checking that it is well-formed; returns where it lies.
    @discardableResult
    public mutating func skip() throws(CBORError) -> Range<Int> {
        let start = position
        try skip(depth: 0)
        return start..<position
    }

    /// Reads the next item as it stands, checking that it is well-formed.
    public mutating func encoded() throws(CBORError) -> [UInt8] {
        Array(bytes[try skip()])
    }

    private mutating func skip(depth: Int) throws(CBORError) {
        switch try nextType() {
        case .unsigned: _ = try head(.unsigned)
        case .negative: _ = try head(.negative)
        case .bytes: _ = try range(.bytes, upTo: Int.max)
        case .text: _ = try text(upTo: Int.max)
        case .array:
            guard depth < Self.maximumNesting else { throw CBORError(.tooDeep, at: position) }
            for _ in 0..<(try array(upTo: Int.max)) { try skip(depth: depth + 1) }
        }
    }

    /// The text of these bytes, nil if they are not UTF-8. What is not is repaired by the standard library and then
    /// differs from the bytes; this is much faster for short texts than its validating initializer.
    private static func text(_ utf8: UnsafeBufferPointer<UInt8>) -> String? {
        let text = String(decoding: utf8, as: UTF8.self)
        let isSame = text.utf8.withContiguousStorageIfAvailable {
            $0.count == utf8.count && $0.elementsEqual(utf8)
        }
        return isSame ?? text.utf8.elementsEqual(utf8) ? text : nil
    }

    private mutating func range(_ type: CBORType, upTo maximum: Int) throws(CBORError) -> Range<Int> {
        let start = position
        let count = try head(type)
        guard count <= UInt64(end - position) else { throw CBORError(.truncated, at: start) }
        guard count <= UInt64(maximum) else { throw CBORError(.tooLarge, at: start) }
        let range = position..<(position + Int(count))
        position = range.upperBound
        return range
    }

    private mutating func head(_ expected: CBORType) throws(CBORError) -> UInt64 {
        guard position < end else { throw CBORError(.truncated, at: position) }
        let initial = bytes[position]
        guard initial >> 5 == expected.rawValue else {
            let known = CBORType(rawValue: initial >> 5) != nil
            throw CBORError(known ? .unexpectedType : .unsupportedType, at: position)
        }
        let information = initial & 0x1f
        if information < 24 {
            position += 1
            return UInt64(information)
        }
        guard information <= 27 else { throw CBORError(.indefiniteOrReserved, at: position) }
        let byteCount = 1 << Int(information - 24)
        guard end - position > byteCount else { throw CBORError(.truncated, at: position) }
        var value: UInt64 = 0
        for offset in 1...byteCount { value = value << 8 | UInt64(bytes[position + offset]) }
        let smallest: UInt64 = byteCount == 1 ? 24 : UInt64(1) << UInt64(byteCount * 4)
        guard value >= smallest else { throw CBORError(.notShortest, at: position) }
        position += 1 + byteCount
        return value
    }
}

/// Why bytes are not the deterministic CBOR that was expected, and where.
public struct CBORError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: String, Sendable {
        case truncated = "the data ends too early"
        case trailingBytes = "bytes follow after the end"
        case unexpectedType = "an item of another type was expected"
        case unsupportedType = "maps, tags, floats and simple values are not used here"
        case indefiniteOrReserved = "indefinite lengths and reserved heads are not allowed"
        case notShortest = "a head is not in its shortest form"
        case tooLarge = "a number or length is beyond its limit"
        case wrongLength = "an array or string has the wrong length"
        case tooDeep = "arrays are nested too deeply"
        case invalidUTF8 = "a text string is not valid UTF-8"
    }

    /// What is wrong.
    public let reason: Reason
    /// The offset of the item at fault.
    public let offset: Int

    init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// A clause for people: what is wrong, and at which byte.
    public var description: String { "\(reason.rawValue) (at byte \(offset))" }
}
