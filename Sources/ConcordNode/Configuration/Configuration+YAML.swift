// The file. Only the shapes that the sample shows are taken: a mapping of known keys to a scalar or to a list
// of scalars, some of them indented below the name of a section. Anchors, tags and other nested mappings have no
// meaning here and are refused.

import ConcordModel
import Yams

extension Configuration {
    /// Takes over what a configuration file says.
    ///
    /// - Throws: ``ConcordError`` E-6001 for an unknown key, E-6002 for what cannot be read, E-6009 for an address.
    package mutating func apply(yaml text: String, file: String) throws {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConcordError(.malformedConfiguration, Self.sentence(for: error, file: file))
        }
        guard let root, !Self.isEmpty(root) else { return }
        guard case .mapping(let mapping) = root else {
            throw Self.refusal(file, root, "the file is not a list of `key: value`")
        }
        try apply(mapping, section: "", file: file)
    }

    private mutating func apply(_ mapping: Node.Mapping, section: String, file: String) throws {
        for (keyNode, value) in mapping {
            guard case .scalar(let scalar) = keyNode else {
                throw Self.refusal(file, keyNode, "a key is not a word")
            }
            let name = section + scalar.string
            // A key with a dot is written indented below its section, and in no other way.
            if let key = Key(rawValue: name), scalar.string.contains(".") == false {
                try set(key, to: Self.texts(value, key: key, file: file), where: Self.place(file, value))
            } else if section.isEmpty, Key.isSection(name) {
                guard !Self.isEmpty(value) else { continue }
                guard case .mapping(let inner) = value else {
                    throw Self.refusal(file, value, "`\(name)` takes keys of its own, indented below it")
                }
                try apply(inner, section: "\(name).", file: file)
            } else {
                throw ConcordError(
                    .unknownConfigurationKey,
                    "\(Self.place(file, keyNode)): unknown key `\(name.prefix(64))`; known are "
                        + Key.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))
            }
        }
    }

    private static func texts(_ node: Node, key: Key, file: String) throws -> [String] {
        switch node {
        case .scalar(let scalar):
            guard !key.isList else {
                if isEmpty(node) { return [] }
                throw refusal(file, node, "`\(key.rawValue)` takes a list: put `- ` before each entry")
            }
            return [scalar.string]
        case .sequence(let sequence):
            guard key.isList else {
                throw refusal(file, node, "`\(key.rawValue)` takes one value, not a list")
            }
            return try sequence.map { entry in
                guard case .scalar(let scalar) = entry else {
                    throw refusal(
                        file, entry,
                        "an entry of `\(key.rawValue)` is not text; quote addresses such as \"[::]:7443\"")
                }
                return scalar.string
            }
        default: throw refusal(file, node, "`\(key.rawValue)` takes \(key.isList ? "a list" : "one value")")
        }
    }

    /// Whether nothing was written: `key:` without a value, or a file of comments alone.
    private static func isEmpty(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.style == .plain
            && (scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null")
    }

    private static func place(_ file: String, _ node: Node) -> String {
        node.mark.map { "\(file), line \($0.line)" } ?? file
    }

    private static func refusal(_ file: String, _ node: Node, _ message: String) -> ConcordError {
        ConcordError(.malformedConfiguration, "\(place(file, node)): \(message)")
    }

    private static func sentence(for error: YamlError, file: String) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "\(file), line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, _):
            let names = duplicates.map { "`\($0)`" }.joined(separator: ", ")
            return "\(file): \(names) stands more than once"
        case .reader(let problem, _, _, _): return "\(file): \(problem)"
        default: return "\(file) is not YAML"
        }
    }
}
