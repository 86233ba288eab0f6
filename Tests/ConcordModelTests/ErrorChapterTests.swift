// Protocol/errors.md is what people and other implementations look codes up in; the catalogue is what the programs
// say. Here the two are compared word for word, so that neither can drift.

import ConcordModel
import Foundation
import Testing

@Suite("The chapter on errors")
struct ErrorChapterTests {
    /// One item of the chapter's list, its lines joined.
    private struct Item: Hashable, CustomStringConvertible {
        let code: String
        let name: String
        let summary: String
        let action: String?

        var description: String { "\(code) \(name) – \(summary)" + (action.map { " Next: \($0)" } ?? "") }
    }

    @Test("lists every code once, in order, with the catalogue's summary and next step")
    func mirrorsTheCatalogue() throws {
        let chapter = try Self.items(in: Chapter.text("errors.md"))
        let catalogue = ErrorCode.allCases.sorted { $0.rawValue < $1.rawValue }.map {
            Item(code: $0.rawValue, name: "\($0)", summary: $0.entry.summary, action: $0.entry.action)
        }
        for item in catalogue where !chapter.contains(item) {
            Issue.record("Protocol/errors.md lacks: \(item)")
        }
        for item in chapter where !catalogue.contains(item) {
            Issue.record("Protocol/errors.md says what the catalogue does not: \(item)")
        }
        #expect(chapter.map(\.code) == catalogue.map(\.code))
    }

    @Test("is read strictly: a word more in the chapter is found")
    func noticesADifference() throws {
        let text = try Chapter.text("errors.md")
        let altered = text.replacingOccurrences(
            of: "No record has this id.", with: "No record has such an id.")
        #expect(altered != text)
        #expect(try Self.items(in: altered) != Self.items(in: text))
    }

    @Test("names every code that another chapter mentions")
    func otherChaptersNameRealCodes() throws {
        let codes = Set(ErrorCode.allCases.map(\.rawValue))
        for chapter in try Chapter.names() {
            for match in try Chapter.text(chapter).matches(of: /E-[0-9]{4}/) {
                #expect(codes.contains(String(match.output)), "\(chapter) mentions \(match.output)")
            }
        }
    }

    /// The items ``- **CODE** `name` – summary`` with an optional sentence `Next: action`, wrapped at will.
    private static func items(in text: String) throws -> [Item] {
        var joined: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("- **E-") {
                joined.append(String(line))
            } else if line.hasPrefix("  "), !joined.isEmpty {
                joined[joined.count - 1] += " " + line.trimmingCharacters(in: .whitespaces)
            } else if line.hasPrefix("## Codes on the wire") {
                break
            }
        }
        return try joined.map { line in
            let match = try #require(
                line.wholeMatch(of: /- \*\*(E-[0-9]{4})\*\* `([a-zA-Z]+)` – (.+)/), "\(line)")
            let parts = String(match.3).components(separatedBy: " Next: ")
            return Item(
                code: String(match.1), name: String(match.2), summary: parts[0],
                action: parts.count > 1 ? parts[1...].joined(separator: " Next: ") : nil)
        }
    }
}

/// The chapters of the specification, found from where this file was compiled.
enum Chapter {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The names of all chapters and the grammar, in order.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Protocol").path)
            .filter { $0.hasSuffix(".md") || $0.hasSuffix(".cddl") }.sorted()
    }

    /// The text of one chapter.
    static func text(_ name: String) throws -> String { try file("Protocol/\(name)") }

    /// The text of any file of the project.
    static func file(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
