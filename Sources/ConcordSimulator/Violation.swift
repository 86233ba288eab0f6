// What a run can find, and what it counts.

/// An invariant that does not hold.
public struct Violation: Error, Hashable, Sendable {
    /// Which one.
    public let invariant: Invariant
    /// What was seen.
    public let detail: String

    /// The invariants that every run checks.
    public enum Invariant: String, Sendable {
        /// A change that was acknowledged to its author survives a crash.
        case writesSurvive = "a change that was acknowledged to its author survives a crash"
        /// A node acknowledges only what is durable there.
        case acknowledgedIsDurable = "a node acknowledges only what is durable there"
        /// What is queued and unacknowledged stays within its limits.
        case boundedQueues = "what is queued or unacknowledged stays within its limits"
        /// Honest nodes never find fault with each other.
        case noFaults = "honest nodes never find fault with each other"
        /// The store does what it is asked.
        case storeWorks = "the store does what it is asked"
        /// A write is refused only for a reason that people can cause.
        case onlyKnownRefusals = "a write is refused only for a reason that people can cause"
        /// Once healed, all nodes come to hold the same.
        case converges = "once healed, all nodes come to hold the same"
        /// Equal changes give equal digests.
        case equalDigests = "equal changes give equal digests"
        /// Equal changes give equal records.
        case equalRecords = "equal changes give equal records"
        /// Every acknowledged change is held everywhere.
        case nothingLost = "every acknowledged change is held everywhere, as it was written"
        /// No number of a chain stands for two changes, save where a replica was written in two places.
        case noDotTwice =
            "no number of a chain stands for two changes, save where a replica was written in two places"
        /// The log and the visible state of every node verify.
        case verifies = "the log and the visible state of every node verify"
    }
}

/// What happened in a run, in numbers.
public struct SimulationFigures: Hashable, Sendable {
    /// Seeds that were run.
    public var seeds = 0
    /// Changes that were acknowledged to their authors.
    public var changes = 0
    /// Writes that were refused.
    public var refusals = 0
    /// Fields in conflict at the end.
    public var conflicts = 0
    /// Records that are deleted at the end.
    public var deleted = 0
    /// Connections that were made.
    public var connections = 0
    /// Connections that were cut by a fault.
    public var disconnects = 0
    /// Nodes that were killed.
    public var crashes = 0
    /// Older copies of databases that people put back.
    public var restored = 0
    /// Hostile copies of nodes.
    public var copies = 0
    /// Branches of replicas that were found.
    public var forks = 0
    /// Changes behind forks that their honest authors brought back into effect.
    public var adopted = 0
    /// Alarms that were raised, all of them due.
    public var alarms = 0
    /// Suspensions and reinstatements that were drafted.
    public var procedures = 0
    /// Receipts that were kept.
    public var receipts = 0
    /// Frames that arrived.
    public var frames = 0
    /// Bytes that were sent.
    public var bytes = 0
    /// Simulated milliseconds.
    public var milliseconds: Int64 = 0

    /// Nothing yet.
    public init() {}

    mutating func add(_ other: SimulationFigures) {
        seeds += other.seeds
        changes += other.changes
        refusals += other.refusals
        conflicts += other.conflicts
        deleted += other.deleted
        connections += other.connections
        disconnects += other.disconnects
        crashes += other.crashes
        restored += other.restored
        copies += other.copies
        forks += other.forks
        adopted += other.adopted
        alarms += other.alarms
        procedures += other.procedures
        receipts += other.receipts
        frames += other.frames
        bytes += other.bytes
        milliseconds += other.milliseconds
    }

    /// In one line.
    public var summary: String {
        "seeds \(seeds), changes \(changes), refusals \(refusals), conflicts \(conflicts), deleted \(deleted), connections \(connections), disconnects "
            + "\(disconnects), crashes \(crashes), restored \(restored), copies \(copies), forks \(forks), adopted \(adopted), alarms \(alarms), "
            + "procedures \(procedures), receipts \(receipts), frames \(frames), bytes \(bytes), simulated seconds "
            + "\(milliseconds / 1000)"
    }
}
