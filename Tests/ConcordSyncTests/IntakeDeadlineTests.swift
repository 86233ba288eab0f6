// When an intake wants to know the time: after a tick never for a moment that has passed, whatever sessions report, or the
// node would do nothing but tick.

import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

@Suite("When an intake wants the time")
struct IntakeDeadlineTests {
    private func report(
        _ stage: IntakeReport.Stage = .streaming, lacking: [Dot] = [], receiving: [Dot] = [],
        author: Int? = nil, incomplete: Bool = false, frames: Int = 0
    ) -> IntakeReport {
        IntakeReport(
            stage: stage, lacking: VersionVector(lacking), holding: VersionVector(),
            receiving: VersionVector(receiving), author: author.map(testReplica), isIncomplete: incomplete,
            frames: frames, roundTrip: 50)
    }

    /// Lets time pass as the intake asks; false if it does not get on.
    private func passesTime(_ intake: inout Intake, from now: inout Milliseconds, ticks: Int) -> Bool {
        for _ in 0..<ticks {
            guard let deadline = intake.deadline else { return true }
            now = max(now, deadline)
            _ = intake.tick(now: now)
            if let next = intake.deadline, next <= now { return false }
        }
        return true
    }

    @Test("a peer that sent what waits for others before it has caught up is not looked at again and again")
    func incompleteBeforeCatchingUp() {
        var intake = Intake()
        var now: Milliseconds = 0
        let many = [Dot(testReplica(600), 1_000)]
        _ = intake.report(report(lacking: many), of: 1, now: now)
        _ = intake.report(report(lacking: many, incomplete: true), of: 2, now: now)
        #expect(passesTime(&intake, from: &now, ticks: 20))
    }

    @Test("whatever sessions report, time passes", arguments: 0..<200 as Range<UInt64>)
    func anything(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func draw(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var intake = Intake()
        var now: Milliseconds = 0
        for _ in 0..<40 {
            now += Milliseconds(draw(3_000))
            let link = 1 + draw(5)
            if draw(8) == 0 {
                _ = intake.close(link, now: now)
            } else {
                let dots = (0..<draw(4)).map { Dot(testReplica(600 + $0), UInt64(1 + draw(300))) }
                let stage: IntakeReport.Stage = draw(4) == 0 ? .comparing : .streaming
                let report = report(
                    stage, lacking: dots, receiving: draw(2) == 0 ? dots : [], author: 600 + draw(4),
                    incomplete: draw(3) == 0, frames: draw(3))
                _ = intake.report(report, of: link, now: now)
            }
            let isMoving = passesTime(&intake, from: &now, ticks: draw(6))
            #expect(isMoving, "seed \(seed)")
            guard isMoving else { return }
        }
    }
}
