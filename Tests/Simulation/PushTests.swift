// How changes spread among many nodes, in small runs on each `swift test`; large ones are for `concord-simulator push`.

import ConcordSimulator
import Testing

@Suite("How changes spread")
struct PushTests {
    private func report(_ options: PushOptions) -> PushReport {
        var run = PushRun(options)
        return run.run()
    }

    @Test("a full mesh of twelve keeps the bounds, while connections fail and when a node joins")
    func mesh() {
        let report = report(PushOptions(nodes: 12, changes: 8, seed: 3))
        #expect(report.broken.isEmpty, "\(report.broken)")
        #expect(report.undisturbed.changes == 8 && report.undisturbed.worstTransmissions == 1)
        #expect(report.joining.changes > 12 && report.cuts > 5 && report.failures > 0)
        // What is said about a change beside the change itself, its acknowledgement included.
        let around = report.undisturbed.totalBytes - (report.undisturbed.bytes["changes"] ?? 0)
        #expect(around < 1_000, "\(report.undisturbed.bytes)")
    }

    @Test("a large network keeps them with few peers each")
    func sparse() {
        let report = report(PushOptions(nodes: 70, changes: 4, seed: 2, writers: 10))
        #expect(report.broken.isEmpty, "\(report.broken)")
        #expect(report.mostPeers <= 12)
        #expect(report.undisturbed.longestDelay < 5_000)
    }

    @Test("a seed repeats its run")
    func determinism() {
        let options = PushOptions(nodes: 6, changes: 4, seed: 9)
        #expect(report(options) == report(options))
    }
}
