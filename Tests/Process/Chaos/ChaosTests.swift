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

    /// What happened and what was found.
    private final class Account {
        let start = ContinuousClock.now
        var faults: [ChaosFault: Int] = [:]
        var checks = 0
        var missing = 0
        var problems = 0

        func line(seed: UInt64, _ load: ChaosLoad) -> String {
            let table = ChaosFault.allCases.map { "\($0.rawValue) \(faults[$0] ?? 0)" }
            let refusals = load.refusals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            return "CHAOS seed \(seed): \(load.acknowledged) writes acknowledged in "
                + "\(ContinuousClock.now - start); \(missing) of them missing and \(problems) problems in "
                + "\(checks) examinations of a node; "
                + "faults: \(table.joined(separator: ", ")); refused meanwhile: "
                + refusals.joined(separator: ", ")
        }
    }

    @Test("nothing acknowledged is lost and all converge, whatever fails")
    func chaos() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["CONCORD_CHAOS_SECONDS"].flatMap { Double($0) } ?? 0
        let seed = environment["CONCORD_CHAOS_SEED"].flatMap { UInt64($0) } ?? 1
        var random = TestRandom(seed: seed)
        let network = try await ChaosNetwork()
        let load = ChaosLoad()
        let account = Account()
        defer { print(account.line(seed: seed, load)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in network.places {
                let (client, name) = (place.client, place.node.name)
                group.addTask { await load.write(at: client, as: name) }
            }
            defer { group.cancelAll() }
            var faults = ChaosFault.allCases.filter { $0.isPossible(in: network) }
            repeat {
                for fault in faults {
                    let number = Int.random(in: network.places.indices, using: &random)
                    try await inflict(fault, network, load, at: number, account)
                }
                faults.shuffle(using: &random)
            } while ContinuousClock.now < account.start + .seconds(seconds)
        }
    }

    private func inflict(
        _ fault: ChaosFault, _ network: ChaosNetwork, _ load: ChaosLoad, at number: Int, _ account: Account
    ) async throws {
        account.faults[fault, default: 0] += 1
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
                account.missing += missing.count
                account.checks += 1
                let verified = try await place.client.verify().document
                account.problems += verified.problems.count
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
