// Says where a private key is that does not lie in its folder: `authority.uri`, a few lines of `name: value`.

import ConcordCrypto
import ConcordModel

/// A key behind a URI, and what reaches it.
struct KeyReference: Hashable, Sendable {
    let uri: String
    let provider: KeyProvider

    /// Reads the lines; `#` begins a comment.
    ///
    /// - Throws: ``ConcordError`` E-6001 for an unknown name, E-6002 for what cannot be read.
    init(text: String, file: String) throws {
        var values: [String: String] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = Self.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let place = "\(file), line \(index + 1)"
            guard let colon = line.firstIndex(of: ":") else {
                throw ConcordError(.malformedConfiguration, "\(place): this is not `name: value`")
            }
            let name = String(line[..<colon])
            guard Self.names.contains(name) else {
                throw ConcordError(
                    .unknownConfigurationKey,
                    "\(place): unknown name `\(name.prefix(64))`; known are \(Self.names.joined(separator: ", "))"
                )
            }
            let value = Self.trimmed(line[line.index(after: colon)...])
            guard !value.isEmpty, values.updateValue(String(value), forKey: name) == nil else {
                throw ConcordError(.malformedConfiguration, "\(place): `\(name)` is empty or given twice")
            }
        }
        guard let uri = values["uri"], KeySources.isURI(uri) else {
            throw ConcordError(
                .malformedConfiguration, "\(file) names no key",
                action: "write a line such as `uri: pkcs11:token=ministry;object=authority;type=private`")
        }
        self.uri = uri
        provider = KeyProvider(
            name: values["provider"], configuration: values["provider_configuration"],
            properties: values["provider_properties"])
    }

    private static let names = ["uri", "provider", "provider_configuration", "provider_properties"]

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
