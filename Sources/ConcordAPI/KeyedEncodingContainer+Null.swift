// What is not known is written as `null`, never left out: whoever reads a document sees which members there
// are, and no member is missing by accident. The compiler writes the encoding of every document of this module
// with `encodeIfPresent`; inside the module these methods stand in front of the library's of the same name,
// which leave nil out. The library has one for each basic type, so there must be one here for each that the
// documents use. Tests/ConcordAPITests holds every document to it.

extension KeyedEncodingContainer {
    mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: String?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try write(value, key) }
    mutating func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws {
        try write(value, key)
    }

    private mutating func write(_ value: (some Encodable)?, _ key: Key) throws {
        if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }
}
