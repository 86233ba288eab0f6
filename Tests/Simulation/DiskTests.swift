// The simulated disk by itself, under a real store: what was acknowledged is there after any loss of power, and a disk that
// is in trouble loses nothing either.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import Testing

@testable import ConcordSimulator

@Suite("The simulated disk")
struct DiskTests {
    private let identity: SimulatedIdentity
    private let charter: SignedCharter

    init() throws {
        identity = try SimulatedIdentity(0)
        let text = try Charter(
            name: "One", timestamp: 1, founders: [MemberStatement(authority: identity.authority)],
            admissionThreshold: 1, suspensionThreshold: 2)
        charter = try SignedCharter(charter: text, key: identity.authorityKey)
    }

    private func open(_ disk: SimulatedDisk) throws -> ReplicaStore {
        try ReplicaStore(path: disk.path, options: .init(cacheBytes: 1 << 20, vfs: SimulatedDisk.vfs))
    }

    private func write(_ name: String, _ store: ReplicaStore) async throws {
        _ = try await store.write(
            [.create(kind: "contact", fields: [.set("name", .text(UTF8Text(name)))])],
            in: charter.charter.space, by: identity.signer, author: "ana", now: 1)
    }

    private func names(_ store: ReplicaStore) throws -> Set<String> {
        Set(try store.records(RecordQuery(kind: "contact")).map(\.title))
    }

    @Test(
        "whatever write or sync the power fails in, what was acknowledged survives and the replica verifies")
    func powerFails() async throws {
        var (died, kept) = (0, 0)
        for operation in stride(from: 1, to: 150, by: 4) {
            let disk = SimulatedDisk(seed: UInt64(operation))
            var store = try open(disk)
            try await store.addSpace(charter)
            try await write("before", store)
            disk.failPower(after: operation)
            var acknowledged: Set = ["before"]
            for number in 1...12 where !disk.isDead {
                do {
                    try await write("contact \(number)", store)
                    acknowledged.insert("contact \(number)")
                } catch let error as ConcordError {
                    #expect(Simulation.isOfTrouble(error), "\(error)")
                }
            }
            if disk.isDead { died += 1 }
            disk.cutPower()
            try? store.close()
            store = try open(disk)
            let found = try names(store)
            #expect(found.isSuperset(of: acknowledged), "power failed in operation \(operation)")
            kept += found.count
            let report = try await store.verify()
            #expect(report.problems == [])
            try store.close()
        }
        #expect(died > 30 && kept > 60, "\(died) died, \(kept) kept")
    }

    @Test("a disk that fails now and then loses nothing that was acknowledged, and memory and disk agree")
    func trouble() async throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let store = try open(disk)
            try await store.addSpace(charter)
            var acknowledged: Set<String> = []
            var failures = 0
            for number in 1...40 {
                disk.set(
                    .init(
                        readErrors: 100, writeErrors: 500, syncErrors: 500, busyLocks: 500,
                        isFull: number % 4 == 0))
                if store.storageTrouble != nil { await store.tryWriting() }
                do {
                    try await write("contact \(number)", store)
                    acknowledged.insert("contact \(number)")
                } catch let error as ConcordError {
                    #expect(Simulation.isOfTrouble(error), "\(error)")
                    failures += 1
                }
            }
            disk.set(.none)
            await store.tryWriting()
            #expect(store.storageTrouble == nil)
            try await write("after", store)
            #expect(failures > 0 && !acknowledged.isEmpty)
            #expect(try names(store).isSuperset(of: acknowledged))
            let before = try await store.heldWithDigest(charter.charter.space)
            #expect(try await store.verify().problems == [])
            disk.cutPower()
            try? store.close()
            let again = try open(disk)
            #expect(try await again.heldWithDigest(charter.charter.space).digest == before.digest)
            #expect(try names(again).isSuperset(of: acknowledged.union(["after"])))
            try again.close()
        }
    }
}
