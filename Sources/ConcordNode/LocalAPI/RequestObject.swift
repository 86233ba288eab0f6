// The JSON object of a request, whose keys are taken one by one. What nobody took is a mistake of the caller
// and is refused, so that a misspelt key never means silence.

import ConcordAPI
import ConcordModel

/// A JSON object that is read strictly.
struct RequestObject {
    private let members: [String: JSONValue]

    /// The object in a body; an empty body is an empty object.
    ///
    /// - Parameter keys: All keys that the request may have.
    /// - Throws: ``ConcordError`` E-6006.
    init(body: [UInt8], keys: Set<String>) throws {
        guard !body.isEmpty else {
            members = [:]
            return
        }
        let value: JSONValue
        do {
            value = try JSONReader.parse(body[...])
        } catch {
            throw ConcordError(
                .malformedRequest, "the body is not JSON at byte \(error.offset): \(error.reason)")
        }
        guard case .object(let members) = value else {
            throw ConcordError(.malformedRequest, "the body is not a JSON object")
        }
        if let unknown = members.keys.sorted().first(where: { !keys.contains($0) }) {
            throw ConcordError(
                .malformedRequest,
                "unknown key “\(unknown.prefix(64))”; known are \(keys.sorted().joined(separator: ", "))")
        }
        self.members = members
    }

    /// A value that may be missing or null.
    func optional(_ key: String) -> JSONValue? {
        switch members[key] {
        case nil, .null: nil
        case .some(let value): value
        }
    }

    func optionalText(_ key: String) throws -> String? {
        switch optional(key) {
        case nil: return nil
        case .string(let text): return text
        default: throw Self.refusal(key, "text")
        }
    }

    func text(_ key: String) throws -> String {
        guard let text = try optionalText(key), !text.isEmpty else { throw Self.refusal(key, "text") }
        return text
    }

    func optionalInteger(_ key: String) throws -> Int64? {
        switch optional(key) {
        case nil: return nil
        case .integer(let number): return number
        default: throw Self.refusal(key, "a whole number")
        }
    }

    func optionalFlag(_ key: String) throws -> Bool? {
        switch optional(key) {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw Self.refusal(key, "true or false")
        }
    }

    /// A list of texts; one that is missing is empty.
    func texts(_ key: String) throws -> [String] {
        switch optional(key) {
        case nil: return []
        case .array(let elements):
            return try elements.map { element in
                guard case .string(let text) = element else { throw Self.refusal(key, "a list of texts") }
                return text
            }
        default: throw Self.refusal(key, "a list of texts")
        }
    }

    /// Bytes in base64.
    func bytes(_ key: String, upTo maximum: Int) throws -> [UInt8] {
        guard let bytes = Base64.decode(try text(key)) else { throw Self.refusal(key, "base64") }
        guard bytes.count <= maximum else {
            throw ConcordError(.limitExceeded, "“\(key)” has \(bytes.count) bytes, \(maximum) are allowed")
        }
        return bytes
    }

    /// A field and its value each, ascending by field; null clears a register.
    func registers(_ key: String) throws -> [(field: UTF8Text, value: Value)] {
        try object(key).map { name, value in (UTF8Text(name), try FieldValue.register(value, field: name)) }
    }

    /// A field and its elements each, ascending by field; one element may stand without brackets.
    func elements(_ key: String) throws -> [(field: UTF8Text, elements: [Value])] {
        try object(key).map { name, value in (UTF8Text(name), try FieldValue.elements(value, field: name)) }
    }

    private func object(_ key: String) throws -> [(String, JSONValue)] {
        switch optional(key) {
        case nil: return []
        case .object(let members):
            return members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        default: throw Self.refusal(key, "an object of fields")
        }
    }

    private static func refusal(_ key: String, _ form: String) -> ConcordError {
        ConcordError(.malformedRequest, "“\(key)” must be \(form)")
    }
}

/// JSON values as the fields of records hold them.
enum FieldValue {
    /// What a register takes: text or a whole number; null clears it.
    static func register(_ value: JSONValue, field: String) throws -> Value {
        switch value {
        case .null: return .empty
        case .array:
            throw refusal(field, "is given a list: use add and remove for fields that hold several values")
        default: return try scalar(value, field: field)
        }
    }

    /// What a set takes: a list of texts or whole numbers, or one of them.
    static func elements(_ value: JSONValue, field: String) throws -> [Value] {
        guard case .array(let elements) = value else { return [try scalar(value, field: field)] }
        return try elements.map { try scalar($0, field: field) }
    }

    static func scalar(_ value: JSONValue, field: String) throws -> Value {
        switch value {
        case .string(let text): return .text(UTF8Text(text))
        case .integer(let number): return .integer(number)
        default: throw refusal(field, "takes text or a whole number")
        }
    }

    private static func refusal(_ field: String, _ reason: String) -> ConcordError {
        ConcordError(.malformedValue, "field “\(field.prefix(Limits.nameBytes))” \(reason)")
    }
}
