// The syntax in which people write fields: `field=value` writes a register, `field+=x` puts an element into a
// set, `field-=x` takes one out, `field=` clears.

import ConcordAPI
import ConcordModel

/// What a command line says about the fields of a record.
public struct FieldAssignments: Hashable, Sendable {
    /// The registers that are written; the empty text clears.
    public var set: [String: JSONValue] = [:]
    /// The elements that are put into sets.
    public var add: [String: [JSONValue]] = [:]
    /// The elements that are taken out of sets.
    public var remove: [String: [JSONValue]] = [:]

    /// Nothing.
    public init() {}

    /// Parses assignments to a record of this kind; nil if the kind is not known beforehand.
    ///
    /// - Throws: ``ConcordError`` E-1001 for what is no assignment or names a field twice, E-1003 for `=` on
    ///   a set or `+=` on a register. Unknown fields and malformed values are the daemon's to refuse.
    public init(parsing arguments: [String], kind: String?) throws {
        let description = kind.flatMap { Vocabulary.kind(UTF8Text($0)) }
        for argument in arguments {
            let (name, sign, text) = try Self.split(argument)
            let field = description?.field(UTF8Text(name))
            let value = Self.value(text, form: field?.form)
            switch sign {
            case .set:
                guard field?.isSet != true else {
                    throw ConcordError(
                        .malformedValue, "\(name) is a set of values, so it has no single one",
                        action: "write \(name)+=… to put something in and \(name)-=… to take something out")
                }
                guard set.updateValue(value, forKey: name) == nil else { throw Self.twice(name) }
            case .add, .remove:
                guard field?.isSet != false else {
                    throw ConcordError(
                        .malformedValue, "\(name) takes a single value", action: "write \(name)=…")
                }
                guard !(add[name, default: []] + remove[name, default: []]).contains(value) else {
                    throw Self.twice("\(name) with “\(text)”")
                }
                if sign == .add {
                    add[name, default: []].append(value)
                } else {
                    remove[name, default: []].append(value)
                }
            }
        }
    }

    /// Writes a register that an option names, unless an assignment did.
    ///
    /// - Throws: ``ConcordError`` E-1001 if an assignment did.
    public mutating func set(_ name: String, to text: String) throws {
        guard set.updateValue(.string(text), forKey: name) == nil else { throw Self.twice(name) }
    }

    /// Whether nothing is said.
    public var isEmpty: Bool { self.set.isEmpty && add.isEmpty && remove.isEmpty }

    private enum Sign { case set, add, remove }

    private static func split(_ argument: String) throws -> (name: String, sign: Sign, text: String) {
        guard let equals = argument.firstIndex(of: "=") else {
            throw ConcordError(
                .usage, "“\(argument)” is not of the form field=value",
                action: "write field=value, field+=element or field-=element")
        }
        var name = argument[..<equals]
        let text = String(argument[argument.index(after: equals)...])
        var sign = Sign.set
        if name.last == "+" || name.last == "-" {
            sign = name.removeLast() == "+" ? .add : .remove
        }
        guard !name.isEmpty else {
            throw ConcordError(
                .usage, "“\(argument)” names no field",
                action: "write field=value, field+=element or field-=element")
        }
        return (String(name), sign, text)
    }

    /// Digits become a number only where the field takes one: the name of a meeting may be “2017”.
    private static func value(_ text: String, form: FieldDescription.Form?) -> JSONValue {
        form == .integer ? Int64(text).map(JSONValue.integer) ?? .string(text) : .string(text)
    }

    private static func twice(_ name: String) -> ConcordError {
        ConcordError(.usage, "\(name) is given twice", action: "give each field and each element once")
    }
}
