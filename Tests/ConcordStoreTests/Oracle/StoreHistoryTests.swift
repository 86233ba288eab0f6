// Random histories among real stores, compared with the oracle on the way and in the end. A failure names its
// history; CONCORD_HISTORIES=FIRST-LAST plays others, such as CONCORD_HISTORIES=17-17 that one alone.

import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import TestSupport

@Suite struct StoreHistoryTests {
    static let size = HistorySize(
        founders: 2...4, applicants: 0...2, seats: 6, steps: 20...90, admission: 1...2, suspension: 2...2,
        hostility: [0, 30, 50, 50])

    static var seeds: ClosedRange<UInt64> {
        let wanted = ProcessInfo.processInfo.environment["CONCORD_HISTORIES"] ?? ""
        let ends = wanted.split(separator: "-").compactMap { UInt64($0) }
        return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : 200...207
    }

    @Test(
        "whatever happens in whatever order, every store equals the oracle, and all stores equal each other")
    func histories() async throws {
        var tally: [String: Int] = [:]
        for seed in Self.seeds {
            let history = try await StoreHistory(HistoryScript(seed: seed, size: Self.size))
            try await history.play()
            for seat in history.sites.indices { try history.compare(seat) }
            try await history.exchange()
            var dice = HistoryDice(seed)
            var sites = history.sites
            sites.append(try await history.refill(&dice))
            sites.append(try await history.refill(&dice))
            try await finish(history, sites, &tally)
            tally.merge(history.tally, uniquingKeysWith: +)
            // What follows would be the same fault again.
            if history.isBroken { break }
        }
        // Histories in which nothing happens would show nothing.
        guard Self.seeds.count > 5 else { return }
        for event in [
            "honest writes", "hostile writes", "hidden", "suspended", "forked", "refused", "dead", "texts",
            "inert",
        ] {
            #expect(tally[event, default: 0] > 0, "no \(event) in \(tally)")
        }
    }

    private func finish(_ history: StoreHistory, _ sites: [Site], _ tally: inout [String: Int]) async throws {
        let expected = try await sites[0].store.heldWithDigest(sites[0].space)
        for (number, site) in sites.enumerated() {
            try history.compare(site.store, "store \(number) in the end")
            let found = try await site.store.heldWithDigest(site.space)
            if found.summary.hash != expected.summary.hash {
                history.report("store \(number) holds something else")
            }
            if found.digest != expected.digest { history.report("store \(number) has another digest") }
        }
        let report = try await sites[0].store.verify()
        for problem in report.problems { history.report("verify finds \(problem)") }
        let last = sites[sites.count - 1]
        try last.store.close()
        let again = try ReplicaStore(path: last.path)
        if try await again.digest(last.space) != expected.digest {
            history.report("reopened it has another digest")
        }
        try history.compare(again, "the store that was opened again")
        try again.close()
        let lines = try history.log.read(sites[0].path)
        let view = history.oracle.view(of: history.log.held(lines))
        tally["changes", default: 0] += lines.count
        tally["hidden", default: 0] += lines.count - view.effective.count
        tally["suspended", default: 0] += view.roster.values.count { !$0.suspensions.isEmpty }
        tally["forked", default: 0] += history.oracle.forks(in: history.log.held(lines)).count
        tally["conflicts", default: 0] += view.records.values.count {
            $0.registers.values.contains { $0.count > 1 }
        }
        tally["records", default: 0] += view.records.count
        tally["dead", default: 0] += view.records.values.count { !$0.isLive }
        tally["flagged", default: 0] += view.records.values.count { $0.isLive && !$0.openDeletes.isEmpty }
        tally["observers", default: 0] += view.roster.values.count { $0.role == .observer }
        tally["revoked", default: 0] +=
            history.oracle.effect(of: history.log.held(lines)).restricting.own.count
        tally["refused", default: 0] += view.refused.count
        let texts = view.records.values.flatMap(\.texts.values)
        tally["texts", default: 0] += texts.count { $0.edits.count > 1 }
        tally["inert", default: 0] += texts.reduce(0) { $0 + $1.inert.count }
    }
}
