// JSON as the local API takes it (RFC 8259): whole numbers of 64 bits, no key twice in an object, bounded
// depth, UTF-8. Stricter than Foundation's decoder, where a misspelt or repeated key would be lost without a
// word, and several times faster on the many small lines of an import.

import ConcordAPI

/// What is wrong with a JSON text, and where.
package struct JSONFailure: Error, Hashable, Sendable {
    /// The reason, as a part of a sentence.
    package let reason: String
    /// The byte at which it shows, from 0.
    package let offset: Int
}

/// Reads one JSON value out of bytes.
package struct JSONReader {
    /// How deep arrays and objects may stand in each other.
    static let maximumDepth = 32

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Parses the bytes, which hold exactly one value.
    ///
    /// - Throws: ``JSONFailure``.
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(JSONFailure) -> JSONValue {
        var reader = JSONReader(bytes: bytes, position: bytes.startIndex)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.endIndex else { throw reader.failure("something follows the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONFailure) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw failure("arrays and objects are nested too deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw failure("the text ends where a value should stand")
        case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return .integer(try integer())
        default: throw failure("a value should stand here")
        }
    }

    private mutating func object(depth: Int) throws(JSONFailure) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure("a key in quotes should stand here") }
            let start = position
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("a colon should stand here") }
            guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw JSONFailure(reason: "the key “\(key)” stands twice", offset: start - bytes.startIndex)
            }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("a comma or a closing brace should stand here") }
        }
    }

    private mutating func array(depth: Int) throws(JSONFailure) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw failure("a comma or a closing bracket should stand here") }
        }
    }

    private mutating func integer() throws(JSONFailure) -> Int64 {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        if let byte = peek, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
            throw failure("a number has a fraction or an exponent; only whole numbers are taken")
        }
        let hasLeadingZero = position - firstDigit > 1 && bytes[firstDigit] == UInt8(ascii: "0")
        guard !hasLeadingZero, let number = Int64(String(decoding: bytes[start..<position], as: UTF8.self))
        else {
            throw failure("a number is malformed or has more than 64 bits")
        }
        return number
    }

    private mutating func string() throws(JSONFailure) -> String {
        position += 1
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            position += 1
        }
        guard peek != UInt8(ascii: "\"") else {
            let text = try text(bytes[start..<position], from: start)
            position += 1
            return text
        }
        var collected = Array(bytes[start..<position])
        while true {
            switch peek {
            case nil: throw failure("a string is not closed")
            case UInt8(ascii: "\""):
                position += 1
                return try text(collected, from: start)
            case UInt8(ascii: "\\"):
                position += 1
                collected.append(contentsOf: try escaped().utf8)
            case .some(let byte) where byte < 0x20: throw failure("a control character stands in a string")
            case .some(let byte):
                collected.append(byte)
                position += 1
            }
        }
    }

    /// The text that these bytes are.
    ///
    /// - Parameter start: Where its string begins. Escapes are ASCII, so the bytes that stand there are UTF-8 if and
    ///   only if those that they mean are.
    private func text(
        _ collected: some Collection<UInt8>, from start: Int
    ) throws(JSONFailure) -> String {
        guard let text = String(validating: collected, as: UTF8.self) else {
            let fault = UTF8Check.firstFault(in: bytes[start..<position]) ?? 0
            throw JSONFailure(
                reason: "a string is not valid UTF-8", offset: start - bytes.startIndex + fault)
        }
        return text
    }

    private mutating func escaped() throws(JSONFailure) -> Unicode.Scalar {
        guard let byte = peek else { throw failure("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("a backslash stands before a character that has no escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONFailure) -> Unicode.Scalar {
        let unit = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800...0xDBFF).contains(unit), take("\\"), take("u") else {
            throw failure("half of a surrogate pair is missing")
        }
        let low = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw failure("half of a surrogate pair is missing") }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(JSONFailure) -> UInt16 {
        let end = position + 4
        guard end <= bytes.endIndex, bytes[position..<end].allSatisfy({ Self.isHexadecimal($0) }),
            let unit = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw failure("four hexadecimal digits should follow \\u") }
        position = end
        return unit
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        let end = position + word.utf8.count
        guard end <= bytes.endIndex, bytes[position..<end].elementsEqual(word.utf8) else {
            throw failure("a value should stand here")
        }
        position = end
        return value
    }

    private var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private func failure(_ reason: String) -> JSONFailure {
        JSONFailure(reason: reason, offset: position - bytes.startIndex)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
