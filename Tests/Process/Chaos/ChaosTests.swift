// Five daemons under load while everything fails that can. After each fault the load pauses, and then all nodes must have
// equal digests and clean logs, and show every write that was acknowledged. `swift test` has each fault once;
// `Deploy/chaos` goes on for as long as it is told.

import ConcordAPI
import ConcordClient
import Foundation
import SyncSupport
import Testing

@Suite("Five daemons under faults", .serialized)
struct ChaosTests {
    /// How long each fault lasts.
    private static let duration = Duration.milliseconds(1500)

    @Test("nothing acknowledged is lost and all converge, whatever fails")
    func chaos() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["CONCORD_CHAOS_SECONDS"].flatMap { Double($0) } ?? 0
        let seed = environment["CONCORD_CHAOS_SEED"].flatMap { UInt64($0) } ?? 1
        var random = TestRandom(seed: seed)
        let network = try await ChaosNetwork()
        let load = ChaosLoad()
        var counts: [ChaosFault: Int] = [:]
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in network.places {
                let (client, name) = (place.client, place.node.name)
                group.addTask { await load.write(at: client, as: name) }
            }
            defer { group.cancelAll() }
            var faults = ChaosFault.allCases
            repeat {
                for fault in faults where fault != .fullDisk || SmallDisk.isPossible {
                    let number = Int.random(in: network.places.indices, using: &random)
                    try await inflict(fault, network, load, at: number)
                    counts[fault, default: 0] += 1
                }
                faults.shuffle(using: &random)
            } while ContinuousClock.now < start + .seconds(seconds)
        }
        let table = ChaosFault.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }.joined(separator: ", ")
        let refusals = load.refusals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        print(
            "CHAOS seed \(seed): \(load.acknowledged) writes acknowledged in \(ContinuousClock.now - start), none lost; "
                + "faults: \(table); refused meanwhile: \(refusals.joined(separator: ", "))")
    }

    private func inflict(_ fault: ChaosFault, _ network: ChaosNetwork, _ load: ChaosLoad, at number: Int)
        async throws
    {
        let place = network.places[number]
        load.resume()
        try await Task.sleep(for: Self.duration)
        try await fault.begin(network, at: number)
        try await Task.sleep(for: Self.duration)
        if fault.refusesWrites { try await expectRefusal(at: place, fault) }
        try await fault.end(network, at: number)
        try await Task.sleep(for: Self.duration / 3)
        load.pause()
        do {
            try await network.waitForEqualDigests()
            for place in network.places {
                let missing = try await load.missing(at: place.client)
                #expect(missing.isEmpty, "after \(fault), at \(place.node.name): \(missing)")
                let verified = try await place.client.verify().document
                #expect(verified.problems.isEmpty, "after \(fault), at \(place.node.name): \(verified)")
            }
        } catch {
            let logs = network.places.map { "\($0.node.name):\n\($0.node.log.suffix(3000))" }
            Issue.record("after \(fault) at \(place.node.name): \(error)\n\(logs.joined(separator: "\n"))")
            throw error
        }
    }

    /// While nothing can be written, writing is refused with a code, reading goes on, and the status says so.
    private func expectRefusal(at place: ChaosNetwork.Place, _ fault: ChaosFault) async throws {
        try await eventually("\(place.node.name) refuses to write: \(fault)") {
            try await place.node.attempt(["meeting", "add", "title=Refused"]).status == 1
        }
        #expect(try await place.node.attempt(["meeting", "list"]).status == 0)
        let status = try await place.client.status().document
        #expect(status.attention.contains { $0.code.hasPrefix("E-50") }, "\(status.attention)")
    }
}
