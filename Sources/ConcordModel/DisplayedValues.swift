// The displayed values of a record, read back from the JSON in which a store keeps them (RecordDisplay.swift). They are the
// larger part of a record's state, which so needs not repeat them (RecordState+Encoding.swift).

extension RecordState.Register {
    /// Whether its one value stands in the JSON such that it can be read from there.
    var isTold: Bool {
        guard !isInConflict else { return false }
        switch shown.value {
        case .integer: return true
        case .text: return !shown.value.isEmpty
        case .bytes, .erased: return false
        }
    }
}

extension RecordState.RegisterValue {
    func isFromSameChange(as other: Self) -> Bool {
        dot == other.dot && timestamp == other.timestamp
    }
}

/// Reads the members of ``RecordDisplay/json`` in their order; of the JSON that is written there and no other.
struct DisplayedValues {
    private let json: [UInt8]
    private var position = 1

    init(_ json: [UInt8]) throws {
        guard json.first == UInt8(ascii: "{") else { throw StateError.display }
        self.json = json
    }

    /// The next member, a text or number.
    mutating func next() throws -> (UTF8Text, Value) { (try memberName(), try value()) }

    /// Passes the next member if it is a text or number of this field.
    mutating func skip(_ field: UTF8Text) throws {
        let start = position
        guard try peek() != UInt8(ascii: "}"), try memberName() == field, try peek() != UInt8(ascii: "[")
        else {
            position = start
            return
        }
        _ = try value()
    }

    private mutating func value() throws -> Value {
        if try peek() == UInt8(ascii: "\"") { return .text(UTF8Text(try string())) }
        let start = position
        while try peek() == UInt8(ascii: "-") || (0x30...0x39).contains(try peek()) { position += 1 }
        guard let number = Int64(String(decoding: json[start..<position], as: UTF8.self)) else {
            throw StateError.display
        }
        return .integer(number)
    }

    private func peek() throws -> UInt8 {
        guard position < json.count else { throw StateError.display }
        return json[position]
    }

    private mutating func memberName() throws -> UTF8Text {
        if position > 1 { try expect(UInt8(ascii: ",")) }
        let name = UTF8Text(try string())
        try expect(UInt8(ascii: ":"))
        return name
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard try peek() == byte else { throw StateError.display }
        position += 1
    }

    private mutating func string() throws -> String {
        try expect(UInt8(ascii: "\""))
        let start = position
        while try peek() != UInt8(ascii: "\"") {
            guard json[position] != UInt8(ascii: "\\") else { return try escaped(from: start) }
            position += 1
        }
        defer { position += 1 }
        return json.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[start..<position]), as: UTF8.self)
        }
    }

    /// The rest of a string in which something is escaped.
    private mutating func escaped(from start: Int) throws -> String {
        var bytes = Array(json[start..<position])
        while try peek() != UInt8(ascii: "\"") {
            var byte = json[position]
            position += 1
            if byte == UInt8(ascii: "\\") {
                byte = try peek()
                position += 1
                if byte == UInt8(ascii: "u") {
                    guard position + 4 <= json.count,
                        let code = UInt8(
                            String(decoding: json[position..<position + 4], as: UTF8.self), radix: 16)
                    else { throw StateError.display }
                    byte = code
                    position += 4
                }
            }
            bytes.append(byte)
        }
        position += 1
        return String(decoding: bytes, as: UTF8.self)
    }
}
