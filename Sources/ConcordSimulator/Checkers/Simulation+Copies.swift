// What can be made of a node in the end: a backup that is restored, and a fresh node that takes in everything.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation

extension Simulation {
    /// A backup that is restored holds the same and verifies. It lies on a real disk, as backups do.
    func checkBackup(_ store: ReplicaStore, _ digest: Digest) async throws {
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory)
            ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        // The name is unique, so that runs of one seed do not meet; it has no influence on them.
        let folder = base.appendingPathComponent("concord-simulator-\(scenario.seed)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (backup, restored) = (folder.path + "/backup", folder.path + "/restored")
        _ = try await store.backup(to: backup, now: now)
        try verify(try await ReplicaStore.verifyBackup(backup), "a backup")
        try await ReplicaStore.restore(from: backup, to: restored)
        let copy = try ReplicaStore(path: restored)
        defer { try? copy.close() }
        guard try await copy.digest(space) == digest, try copy.held(space) == store.held(space) else {
            throw Violation(
                invariant: .copiesEqual, detail: "a restored backup holds or shows something else")
        }
        try verify(try await copy.verify(space: space), "a restored backup")
    }

    /// A fresh node that takes in a bundle of all that one holds sees the same, and verifies.
    func checkFreshNode(_ node: SimulatedNode, _ digest: Digest) async throws {
        guard let store = node.store else { return }
        let load = try CourierLoad(
            of: store, space: space, by: node.identity, for: node.identity.member,
            excluding: VersionVector(), volumes: 1 + Int(scenario.seed / 4 % 3), clock: node.clock(now))
        let disk = SimulatedDisk(seed: scenario.seed)
        let options = ReplicaStore.Options(cacheBytes: 1 << 20, vfs: SimulatedDisk.vfs)
        let fresh = try ReplicaStore(path: disk.path, options: options)
        defer { try? fresh.close() }
        _ = try await fresh.addSpace(charter)
        let held = try store.held(space).hash
        // Where there are branches, each that is taken in ends a delivery, and names of chains change with it.
        for round in 0...(swarm.hasForks ? Self.deliveriesOfBranches : 0) {
            guard try fresh.held(space).hash != held || round == 0 else { break }
            for bytes in load.volumes { try await deliver(try VolumeReader(bytes), to: fresh) }
        }
        guard try fresh.held(space).hash == held, try await fresh.digest(space) == digest else {
            throw Violation(
                invariant: .copiesEqual,
                detail: "a fresh node that was given everything holds \(try fresh.held(space).vector) where "
                    + "\(node.name) holds \(try store.held(space).vector)")
        }
        try verify(try await fresh.verify(space: space), "a fresh node")
    }

    /// How often a fresh node is given everything at most, where replicas have branches.
    private static let deliveriesOfBranches = 8

    private func deliver(_ volume: VolumeReader<[UInt8]>, to fresh: ReplicaStore) async throws {
        var frames = volume.frames
        while let content = try frames.next() {
            guard case .changes(let runs) = content else { continue }
            let outcome = try await fresh.receive(runs, in: space)
            guard swarm.hasForks || outcome.refusal == nil && outcome.heldBack == 0 else {
                throw Violation(
                    invariant: .copiesEqual,
                    detail: "a fresh node does not take what a node holds: \(outcome)")
            }
        }
    }

    private func verify(_ report: VerifyReport, _ what: String) throws {
        guard report.isClean else {
            throw Violation(invariant: .verifies, detail: "\(what): \(report.problems)")
        }
    }
}
