// What can be made of a node in the end: a backup that is restored, and a fresh node that takes in everything.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation

extension Simulation {
    /// A backup that is restored holds the same. It lies on a real disk, as backups do.
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
        try await ReplicaStore.restore(from: backup, to: restored)
        let copy = try ReplicaStore(path: restored)
        defer { try? copy.close() }
        guard try await copy.digest(space) == digest else {
            throw Violation(invariant: .copiesEqual, detail: "a restored backup has another digest")
        }
    }

    /// A fresh node that takes in all that one holds sees the same.
    func checkFreshNode(_ store: ReplicaStore, _ digest: Digest) async throws {
        // What no slice carries in one stream are the branches of a replica.
        guard !swarm.hasForks else { return }
        let disk = SimulatedDisk(seed: scenario.seed)
        let options = ReplicaStore.Options(cacheBytes: 1 << 20, vfs: SimulatedDisk.vfs)
        let fresh = try ReplicaStore(path: disk.path, options: options)
        defer { try? fresh.close() }
        _ = try await fresh.addSpace(charter)
        let runs = try store.runs(of: space, excluding: VersionVector())
        let outcome = try await fresh.receive(runs, in: space)
        guard outcome.refusal == nil, outcome.heldBack == 0, try await fresh.digest(space) == digest else {
            throw Violation(
                invariant: .copiesEqual,
                detail: "a fresh node that was given everything has another digest: \(outcome)")
        }
    }
}
