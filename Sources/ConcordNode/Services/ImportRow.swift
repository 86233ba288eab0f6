// One line of an import: a record as another program knows it, with keys where Concord will have ids.

import ConcordAPI
import ConcordModel

/// A record to be imported.
public struct ImportRow: Hashable, Sendable {
    /// What a field is given.
    public enum Content: Hashable, Sendable {
        /// Text or a whole number.
        case value(Value)
        /// The id of the record whose line has this key.
        case reference(String)
    }

    /// A field and what it is given.
    public struct Field: Hashable, Sendable {
        /// The field.
        public let name: UTF8Text
        /// One value, or the elements of a list.
        public let contents: [Content]
        /// Whether a list was given, as sets take it.
        public let isList: Bool
    }

    /// The number of the line, from 1.
    public let line: Int
    /// The kind of record.
    public let kind: UTF8Text
    /// By which other lines refer to this one.
    public let key: String?
    /// The key of another line, or the id of a record that exists.
    public let parent: String?
    /// Ascending by name.
    public let fields: [Field]
}

extension ImportRow {
    private static let keys: Set<String> = ["kind", "key", "parent", "fields"]

    /// Reads a line `{"kind", "key"?, "parent"?, "fields": {field: text | number | {"ref": key} | [..]}}`.
    ///
    /// - Throws: ``ConcordError`` E-1011 that names the line.
    init(line: Int, bytes: ArraySlice<UInt8>) throws {
        func refuse(_ reason: String) -> ConcordError { Self.refusal(line, reason) }
        let value: JSONValue
        do {
            value = try JSONReader.parse(bytes)
        } catch {
            throw refuse("at byte \(error.offset) \(error.reason)")
        }
        guard case .object(let members) = value else { throw refuse("it is not a JSON object") }
        if let unknown = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            throw refuse(
                "unknown key “\(unknown.prefix(64))”; known are \(Self.keys.sorted().joined(separator: ", "))"
            )
        }
        func text(_ key: String) throws -> String? {
            switch members[key] {
            case nil, .null: return nil
            case .string(let text) where !text.isEmpty: return text
            default: throw refuse("“\(key)” is not text")
            }
        }
        guard let kind = try text("kind") else { throw refuse("“kind” is missing") }
        self.line = line
        self.kind = UTF8Text(kind)
        key = try text("key")
        parent = try text("parent")
        switch members["fields"] {
        case nil, .null: fields = []
        case .object(let object):
            fields = try object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { try Field(name: $0.key, value: $0.value, line: line) }
        default: throw refuse("“fields” is not an object")
        }
    }

    /// An error that names the line, found before anything is written.
    static func refusal(_ line: Int, _ reason: String) -> ConcordError {
        ConcordError(
            .malformedImport, "line \(line): \(reason); nothing was imported",
            action: "correct the line and import again")
    }

    /// The same for what has a code of its own.
    static func refusal(_ line: Int, _ error: ConcordError) -> ConcordError {
        refusal(line, "\(error.message) (\(error.code.rawValue))")
    }
}

extension ImportRow.Field {
    fileprivate init(name: String, value: JSONValue, line: Int) throws {
        self.name = UTF8Text(name)
        if case .array(let elements) = value {
            isList = true
            contents = try elements.map { try Self.content($0, name: name, line: line) }
        } else {
            isList = false
            contents = [try Self.content(value, name: name, line: line)]
        }
    }

    private static func content(_ value: JSONValue, name: String, line: Int) throws -> ImportRow.Content {
        switch value {
        case .string(let text): return .value(.text(UTF8Text(text)))
        case .integer(let number): return .value(.integer(number))
        case .object(let members):
            guard members.count == 1, case .string(let key) = members["ref"] else { break }
            return .reference(key)
        default: break
        }
        throw ImportRow.refusal(
            line,
            "field “\(name.prefix(Limits.nameBytes))” takes text, a whole number, {\"ref\": key} or a list of them"
        )
    }
}
