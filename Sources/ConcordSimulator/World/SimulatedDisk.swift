// The disk of a simulated node: SQLite's files in memory, with what was written and not synced kept apart. All that can
// go wrong on it is drawn from its own seed.

import CSimulation
import Foundation

/// A disk with the files of one node.
final class SimulatedDisk: @unchecked Sendable {
    /// How a disk fails for a while.
    struct Trouble: Hashable, Sendable {
        /// Out of ten thousand operations of each kind.
        var readErrors = 0
        var writeErrors = 0
        var syncErrors = 0
        var busyLocks = 0
        /// Whether no file may become larger.
        var isFull = false

        /// Nothing fails.
        static let none = Trouble()
    }

    // The C side guards all state of a disk by a mutex.
    private let disk: OpaquePointer

    /// The name under which SQLite knows these disks.
    static let vfs: String = {
        let code = simulated_disk_register()
        precondition(code == 0, "SQLite takes no VFS: \(code)")
        return SIMULATED_DISK_VFS
    }()

    init(seed: UInt64) { disk = simulated_disk_create(seed) }

    deinit { simulated_disk_destroy(disk) }

    /// The path of the node's database.
    var path: String { "/\(simulated_disk_number(disk))/replica.db" }

    /// Whether the power failed in the middle of an operation.
    var isDead: Bool { simulated_disk_is_dead(disk) != 0 }

    /// What happened since the disk was made, in one line that is the same on every run.
    var counts: simulated_disk_counts { simulated_disk_get_counts(disk) }

    /// Has the disk fail like this from now on.
    func set(_ trouble: Trouble) {
        simulated_disk_set_faults(
            disk,
            simulated_disk_faults(
                read_errors: Int32(trouble.readErrors), write_errors: Int32(trouble.writeErrors),
                sync_errors: Int32(trouble.syncErrors), busy_locks: Int32(trouble.busyLocks),
                is_full: trouble.isFull ? 1 : 0))
    }

    /// Has the power fail in the middle of the write or sync of this number from now; 0 takes that back.
    func failPower(after operations: Int) { simulated_disk_fail_after(disk, Int64(operations)) }

    /// The process dies: the next one finds all that was written.
    func killProcess() { simulated_disk_kill(disk) }

    /// The power fails: the next process finds all that was synced, and parts of the rest.
    func cutPower() { simulated_disk_cut_power(disk) }

    /// Takes over all files of another disk as they are now.
    func copy(_ other: SimulatedDisk) { simulated_disk_copy(disk, other.disk) }
}

/// Runs `body` with what OpenSSL draws following from a seed, so that signatures and certificates repeat.
func withSeededSignatures<Answer>(_ seed: UInt64, _ body: () throws -> Answer) rethrows -> Answer {
    simulated_chance_begin(seed)
    defer { simulated_chance_end() }
    return try body()
}
