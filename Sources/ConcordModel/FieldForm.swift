// What a value must look like when it is written here. The vocabulary guides, it never judges: what others
// wrote is taken as it is.

import ConcordCrypto

extension FieldDescription {
    /// The value in the form in which it is stored.
    ///
    /// - Throws: ``ConcordError`` E-1003 if it is not of the field's form, E-3002 if it is too long.
    public func normalized(_ value: Value) throws -> Value {
        if case .integer = form { return try integer(value) }
        let text: UTF8Text
        switch value {
        case .text(let given): text = given
        case .integer(let number): text = UTF8Text(String(number))
        case .bytes, .erased: throw refusal("bytes are not text")
        }
        if isText { return .text(try mergeable(text)) }
        guard text.byteCount <= Limits.valueBytes else {
            throw ConcordError(
                .limitExceeded, "\(name) has \(text.byteCount) bytes, \(Limits.valueBytes) are allowed")
        }
        if text.byteCount == 0 { return .empty }
        switch form {
        case .text, .integer: return .text(text)
        case .date:
            guard FieldForm.isDate(text.string) else {
                throw refusal("a date is written 2017, 2017-05, 2017-05-24 or 2017-05-24T13:15:00-04:00")
            }
        case .code:
            guard FieldForm.isCode(text.string) else {
                throw refusal("a code has 2 to 16 upper-case letters and digits, such as ESP or NATO")
            }
        case .email:
            guard FieldForm.isEmail(text.string) else { throw refusal("an address has one @ and no spaces") }
        case .record:
            guard let id = RecordID(text: text.string) else {
                throw refusal("the id of a record is expected")
            }
            return .text(UTF8Text(id.description))
        case .address:
            guard FieldForm.isAddress(text.string) else { throw refusal("an address is written host:port") }
        case .hash:
            guard let digest = Digest(hex: text.string) else {
                throw refusal("a SHA-256 has 64 hexadecimal digits")
            }
            return .text(UTF8Text(digest.description))
        }
        return .text(text)
    }

    /// A text that merges: as long as it may be, and without the scalar that stands for erased ones.
    ///
    /// - Throws: ``ConcordError`` E-1003 or E-3002.
    public func mergeable(_ text: UTF8Text) throws -> UTF8Text {
        var scalars = 0
        for scalar in text.string.unicodeScalars {
            guard scalar != "\u{ffff}" else {
                throw ConcordError(
                    .malformedValue, "\(name): U+FFFF stands for what was erased and cannot be written",
                    action: "take it out of the text")
            }
            scalars += 1
        }
        guard scalars <= Limits.textScalars else {
            throw ConcordError(
                .limitExceeded, "\(name) has \(scalars) characters, \(Limits.textScalars) are allowed")
        }
        return text
    }

    private func integer(_ value: Value) throws -> Value {
        switch value {
        case .integer: return value
        case .text(let text) where text.byteCount == 0: return .empty
        case .text(let text):
            guard let number = Int64(text.string) else { throw refusal("a whole number is expected") }
            return .integer(number)
        case .bytes, .erased: throw refusal("a whole number is expected")
        }
    }

    private func refusal(_ why: String) -> ConcordError {
        ConcordError(.malformedValue, "\(name): \(why)")
    }
}

/// The forms of texts.
enum FieldForm {
    static func isCode(_ text: String) -> Bool {
        (2...16).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
    }

    static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.allSatisfy { $0 > 0x20 }
    }

    static func isAddress(_ text: String) -> Bool {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return false }
        let port = text[text.index(after: colon)...]
        let host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard !host.isEmpty, isBracketed || !host.contains(":"), host.utf8.allSatisfy({ $0 > 0x20 }),
            port.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return false }
        return Int(port).map { (1...65_535).contains($0) } ?? false
    }

    /// A year, month, day or moment with its offset from UTC.
    static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>, _ allowed: ClosedRange<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(String(decoding: bytes[range], as: UTF8.self)), allowed.contains(number)
            else { return nil }
            return number
        }
        func has(_ character: Character, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == character.asciiValue
        }
        guard let year = number(0..<4, 0...9999) else { return false }
        if bytes.count == 4 { return true }
        guard has("-", at: 4), let month = number(5..<7, 1...12) else { return false }
        if bytes.count == 7 { return true }
        guard has("-", at: 7), number(8..<10, 1...days(year, month)) != nil else { return false }
        if bytes.count == 10 { return true }
        guard has("T", at: 10), number(11..<13, 0...23) != nil, has(":", at: 13),
            number(14..<16, 0...59) != nil
        else { return false }
        var rest = 16
        if has(":", at: rest) {
            guard number(17..<19, 0...60) != nil else { return false }
            rest = 19
        }
        if has("Z", at: rest) { return bytes.count == rest + 1 }
        guard has("+", at: rest) || has("-", at: rest), number(rest + 1..<rest + 3, 0...14) != nil,
            has(":", at: rest + 3), number(rest + 4..<rest + 6, 0...59) != nil
        else { return false }
        return bytes.count == rest + 6
    }

    private static func days(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
