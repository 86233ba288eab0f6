// Runs that lack something: their predecessor or a dependency. They wait in memory, bounded per space; when
// there are too many, the oldest goes, and the peer sends it again after the next reconnection, for it was
// never acknowledged.

import ConcordModel

/// The runs of one space that wait.
struct HeldBack: Sendable {
    /// Bytes that may wait per space.
    static let maximumBytes = 8 << 20

    private struct Waiting: Sendable {
        let run: ChangeRun
        let missing: Dot
    }

    private var runs: [Waiting] = []
    private var byteCount = 0

    /// How many changes wait.
    var changeCount: Int { runs.reduce(0) { $0 + $1.run.changes.count } }

    /// Keeps a run until `missing` is held. A run that waits already is not kept twice.
    mutating func keep(_ run: ChangeRun, until missing: Dot) {
        if runs.contains(where: { $0.run == run }) { return }
        runs.append(Waiting(run: run, missing: missing))
        byteCount += run.byteCount
        while byteCount > Self.maximumBytes {
            byteCount -= runs.removeFirst().run.byteCount
        }
    }

    /// Takes out the runs that may be tried again, in the order in which they came.
    mutating func takeReady(_ isHeld: (Dot) -> Bool) -> [ChangeRun] {
        let ready = runs.filter { isHeld($0.missing) }
        guard !ready.isEmpty else { return [] }
        runs.removeAll { isHeld($0.missing) }
        byteCount -= ready.reduce(0) { $0 + $1.run.byteCount }
        return ready.map(\.run)
    }
}
