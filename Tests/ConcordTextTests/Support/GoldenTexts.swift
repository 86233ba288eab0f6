// Protocol/vectors/text.json shows every implementation histories made by hand, each for one rule of the order or one
// case of the walk, with the texts that they mean. The references and the program must agree with it.

import ConcordText
import Foundation
import Testing

/// A history and what it means. Texts are in UTF-8, since one string equals another of other scalars.
struct GoldenText: Sendable, CustomTestStringConvertible {
    let name: String
    let note: String
    /// Each after its parents.
    let edits: [TextEdit]
    /// The text of all edits.
    let text: Expected
    /// Ascending.
    let inert: [TextEditID]
    /// Texts at other versions.
    let versions: [Version]

    struct Expected: Sendable {
        /// As people see it.
        let seen: [UInt8]
        /// With U+FFFF for each erased scalar.
        let written: [UInt8]
    }

    struct Version: Sendable {
        let edits: [TextEditID]
        let text: Expected
    }

    var testDescription: String { "\(name): \(note)" }

    static func load() throws -> [GoldenText] {
        try JSONDecoder().decode(TextVectors.self, from: Data(contentsOf: TextVectors.file)).texts.map {
            try GoldenText($0)
        }
    }

    private init(_ vector: TextVectors.History) throws {
        (name, note) = (vector.name, vector.note)
        var ids: [TextEditID] = []
        edits = try vector.edits.map { edit in
            let made = try edit.edit(after: ids)
            ids.append(made.id)
            return made
        }
        text = Expected(seen: vector.text, written: vector.internal)
        inert = try vector.inert.map { try TextVectors.edit($0, of: ids) }.sorted()
        versions = try vector.versions.map { version in
            Version(
                edits: try version.version.map { try TextVectors.edit($0, of: ids) },
                text: Expected(seen: version.text, written: version.internal))
        }
    }
}

extension GoldenText.Expected {
    fileprivate init(seen: String, written: String?) {
        self.init(seen: Array(seen.utf8), written: Array((written ?? seen).utf8))
    }
}

/// The file's shape. Edits are named by their places in the list, from 0.
private struct TextVectors: Decodable {
    struct History: Decodable {
        let name: String
        let note: String
        let edits: [Edit]
        let text: String
        /// Where it is not `text`.
        let `internal`: String?
        let inert: [Int]
        let versions: [Version]
    }

    struct Edit: Decodable {
        /// 32 hexadecimal digits.
        let agent: String
        let sequence: UInt64
        let parents: [Int]
        /// Position, deleted, inserted.
        let runs: [[UInt64]]
        /// Nil if it is erased.
        let inserted: String?

        /// - Parameter ids: the edits before it in the list.
        func edit(after ids: [TextEditID]) throws -> TextEdit {
            try #require(agent.count == 32)
            let high = try #require(UInt64(agent.prefix(16), radix: 16))
            let low = try #require(UInt64(agent.suffix(16), radix: 16))
            return TextEdit(
                TextEditID(TextAgent(high: high, low: low), sequence),
                after: try parents.map { try TextVectors.edit($0, of: ids) },
                try runs.map { run in
                    try #require(run.count == 3)
                    return TextRun(position: run[0], deleted: run[1], inserted: run[2])
                }, inserted)
        }
    }

    struct Version: Decodable {
        let version: [Int]
        let text: String
        let `internal`: String?
    }

    let texts: [History]

    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Protocol/vectors/text.json")

    static func edit(_ place: Int, of ids: [TextEditID]) throws -> TextEditID {
        try #require(ids.indices.contains(place))
        return ids[place]
    }
}
