// A node of the simulation: a real replica in SQLite, with entropy and clock passed in, and what its people
// were told is safe. Killing it leaves the files as they are at that moment; the next life opens a copy of
// them.

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

    let number: Int
    let identity: SimulatedIdentity
    /// The node of which this one is a copy that pretends to be it; nil for an honest one.
    let original: Int?
    private let folder: URL
    private let seed: UInt64
    private var life = 0
    private(set) var store: ReplicaStore?
    /// Where the store reports what it committed.
    private var advances = AdvanceBox()
    /// Whether the node holds the space.
    var hasSpace = false
    var written: [Written] = []
    /// What decides from whom the node takes what.
    var intake = NodeIntake()
    /// When the intake wants to know the time next.
    var intakeTickAt = Int64.max
    /// How far the node's wall clock is off.
    var clockOffset: Int64 = 0
    /// The node does nothing until then.
    var pausedUntil: Int64 = 0
    /// An earlier state of the database, and how much was written then.
    private var snapshot: (file: URL, written: Int)?

    init(_ number: Int, copyOf original: Int? = nil, seed: UInt64, folder: URL) throws {
        self.number = number
        self.original = original
        self.seed = seed
        self.folder = folder
        identity = try SimulatedIdentity(original ?? number)
    }

    var name: String { original == nil ? identity.city : "\(identity.city)*" }
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

    /// Kills the node: the next life has the files as they are now, or as they were when they were copied.
    ///
    /// - Parameter restoring: whether what was written since is known to be lost here: people put back a copy of the
    ///   files.
    mutating func crash(losingCommits: Bool, restoring: Bool = false) throws {
        guard let store else { return }
        let source = losingCommits ? snapshot?.file ?? path : path
        if restoring, let snapshot { written.removeSubrange(snapshot.written...) }
        let old = path
        life += 1
        try Self.copy(source, to: path)
        self.store = nil
        intake = NodeIntake()
        try store.close()
        Self.remove(old)
    }

    /// Keeps a copy of the database as it is now, the first time or anew.
    mutating func keepSnapshot(anew: Bool = false) throws {
        guard store != nil, hasSpace, snapshot == nil || anew else { return }
        let copy = folder.appendingPathComponent("node\(number)-snapshot.sqlite")
        for suffix in Self.suffixes { try? FileManager.default.removeItem(atPath: copy.path + suffix) }
        try Self.copy(path, to: copy)
        snapshot = (copy, written.count)
    }

    /// Begins to be a copy of another node, as that one is now.
    mutating func become(_ other: SimulatedNode) throws {
        try Self.copy(other.path, to: path)
        try open()
        hasSpace = other.hasSpace
        clockOffset = other.clockOffset
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
