// From whom a node takes what, as the intake alone decides it.

import ConcordModel
import SyncSupport
import Testing

@testable import ConcordSync

@Suite("From whom changes are taken")
struct IntakeTests {
    private func report(
        _ stage: IntakeReport.Stage = .streaming, lacking: [Dot] = [], holding: [Dot] = [],
        receiving: [Dot] = [],
        author: Int? = nil, incomplete: Bool = false, frames: Int = 0
    ) -> IntakeReport {
        IntakeReport(
            stage: stage, lacking: VersionVector(lacking), holding: VersionVector(holding),
            receiving: VersionVector(receiving), author: author.map(testReplica), isIncomplete: incomplete,
            frames: frames, roundTrip: 50)
    }

    /// An intake with live sessions of these numbers.
    private func live(_ links: ClosedRange<Int>) -> Intake {
        var intake = Intake()
        for link in links { _ = intake.report(report(author: link), of: link, now: 0) }
        return intake
    }

    private let dot = Dot(testReplica(500), 7)

    @Test("the only peer sends all; of many a few announce, and those stay")
    func modes() {
        var intake = Intake()
        #expect(intake.report(report(.opening), of: 1, now: 0)[1]?.mode == .all)
        intake = live(1...20)
        let modes = intake.links.mapValues { $0.order?.mode }
        #expect(modes.values.count { $0 == .announce } == Intake.announcers)
        #expect(modes.values.count { $0 == .own } == 20 - Intake.announcers)
        let announcer = modes.first { $0.value == .announce }!.key
        _ = intake.close(announcer, now: 10)
        let later = intake.links.mapValues { $0.order?.mode }
        #expect(later.values.count { $0 == .announce } == Intake.announcers)
        #expect(
            modes.allSatisfy { $0.key == announcer || $0.value != .announce || later[$0.key] == .announce })
    }

    @Test("of peers that hold much one sends, the others wait; one that stands still gives way")
    func sources() {
        var intake = Intake()
        let much = report(lacking: [Dot(testReplica(500), 70_000)])
        #expect(intake.report(report(.opening), of: 1, now: 0)[1]?.mode == .all)
        #expect(intake.report(report(.opening), of: 2, now: 0)[2]?.mode == .hold)
        _ = intake.report(much, of: 1, now: 100)
        _ = intake.report(much, of: 2, now: 100)
        #expect(intake.links.mapValues { $0.order?.mode } == [1: .all, 2: .hold])
        let stalled = intake.tick(now: 100 + Intake.stallLimit)
        #expect(stalled[1]?.mode == .hold && stalled[2]?.mode == .all)
        _ = intake.report(report(), of: 2, now: 11_000)
        let done = intake.report(report(), of: 1, now: 11_000)
        #expect(done[1]?.mode == .announce)
    }

    @Test("what is announced is asked for at once, from one peer; if it does not come, from another")
    func asking() {
        var intake = live(1...4)
        let lack = report(lacking: [dot])
        #expect(intake.report(lack, of: 1, now: 1_000)[1]?.wanted == VersionVector([dot]))
        for link in 2...4 {
            #expect(intake.report(lack, of: link, now: 1_010).allSatisfy { $0.value.wanted.isEmpty })
        }
        var asked: [Int] = []
        for _ in 0..<3 {
            let deadline = intake.deadline!
            asked += intake.tick(now: deadline).filter { !$0.value.wanted.isEmpty }.map(\.key)
        }
        #expect(Set(asked) == [2, 3, 4], "\(asked)")
        #expect(intake.deadline! < 60_000)
    }

    @Test("a change whose author is connected is left to its author for a while")
    func author() {
        var intake = live(1...4)
        let own = Dot(testReplica(3), 9)
        #expect(
            intake.report(report(lacking: [own], author: 1), of: 1, now: 1_000)[1]?.wanted.isEmpty == true)
        let asked = intake.tick(now: 1_000 + Intake.patienceWithAuthor)
        #expect(asked[1]?.wanted == VersionVector([own]))
        _ = intake.report(report(author: 1), of: 1, now: 1_400)
        #expect(intake.deadline == nil)
    }

    @Test("what is being received, or has just come, is asked for from nobody")
    func underWay() {
        var intake = live(1...4)
        _ = intake.report(report(receiving: [dot], frames: 1), of: 1, now: 1_000)
        let during = intake.report(report(lacking: [dot]), of: 2, now: 1_001)
        #expect(during.allSatisfy { $0.value.wanted.isEmpty })
        let arrived = intake.report(report(frames: 1), of: 1, now: 1_010)
        #expect(
            arrived.allSatisfy { $0.value.wanted.isEmpty }, "the other sessions do not know yet that it came")
        let after = intake.report(report(lacking: [dot]), of: 3, now: 1_011)
        #expect(after.allSatisfy { $0.value.wanted.isEmpty }, "the other sessions learn of it a little later")
    }

    @Test(
        "a peer that claims what nobody has costs one wait, and does not keep what others have from being asked for"
    )
    func liar() {
        var intake = live(1...3)
        let claim = report(lacking: [Dot(testReplica(500), 1_000_000)])
        #expect(intake.report(claim, of: 1, now: 1_000)[1]?.wanted.isEmpty == false)
        #expect(intake.report(report(lacking: [dot]), of: 2, now: 1_100)[2]?.wanted.isEmpty != false)
        let second = intake.tick(now: intake.deadline!)
        #expect(second[2]?.wanted == VersionVector([dot]))
        _ = intake.report(report(), of: 2, now: 4_000)
        // From now on the liar is asked last.
        _ = intake.report(report(lacking: [Dot(testReplica(501), 5)]), of: 1, now: 70_000)
        let next = Dot(testReplica(502), 3)
        _ = intake.report(report(lacking: [Dot(testReplica(501), 5), next]), of: 1, now: 70_000)
        #expect(intake.links[1]!.failures > 0)
    }

    @Test("a peer that goes on and on when it is to send all gives way, too, whatever it brings")
    func longTurn() {
        var intake = Intake()
        let much = [Dot(testReplica(500), 70_000)]
        for link in 1...2 { _ = intake.report(report(lacking: much), of: link, now: 0) }
        for frame in 1...55 {
            _ = intake.report(report(lacking: much, frames: frame), of: 1, now: Int64(frame) * 1_000)
        }
        #expect(intake.links.mapValues { $0.order?.mode } == [1: .all, 2: .hold])
        #expect(intake.deadline == Intake.longestTurn)
        _ = intake.tick(now: Intake.longestTurn)
        #expect(intake.links.mapValues { $0.order?.mode } == [1: .hold, 2: .all])
    }

    @Test("what others hold is asked of them within a minute, however busy the one is that was asked first")
    func distraction() {
        var intake = live(1...3)
        let claim = Dot(dot.replica, 1_000_000)
        #expect(
            intake.report(report(lacking: [claim]), of: 1, now: 1_000)[1]?.wanted
                == VersionVector([claim]))
        _ = intake.report(report(lacking: [dot]), of: 2, now: 1_100)
        var askedAt: Milliseconds?
        for frame in 1...90 where askedAt == nil {
            let now = 1_000 + Milliseconds(frame) * 1_000
            let orders = intake.report(report(lacking: [claim], frames: frame), of: 1, now: now)
            if orders[2]?.wanted == VersionVector([dot]) { askedAt = now }
        }
        #expect(askedAt.map { $0 <= 62_000 } == true, "\(askedAt ?? -1)")
    }

    @Test("as long as parts of a long frame come, it is waited for")
    func parts() {
        var intake = live(1...3)
        for link in 1...2 { _ = intake.report(report(lacking: [dot]), of: link, now: 1_000) }
        for second in 2...30 {
            let orders = intake.tick(now: Milliseconds(second) * 1_000, moving: [1])
            #expect(orders.allSatisfy { $0.value.wanted.isEmpty }, "after \(second) s")
        }
        #expect(intake.tick(now: 40_000)[2]?.wanted == VersionVector([dot]))
    }

    @Test("a peer whose changes wait for others that nobody shows is told to send all")
    func incomplete() {
        var intake = live(1...8)
        let quiet = intake.links.first { $0.value.order?.mode == .own }!.key
        _ = intake.report(report(receiving: [dot], incomplete: true, frames: 1), of: quiet, now: 1_000)
        #expect(intake.links[quiet]?.order?.mode == .own)
        #expect(intake.tick(now: intake.deadline!)[quiet]?.mode == .all)
        _ = intake.report(report(frames: 1), of: quiet, now: 2_000)
        #expect(intake.links[quiet]?.order?.mode == .own)
    }
}
