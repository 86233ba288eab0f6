// Every log is in causal order: what a change builds upon stands before it, so that whoever is sent the log from its beginning
// can take in each change as it comes.

import ConcordModel
import ConcordStore

extension Simulation {
    /// Checks the order in which a node's log is sent.
    mutating func checkOrder(_ node: SimulatedNode) throws {
        guard judges(.order), let store = node.store else { return }
        var changes: [(dot: Dot, needs: [Dot])] = []
        for run in try store.runs(of: space, excluding: VersionVector()) {
            for (index, bytes) in run.changes.enumerated() {
                let dot = Dot(run.replica, run.firstSequence + UInt64(index))
                let needed = try Change(encoded: bytes).dependencies.map(\.dot)
                changes.append((dot, needed + (dot.sequence > 1 ? [dot.previous] : [])))
            }
        }
        if swarm.canary == .reversedLog, changes.contains(where: { !$0.needs.isEmpty }) {
            changes.reverse()
            canaryFired = true
        }
        var seen = VersionVector()
        for (dot, needs) in changes {
            if let lacking = needs.first(where: { !seen.contains($0) }) {
                throw Violation(
                    invariant: .causalOrder, detail: "\(node.name) has \(dot) before \(lacking)")
            }
            seen.raise(dot.replica, to: dot.sequence)
        }
    }
}

extension Dot {
    /// The name of the change before this one in its chain.
    fileprivate var previous: Dot { Dot(replica, sequence - 1) }
}
