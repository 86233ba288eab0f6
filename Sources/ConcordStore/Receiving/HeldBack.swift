// Runs that lack something: their predecessor or a dependency. They wait in memory, bounded per space; when
// there are too many, the oldest goes, and the peer sends it again after the next reconnection, for it was
// never acknowledged. However many wait, one more costs the same.

import ConcordModel

/// The runs of one space that wait.
struct HeldBack: Sendable {
    /// Bytes that may wait per space.
    static let maximumBytes = 8 << 20
    /// What a run takes besides its changes.
    private static let runOverhead = 512

    struct Waiting: Sendable {
        let run: ChangeRun
        let missing: Dependency
    }

    /// By the order in which they came, from ``first`` on, with gaps.
    private var runs: [Int: Waiting] = [:]
    private var places: [ChangeRun: Int] = [:]
    private var first = 0
    private var next = 0
    private var byteCount = 0

    /// Whether nothing waits.
    var isEmpty: Bool { runs.isEmpty }
    /// How many changes wait.
    private(set) var changeCount = 0

    /// Keeps a run until `missing` is held. A run that waits already is not kept twice.
    mutating func keep(_ run: ChangeRun, until missing: Dependency) {
        guard places.updateValue(places[run] ?? next, forKey: run) == nil else { return }
        runs[next] = Waiting(run: run, missing: missing)
        next += 1
        byteCount += Self.cost(run)
        changeCount += run.changes.count
        while byteCount > Self.maximumBytes {
            remove(first)
            first += 1
        }
    }

    /// Takes out the runs that may be tried again, in the order in which they came.
    mutating func takeReady(_ isHeld: (Dependency) throws -> Bool) rethrows -> [Waiting] {
        let ready = try runs.keys.sorted().compactMap { place in
            try runs[place].flatMap { try isHeld($0.missing) ? (place, $0) : nil }
        }
        for (place, _) in ready { remove(place) }
        return ready.map(\.1)
    }

    private mutating func remove(_ place: Int) {
        guard let run = runs.removeValue(forKey: place)?.run else { return }
        places[run] = nil
        byteCount -= Self.cost(run)
        changeCount -= run.changes.count
    }

    private static func cost(_ run: ChangeRun) -> Int { run.byteCount + runOverhead }
}
