// Scenarios that failed once, made small, and what makes them so. Each must pass for ever.

import ConcordSimulator
import Foundation
import Testing

@Suite("Scenarios that failed once")
struct FoundTests {
    private static var files: [URL] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Found")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().map(folder.appendingPathComponent)
    }

    @Test("a scenario that failed once passes", arguments: files)
    func passes(file: URL) async throws {
        let scenario = try Scenario(file: file)
        let lines = Lines()
        let shrinker = Shrinker(SimulationOptions(seed: scenario.seed)) { lines.append($0) }
        let violation = await shrinker.replay(scenario)
        let report = lines.all.suffix(45).joined(separator: "\n")
        #expect(violation == nil, "\(file.lastPathComponent): \(report)")
    }

    @Test("a failing run is made small, and the small one fails alike")
    func shrinks() async throws {
        let options = SimulationOptions(seed: 101, nodes: 3, steps: 40, broken: .alteredEdit)
        let scenario = Scenario(options, seed: 101)
        let shrinker = Shrinker(options) { _ in }
        let first = try #require(await shrinker.violation(scenario))
        let small = try #require(await shrinker.shrink(scenario))
        #expect(small.violation.invariant == first.invariant)
        #expect(small.scenario.decisions.count < scenario.decisions.count / 2)
        let folder = FileManager.default.temporaryDirectory
        let file = folder.appendingPathComponent("concord-scenario-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try small.scenario.write(to: file)
        #expect(try Scenario(file: file) == small.scenario)
    }

    private final class Lines: @unchecked Sendable {
        // Runs write their lines one after another.
        private(set) var all: [String] = []

        func append(_ line: String) { all.append(line) }
    }
}
