// The state of the replica's disk, as a machine without any disk.

import ConcordModel
import Testing

@testable import ConcordStore

@Suite("The health of the disk") struct StorageHealthTests {
    private let full = ConcordError(.diskFull, "full")
    private let broken = ConcordError(.diskFailure, "broken")
    private let corrupt = ConcordError(.corruptDatabase, "corrupt")

    @Test("a failed write has all writes refused with its reason until a trial works")
    func refusing() throws {
        var health = StorageHealth()
        try health.admit(.ordinary)
        guard case .refusing(let trouble)? = health.failed(full, now: 5) else {
            Issue.record("no transition")
            return
        }
        #expect(trouble == StorageTrouble(kind: .full, error: full, since: 5))
        #expect(health.failed(full, now: 6) == nil, "the same trouble is told once")
        for urgency in [WriteUrgency.ordinary, .reserve] {
            #expect(throws: full) { try health.admit(urgency) }
        }
        try health.admit(.trial)
        #expect(health.trialWorked(free: nil, now: 9) == .recovered(trouble))
        try health.admit(.ordinary)
    }

    @Test("what is no matter of the disk changes nothing")
    func otherErrors() throws {
        var health = StorageHealth()
        for code in ErrorCode.allCases where StorageHealth.kind(of: code) == nil {
            #expect(health.failed(ConcordError(code, ""), now: 1) == nil)
        }
        try health.admit(.ordinary)
    }

    @Test("below the reserve only what frees space is written, and ordinary writes come back well above it")
    func reserve() throws {
        var health = StorageHealth(reserve: 100)
        #expect(health.look(free: 100, now: 1) == nil)
        guard case .refusing(let trouble)? = health.look(free: 99, now: 2) else {
            Issue.record("no transition")
            return
        }
        #expect(trouble.kind == .low)
        #expect(throws: trouble.error) { try health.admit(.ordinary) }
        try health.admit(.reserve)
        for free: Int64 in [100, 120, 149] { #expect(health.look(free: free, now: 3) == nil) }
        #expect(health.trialWorked(free: 149, now: 3) == nil)
        #expect(health.look(free: 150, now: 4) == .recovered(trouble))
    }

    @Test(
        "a full disk is left behind when a trial works and enough is free, not by a page that happens to fit")
    func fullDisk() {
        var health = StorageHealth(reserve: 100)
        _ = health.look(free: 50, now: 1)
        guard case .refusing(let trouble)? = health.failed(full, now: 3) else {
            Issue.record("worse trouble is told")
            return
        }
        #expect(trouble.kind == .full && trouble.since == 1)
        #expect(throws: full) { try health.admit(.reserve) }
        #expect(health.look(free: 1_000, now: 4) == nil)
        #expect(health.trialWorked(free: 120, now: 4) == nil)
        #expect(health.trialWorked(free: 1_000, now: 5) == .recovered(trouble))
    }

    @Test("damage passes neither by itself nor by a trial, and counts above all else")
    func damage() {
        var health = StorageHealth()
        _ = health.failed(broken, now: 1)
        guard case .refusing(let trouble)? = health.failed(corrupt, now: 2) else {
            Issue.record("damage is told")
            return
        }
        #expect(!trouble.mayPass)
        #expect(throws: corrupt) { try health.admit(.trial) }
        #expect(health.trialWorked(free: nil, now: 3) == nil)
        #expect(health.failed(full, now: 4) == nil)
        #expect(health.trouble == trouble)
    }

    @Test("trials become rarer, also where trouble comes and goes, and soon again after a quiet time")
    func backOff() {
        var health = StorageHealth()
        _ = health.failed(broken, now: 0)
        #expect((0..<6).map { _ in health.nextTrialDelay() } == [1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
        _ = health.trialWorked(free: nil, now: 1_000)
        _ = health.failed(broken, now: 2_000)
        #expect(health.nextTrialDelay() == 10_000)
        _ = health.trialWorked(free: nil, now: 3_000)
        _ = health.failed(broken, now: 100_000)
        #expect(health.nextTrialDelay() == 1_000)
    }
}
