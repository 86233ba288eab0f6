// What somebody carries from one ministry to another: the runs that a session would send, not yet in the files in which
// bundles carry them (Protocol/bundles.md).

import ConcordCrypto
import ConcordModel
import ConcordStore

/// A load on its way.
struct CourierLoad: Sendable {
    private(set) var runs: [ChangeRun]
    /// Whether something of it was altered on the way.
    private(set) var isDamaged = false

    /// All that a store holds of a space without what is known to be there.
    init(of store: ReplicaStore, space: SpaceID, excluding known: VersionVector) throws {
        var (runs, position): ([ChangeRun], Int64) = ([], 0)
        while true {
            let slice = try store.slice(space, after: position, excluding: known, maximumBytes: 1 << 20)
            runs += slice.runs
            position = slice.position
            if slice.isLast { break }
        }
        self.runs = runs
    }

    /// Bytes of the changes.
    var byteCount: Int { runs.reduce(0) { $0 + $1.byteCount } }

    /// What happens to it on the way: it is cut short, loses something, comes in another order, or a bit of it changes.
    mutating func suffer(_ random: inout SimulationRandom) {
        guard !runs.isEmpty else { return }
        switch random.number(0...5) {
        case 0: runs.removeLast(random.number(1...runs.count))
        case 1: runs.remove(at: random.number(0...runs.count - 1))
        case 2: runs.shuffle(using: &random)
        case 3: damage(&random)
        default: break
        }
    }

    /// Changes a bit of one run.
    mutating func damage(_ random: inout SimulationRandom) {
        guard !runs.isEmpty else { return }
        damage(random.number(0...runs.count - 1), &random)
    }

    private mutating func damage(_ index: Int, _ random: inout SimulationRandom) {
        let run = runs[index]
        var changes = run.changes
        let place = random.number(0...changes.count - 1)
        guard !changes[place].isEmpty else { return }
        changes[place][random.number(0...changes[place].count - 1)] ^= UInt8(1 << random.number(0...7))
        runs[index] = ChangeRun(
            replica: run.replica, chain: run.chain, firstSequence: run.firstSequence, previous: run.previous,
            changes: changes, signature: run.signature)
        isDamaged = true
    }
}

extension Simulation {
    /// Somebody leaves a node with what it holds, and comes to another one, or several, some time.
    mutating func sendCourier(from node: Int) async throws {
        guard isAwake(node), nodes[node].hasSpace else { return }
        let space = space
        let known = choices.chance(50) ? try nodes[node].store?.held(space).vector : nil
        var half = VersionVector()
        for dot in known?.dots ?? [] { half.raise(dot.replica, to: dot.sequence / 2) }
        guard
            let load = try await attempt(
                node,
                { [half] store in
                    try CourierLoad(of: store, space: space, excluding: half)
                })
        else { return }
        for _ in 0..<choices.number(1...2) {
            var copy = load
            copy.suffer(&choices)
            let target = choices.number(0...swarm.nodes - 1)
            // Soon, some time, or so late that all others are at peace again.
            let soon = now + choices.duration(mean: choices.pick([500, 30_000]))
            let time = choices.chance(30) ? scenario.end + choices.duration(mean: 1_000) : soon
            log(node, "a courier leaves for \(nodes[target].name) with \(copy.runs.count) runs")
            queue.add(.deliver(copy, to: target), at: time)
        }
    }

    /// What somebody carried arrives at a node.
    mutating func deliver(_ load: CourierLoad, to node: Int) async throws {
        guard isAwake(node), nodes[node].hasSpace else {
            log(node, "a courier finds nobody")
            return
        }
        let space = space
        guard let outcome = try await attempt(node, { try await $0.receive(load.runs, in: space) }) else {
            return
        }
        figures.couriers += 1
        log(node, "a courier brings \(outcome.applied) new, \(outcome.heldBack) held back")
        if let refusal = outcome.refusal {
            log(node, "refused: \(refusal.code.rawValue)")
            guard load.isDamaged || swarm.hasForks else {
                throw Violation(
                    invariant: .noFaults, detail: "\(nodes[node].name) refuses what is in order: \(refusal)")
            }
        }
        if outcome.tookBranch { try await tellFork(outcome.forked, at: node, except: nil) }
        try feedAdvances(node)
    }
}
