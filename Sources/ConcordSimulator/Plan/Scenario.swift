// Everything that a run follows from: its seed, what it is like, and the list of what happens in it. A scenario is drawn
// from a seed, or read from a file in which somebody kept a failing one after it was made small.

import Foundation

/// A run to be.
public struct Scenario: Codable, Hashable, Sendable {
    /// From which identifiers, latencies and the fate of what was not synced follow.
    public let seed: UInt64
    /// What the run is like.
    var swarm: Swarm
    /// What happens, by time.
    public var decisions: [Decision]
    /// When the faults end.
    public let end: Int64

    /// The run of a seed.
    public init(_ options: SimulationOptions, seed: UInt64) {
        self.seed = seed
        let swarm = Swarm(options, seed: seed)
        self.swarm = swarm
        var random = SimulationRandom(seed: seed, label: "plan")
        var drawn: [Decision] = []
        var time: Int64 = 1
        for _ in 0..<options.steps {
            time += random.duration(mean: swarm.meanWriteInterval)
            let kind: Decision.Kind = random.chance(swarm.debatePercent) ? .debate : .write
            drawn.append(Self.decision(kind, time, swarm, &random))
        }
        for (kind, interval) in swarm.intervals {
            var next = random.duration(mean: interval)
            while next < time {
                drawn.append(Self.decision(kind, next, swarm, &random))
                next += random.duration(mean: interval)
            }
        }
        var later = SimulationRandom(seed: seed, label: "plan of versions")
        for (kind, interval) in swarm.addedIntervals {
            var next = later.duration(mean: interval)
            while next < time {
                drawn.append(Self.decision(kind, next, swarm, &later))
                next += later.duration(mean: interval)
            }
        }
        if swarm.copied != nil { drawn.append(Self.decision(.copy, min(800, time), swarm, &random)) }
        let ordered = drawn.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        var shift: Int64 = 0
        decisions = ordered.map { _, decision in
            let shifted = Decision(
                at: decision.at + shift, kind: decision.kind, node: decision.node, draw: decision.draw)
            // What comes later comes when it is over; a little of it while it lasts.
            if decision.kind == .outage { shift += decision.outage * Int64(random.number(0...100)) / 100 }
            return shifted
        }
        end = time + shift + 1
    }

    private static func decision(
        _ kind: Decision.Kind, _ at: Int64, _ swarm: Swarm, _ random: inout SimulationRandom
    ) -> Decision {
        Decision(at: at, kind: kind, node: random.number(0...swarm.nodes - 1), draw: random.next())
    }

    /// Reads a scenario from a file.
    ///
    /// - Throws: an error of Foundation if it cannot be read.
    public init(file: URL) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
    }

    /// Writes the scenario to a file.
    ///
    /// - Throws: an error of Foundation if it cannot be written.
    public func write(to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: file)
    }

    /// In one line, what was drawn.
    public var summary: String { swarm.summary }

    /// The same without some of what happens.
    func with(_ decisions: [Decision]) -> Scenario {
        var copy = self
        copy.decisions = decisions
        return copy
    }

    /// The same with one node less; nil if it cannot do with less.
    func withoutLastNode() -> Scenario? {
        guard let smaller = swarm.withoutLastNode() else { return nil }
        var copy = self
        copy.swarm = smaller
        copy.decisions = decisions.filter { $0.node < smaller.nodes }
        return copy
    }
}
