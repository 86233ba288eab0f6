// A node of the simulation: a real replica in SQLite, with entropy and clock passed in, and what its people
// were told is safe. Killing it leaves the files as they are at that moment; the next life opens a copy of
// them.

import ConcordCrypto
import ConcordModel
import ConcordStore
import Foundation
import Synchronization

/// A node.
struct SimulatedNode: Sendable {
    /// A change that the store reported as durable to its author.
    struct Written: Sendable {
        let dot: Dot
        let hash: Digest
    }

    let number: Int
    let identity: SimulatedIdentity
    private let folder: URL
    private let seed: UInt64
    private var life = 0
    private(set) var store: ReplicaStore?
    /// Where the store reports what it committed.
    private var advances = AdvanceBox()
    /// Whether the node holds the space.
    var hasSpace = false
    var written: [Written] = []
    /// How far the node's wall clock is off.
    var clockOffset: Int64 = 0
    /// The node does nothing until then.
    var pausedUntil: Int64 = 0
    /// An earlier state of the database, for the canary.
    private var snapshot: (file: URL, written: Int)?

    init(_ number: Int, seed: UInt64, folder: URL) throws {
        self.number = number
        self.seed = seed
        self.folder = folder
        identity = try SimulatedIdentity(number)
    }

    var name: String { identity.city }
    private var path: URL { folder.appendingPathComponent("node\(number)-\(life).sqlite") }

    /// Opens the database, which is made if there is none.
    mutating func open() throws {
        let entropy = EntropySource(seed: seed, label: "entropy \(number) \(life)")
        let store = try ReplicaStore(
            path: path.path,
            options: ReplicaStore.Options(cacheBytes: 1 << 20, randomBytes: { entropy.bytes($0) }))
        let box = AdvanceBox()
        store.observeAdvance { space, position in box.add(space, position) }
        advances = box
        self.store = store
    }

    /// Kills the node: the next life has the files as they are now, or as they were at the canary's snapshot.
    mutating func crash(losingCommits: Bool) throws {
        guard let store else { return }
        let source = losingCommits ? snapshot?.file ?? path : path
        let old = path
        life += 1
        try Self.copy(source, to: path)
        self.store = nil
        try store.close()
        Self.remove(old)
    }

    /// Keeps the database as it is now, for the canary.
    mutating func keepSnapshot() throws {
        guard store != nil, snapshot == nil else { return }
        let copy = folder.appendingPathComponent("node\(number)-snapshot.sqlite")
        try Self.copy(path, to: copy)
        snapshot = (copy, written.count)
    }

    /// Whether going back to the snapshot would lose an acknowledged change.
    var canLoseCommits: Bool { snapshot.map { $0.written < written.count } ?? false }

    /// What was committed since the last call.
    func takeAdvances() -> [(SpaceID, Int64)] { advances.take() }

    /// The node's wall clock.
    func clock(_ now: Int64) -> Int64 { 1_500_000_000_000 + now + clockOffset }

    func close() throws { try store?.close() }

    private static let suffixes = ["", "-wal"]

    private static func copy(_ source: URL, to target: URL) throws {
        for suffix in suffixes where FileManager.default.fileExists(atPath: source.path + suffix) {
            try FileManager.default.copyItem(atPath: source.path + suffix, toPath: target.path + suffix)
        }
    }

    private static func remove(_ file: URL) {
        for suffix in suffixes + ["-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
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
