// Protocol/limits.md lists every limit with the expression that the source gives it. The comparison is textual, so that
// it covers limits of modules that this one does not depend on, and of types that are not numbers.

import ConcordModel
import ConcordText
import Foundation
import Testing

@Suite("The chapter on limits")
struct LimitsChapterTests {
    /// A limit's name and the expression that it is given.
    private struct Limit: Hashable, CustomStringConvertible {
        let name: String
        let expression: String

        var description: String { "\(name) = \(expression)" }
    }

    @Test("gives every limit of every file that it names, and no other")
    func mirrorsTheSources() throws {
        let sections = try Self.sections(of: Chapter.text("limits.md"))
        #expect(sections.map(\.file).contains("Sources/ConcordModel/Limits.swift"))
        for section in sections {
            let source = try Self.limits(inSource: Chapter.file(section.file))
            #expect(!source.isEmpty, "\(section.file) has no limits")
            for limit in source where !section.limits.contains(limit) {
                Issue.record("Protocol/limits.md lacks, under \(section.file): \(limit)")
            }
            for limit in section.limits where !source.contains(limit) {
                Issue.record("\(section.file) lacks: \(limit)")
            }
        }
    }

    @Test("leaves out no file of limits")
    func namesEveryFile() throws {
        let named = try Self.sections(of: Chapter.text("limits.md")).map(\.file)
        for path in try Chapter.swiftFiles() where path.hasSuffix("Limits.swift") && !path.contains("+") {
            #expect(named.contains(path), "Protocol/limits.md has no section for \(path)")
        }
    }

    /// The sections that begin with a line ``Source: `path```, with their rows ``| `name` | `expression` | … |``.
    private static func sections(of text: String) throws -> [(file: String, limits: [Limit])] {
        var sections: [(file: String, limits: [Limit])] = []
        for line in text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /Source: `([^`]+)`/) {
                sections.append((String(match.1), []))
            } else if line.hasPrefix("#") {
                sections.append(("", []))
            } else if let match = line.prefixMatch(of: /\| `([a-zA-Z0-9]+)` \| `([^`]+)` \|/),
                !sections.isEmpty
            {
                let limit = Limit(name: String(match.1), expression: String(match.2))
                sections[sections.count - 1].limits.append(limit)
            }
        }
        return sections.filter { !$0.file.isEmpty }
    }

    /// The constants `static let name: Type = expression` of a source file, unless they are private, and the public
    /// properties with a default.
    private static func limits(inSource text: String) -> [Limit] {
        text.split(separator: "\n").compactMap { line in
            let form = /\ {4}(?:(?:public )?static let|public var) ([a-zA-Z0-9]+)(?:: [A-Za-z0-9<>]+)? = (.+)/
            return line.wholeMatch(of: form).map { Limit(name: String($0.1), expression: String($0.2)) }
        }
    }
}

extension Chapter {
    /// The paths of all sources, from the project's root, in order.
    static func swiftFiles() throws -> [String] {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources").resolvingSymlinksInPath()
        let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
        return paths.filter { $0.hasSuffix(".swift") }.map { "Sources/\($0)" }.sorted()
    }
}

@Suite struct TextLimitTests {
    @Test("limits of texts are the same where changes are judged by form and where texts merge")
    func same() {
        #expect(Limits.textScalars == TextLimits.scalars)
        #expect(Limits.textClaimed == TextLimits.positions)
    }
}
