// A node of the simulation: a real replica in SQLite on a disk of its own, with entropy and clock passed in, and what its
// people were told is safe. What its people were told must be there in every later life.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation
import Synchronization

/// A node.
struct SimulatedNode: Sendable {
    /// A change that the store reported as durable to its author.
    struct Written: Sendable {
        let dot: Dot
        let hash: Digest
    }

    /// How a node dies.
    enum Death: Sendable {
        /// The process is killed; the machine goes on.
        case kill
        /// The machine loses power.
        case power
        /// People put an earlier copy of the files in the place of the present ones.
        case restore
        /// The same, which nobody knows of: what a disk must never do. For canaries.
        case forget
    }

    let number: Int
    var identity: SimulatedIdentity
    /// The node of which this one is a copy that pretends to be it; nil for an honest one.
    let original: Int?
    let disk: SimulatedDisk
    private let seed: UInt64
    private var life = 0
    private(set) var store: ReplicaStore?
    /// Where the store reports what it committed.
    private var advances = AdvanceBox()
    /// Whether the node holds the space.
    var hasSpace = false
    var written: [Written] = []
    /// Until then its certificate has run out.
    var certificateEndedUntil: Int64 = 0
    /// Whether its member revoked it, and it has no other key yet.
    var isRevoked = false
    /// How many keys it had before this one.
    var keyCount = 0
    /// Whether it runs the next version.
    var isLater = false
    /// What decides from whom the node takes what.
    var intake = NodeIntake()
    /// When the intake wants to know the time next.
    var intakeTickAt = Int64.max
    /// How far the node's wall clock is off.
    var clockOffset: Int64 = 0
    /// The node does nothing until then.
    var pausedUntil: Int64 = 0
    /// Until when its disk is in trouble.
    var troubledUntil: Int64 = 0
    /// How long its disk takes for a thing at most.
    let diskLatency: Int
    /// An earlier state of the disk, and how much was written then.
    private var snapshot: (disk: SimulatedDisk, written: Int)?

    init(
        _ number: Int, of identity: SimulatedIdentity, copyOf original: Int? = nil, seed: UInt64,
        diskLatency: Int
    ) {
        self.number = number
        self.original = original
        self.seed = seed
        self.identity = identity
        self.diskLatency = diskLatency
        disk = SimulatedDisk(seed: SimulationRandom.subSeed(seed, "disk \(number)"))
    }

    var name: String { original == nil ? identity.city : "\(identity.city)*" }
    /// Whether its disk may fail at present, or has failed and it is not found out yet that it does so no more.
    var isTroubled: Bool { troubledUntil > 0 || disk.isDead || store?.storageTrouble != nil }
    /// Whether it will find out whether writing works again.
    var awaitsTrial = false

    /// Opens the database, which is made if there is none.
    mutating func open() throws {
        let entropy = EntropySource(seed: seed, label: "entropy \(number) \(life)")
        life += 1
        let options = ReplicaStore.Options(
            cacheBytes: 1 << 20, vfs: SimulatedDisk.vfs, randomBytes: { entropy.bytes($0) })
        let store = try ReplicaStore(path: disk.path, options: options)
        let box = AdvanceBox()
        store.observeAdvance { space, position in box.add(space, position) }
        advances = box
        self.store = store
    }

    /// The node dies.
    mutating func die(_ death: Death) {
        switch death {
        case .kill: disk.killProcess()
        case .power: disk.cutPower()
        case .restore, .forget:
            guard let snapshot else { break }
            disk.copy(snapshot.disk)
            if death == .restore { written.removeSubrange(snapshot.written...) }
        }
        intake = NodeIntake()
        intakeTickAt = .max
        awaitsTrial = false
        close()
    }

    /// Keeps a copy of the disk as it is now, the first time or anew.
    mutating func keepSnapshot(anew: Bool = false) {
        guard store != nil, hasSpace, snapshot == nil || anew else { return }
        let copy = SimulatedDisk(seed: 0)
        copy.copy(disk)
        snapshot = (copy, written.count)
    }

    /// Begins to be a copy of another node, as that one is now.
    mutating func become(_ other: SimulatedNode) throws {
        disk.copy(other.disk)
        try open()
        hasSpace = other.hasSpace
        clockOffset = other.clockOffset
        isLater = other.isLater
    }

    /// Whether there is a copy to go back to.
    var hasSnapshot: Bool { snapshot != nil }
    /// The acknowledged changes that going back to the snapshot would lose.
    var writtenSinceSnapshot: ArraySlice<Written> { snapshot.map { written[$0.written...] } ?? [] }
    /// Whether there are any.
    var canLoseCommits: Bool { !writtenSinceSnapshot.isEmpty }

    /// What was committed since the last call.
    func takeAdvances() -> [(SpaceID, Int64)] { advances.take() }

    /// The node's wall clock.
    func clock(_ now: Int64) -> Int64 { 1_500_000_000_000 + now + clockOffset }

    /// Closes the store. Files that were cut off from under it are no error.
    mutating func close() {
        try? store?.close()
        store = nil
    }
}

/// Random bytes that follow from a seed.
private final class EntropySource: Sendable {
    private let random: Mutex<SimulationRandom>

    init(seed: UInt64, label: String) { random = Mutex(SimulationRandom(seed: seed, label: label)) }

    func bytes(_ count: Int) -> [UInt8] { random.withLock { $0.bytes(count) } }
}

/// Commits that a store reported and the simulation has not dealt with.
private final class AdvanceBox: Sendable {
    private let pending = Mutex<[(SpaceID, Int64)]>([])

    func add(_ space: SpaceID, _ position: Int64) { pending.withLock { $0.append((space, position)) } }

    func take() -> [(SpaceID, Int64)] {
        pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
    }
}
