// Writes deterministic CBOR (RFC 8949 §4.2.1) in the subset that Concord uses: unsigned and negative integers,
// byte strings, text strings and arrays of definite length. Every head takes the shortest form, so equal values
// always give equal bytes: what is written here may be hashed and signed.

/// Appends deterministic CBOR items to a byte array.
///
/// The writer does not count items: the caller announces an array with ``array(_:)`` and then writes its elements.
public struct CBORWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Writes an unsigned integer (major type 0).
    public mutating func unsigned(_ value: UInt64) {
        head(.unsigned, value)
    }

    /// Writes a signed integer (major type 0 or 1).
    public mutating func integer(_ value: Int64) {
        if value >= 0 {
            head(.unsigned, UInt64(value))
        } else {
            head(.negative, UInt64(bitPattern: ~value))
        }
    }

    /// Writes a byte string (major type 2).
    public mutating func byteString(_ value: [UInt8]) {
        head(.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a byte string (major type 2).
    public mutating func byteString(_ value: some Collection<UInt8>) {
        head(.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a byte string of 16 bytes: two big-endian words.
    public mutating func byteString(high: UInt64, low: UInt64) {
        head(.bytes, 16)
        append(high, byteCount: 8)
        append(low, byteCount: 8)
    }

    /// Writes a byte string of 8 bytes: a big-endian word.
    public mutating func byteString(word: UInt64) {
        head(.bytes, 8)
        append(word, byteCount: 8)
    }

    /// Writes a byte string (major type 2).
    public mutating func byteString(_ value: UnsafeRawBufferPointer) {
        head(.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a text string (major type 3) of the string's UTF-8 bytes, without normalization.
    public mutating func text(_ value: String) {
        let utf8 = value.utf8
        head(.text, UInt64(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Writes the head of an array (major type 4) of `count` elements, which must follow.
    public mutating func array(_ count: Int) {
        head(.array, UInt64(count))
    }

    /// Writes items that are encoded already, as they are.
    public mutating func encoded(_ items: [UInt8]) {
        bytes.append(contentsOf: items)
    }

    /// Writes items that are encoded already, as they are.
    public mutating func encoded(_ items: some Collection<UInt8>) {
        bytes.append(contentsOf: items)
    }

    private mutating func head(_ type: CBORType, _ argument: UInt64) {
        let major = type.rawValue << 5
        switch argument {
        case 0..<24:
            bytes.append(major | UInt8(truncatingIfNeeded: argument))
        case 24...0xff:
            bytes.append(major | 24)
            bytes.append(UInt8(truncatingIfNeeded: argument))
        case 0x100...0xffff:
            bytes.append(major | 25)
            append(argument, byteCount: 2)
        case 0x1_0000...0xffff_ffff:
            bytes.append(major | 26)
            append(argument, byteCount: 4)
        default:
            bytes.append(major | 27)
            append(argument, byteCount: 8)
        }
    }

    private mutating func append(_ value: UInt64, byteCount: Int) {
        let bigEndian = (value << UInt64(64 - byteCount * 8)).bigEndian
        withUnsafeBytes(of: bigEndian) { bytes.append(contentsOf: $0.prefix(byteCount)) }
    }
}

/// The major types of RFC 8949 §3.1 that Concord uses.
public enum CBORType: UInt8, Sendable {
    case unsigned = 0
    case negative = 1
    case bytes = 2
    case text = 3
    case array = 4
}
