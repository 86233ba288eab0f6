// Erasure among everything else, in random order: whatever reached whom when, those who hold the same see the same, and
// of what was erased nothing is left anywhere.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Testing

@testable import TestSupport

@Suite("Erasure: convergence")
struct ErasureConvergenceTests {
    /// What happens at random.
    private struct Play {
        let sites: [Site]
        var dice: SeededGenerator
        /// The records, who made them, and the secrets written to them by each site.
        var records: [(id: RecordID, isShared: Bool, maker: Int)] = []
        var secrets: [(secret: String, record: Int, site: Int)] = []
        var erased: Set<String> = []

        mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &dice) }

        mutating func secret(_ record: Int, _ site: Int) -> Value {
            let secret = "hush\(secrets.count)q\(UInt32.random(in: .min ... .max, using: &dice))q"
            secrets.append((secret, record, site))
            return text(secret)
        }

        mutating func step() async throws {
            let index = below(sites.count)
            let site = sites[index]
            switch below(10) {
            case 0, 1: try await create(index, site)
            case 2, 3, 4: try await update(index, site)
            case 5: try await erase(index, site)
            default:
                let other = below(sites.count)
                guard other != index else { return }
                let runs = try site.allRuns(excluding: try sites[other].store.held(site.space).vector)
                let part = Array(runs.prefix(1 + below(max(1, runs.count))))
                let outcome = try await sites[other].store.receive(part, in: site.space)
                #expect(outcome.refusal == nil)
            }
        }

        private mutating func create(_ index: Int, _ site: Site) async throws {
            let isShared = below(2) == 0
            let place = records.count
            let secret = secret(place, index)
            let edit: RecordEdit =
                isShared
                ? .create(kind: "meeting", fields: [.set("title", secret), .add("organizers", text("ESP"))])
                : .create(kind: "contact", fields: [.set("name", secret), .add("areas", secret)])
            let written = try await site.write(edit)
            records.append((written.created[0], isShared, index))
        }

        private mutating func update(_ index: Int, _ site: Site) async throws {
            guard !records.isEmpty else { return }
            let place = below(records.count)
            let record = records[place]
            guard record.isShared || record.maker == index, (try? site.record(record.id)) != nil else {
                return
            }
            var edits: [FieldEdit] = [.set("notes", secret(place, index))]
            if !record.isShared {
                edits.append(below(2) == 0 ? .add("areas", text("law")) : .remove("areas", text("law")))
            }
            do {
                try await site.write(.update(record.id, edits))
            } catch let error as ConcordError where error.code == .fieldInConflict {
                secrets.removeLast()
            }
        }

        private mutating func erase(_ index: Int, _ site: Site) async throws {
            guard !records.isEmpty else { return }
            let place = below(records.count)
            do {
                try await site.write(.erase(records[place].id, reason: "asked for"))
            } catch let error as ConcordError where error.code == .notTheOwner || error.code == .unknownRecord
            {
                return
            }
            for known in secrets where known.record == place && known.site == index {
                erased.insert(known.secret)
            }
        }
    }

    @Test(
        "random writes, erasures and partial exchanges converge, and leave nothing of what was erased",
        arguments: 0..<10 as Range<UInt64>)
    func convergence(seed: UInt64) async throws {
        let world = try World("ESP", "DEU", "FRA")
        var sites: [Site] = []
        for index in 0..<3 { sites.append(try await world.site(index)) }
        var play = Play(sites: sites, dice: SeededGenerator(seed: seed))
        for _ in 0..<60 { try await play.step() }
        for _ in 0..<2 { try await exchange(sites[0], sites[1], sites[2]) }
        try await expectEqual(sites)
        for site in sites {
            #expect(try await site.store.heldForPeer(site.space).digest != nil, "seed \(seed)")
            let deadline = ContinuousClock.now + .seconds(20)
            while try await !site.store.sweepErased() {
                try #require(ContinuousClock.now < deadline, "readers stay in the way")
                await Task.yield()
            }
            let bytes = ["", "-wal"].compactMap { FileManager.default.contents(atPath: site.path + $0) }
            for secret in play.erased.sorted() {
                let isThere = bytes.contains { $0.range(of: Data(secret.dropFirst(4).utf8)) != nil }
                #expect(!isThere, "seed \(seed): \(secret)")
            }
        }
    }
}
