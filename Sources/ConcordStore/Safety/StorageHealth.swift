// Whether the replica takes writes. A disk that is full, read-only or failing is found out by the first write that
// fails; from then on writes are refused at once, with the reason and without touching the disk, until a small durable
// write has worked again. A damaged database is written no more by this process. No clock and no disk are touched here:
// what happened and when is told, what to do is answered.
//
//     healthy ── a write fails for want of disk, or too little is free ──▶ refusing (full, low, read-only, failing)
//        ▲                                                                    │
//        └────────── a trial write works, and enough is free ────────────────┘
//     any ── the database is found damaged ──▶ refusing (damaged) ── all pages are found sound ──▶ healthy
//
// A disk that could not read a page for a moment makes a database look damaged: so damage is no verdict before all pages
// were looked at once more.

import ConcordModel

/// Why a replica takes no writes.
public struct StorageTrouble: Hashable, Sendable {
    /// What kind of trouble it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// So little is free that the rest is kept for what must be written.
        case low
        /// The disk is full.
        case full
        /// The database, or its disk, is read-only.
        case readOnly = "read-only"
        /// The disk reports errors.
        case failing
        /// The database is damaged.
        case damaged
    }

    /// What kind of trouble it is.
    public let kind: Kind
    /// The reason that writers are given, with the next step.
    public let error: ConcordError
    /// Since when, in milliseconds since 1970.
    public let since: Int64

    /// Whether it may pass by itself.
    public var mayPass: Bool { kind != .damaged }
}

/// How urgently something is to be written.
public enum WriteUrgency: Hashable, Sendable {
    /// New data: refused as soon as the reserve is reached.
    case ordinary
    /// What frees space or keeps the node's own books: it may use the reserve.
    case reserve
    /// The trial by which it is found out whether the trouble is over.
    case trial
}

/// The state of the replica's disk, as far as writing is concerned.
public struct StorageHealth: Hashable, Sendable {
    /// Something that the outside should be told of.
    public enum Transition: Hashable, Sendable {
        /// Writes are refused from now on.
        case refusing(StorageTrouble)
        /// Writes are taken again; what had been in the way.
        case recovered(StorageTrouble)
    }

    /// Why writes are refused; nil while they are taken.
    public private(set) var trouble: StorageTrouble?
    /// Bytes below which ordinary writes are refused; 0 if nothing is kept in reserve.
    private let reserve: Int64
    /// Trials since the trouble began, and when it was last over.
    private var trials = 0
    private var recoveredAt: Int64?

    /// A healthy disk.
    ///
    /// - Parameter reserve: Bytes that are to stay free.
    public init(reserve: Int64 = 0) { self.reserve = reserve }

    /// Bytes that must be free before writes are taken again: more than the reserve, so that the node does not change
    /// its mind with every change.
    public var resumeAt: Int64 { reserve + reserve / 2 }

    /// What was found when this much was free; nil if the system does not say.
    public mutating func look(free: Int64?, now: Int64) -> Transition? {
        guard reserve > 0, let free else { return nil }
        if trouble == nil, free < reserve {
            let error = ConcordError(
                .reserveReached,
                "only \(free >> 20) MiB are free on the disk, and \(reserve >> 20) MiB are kept in reserve")
            return begin(.low, error, now)
        }
        guard let trouble, trouble.kind == .low, free >= resumeAt else { return nil }
        return end(trouble, now)
    }

    /// Throws unless a write of this urgency may be tried.
    public func admit(_ urgency: WriteUrgency) throws {
        guard let trouble, urgency != .trial || !trouble.mayPass else { return }
        if trouble.kind == .low, urgency == .reserve { return }
        throw trouble.error
    }

    /// A write failed with this error; what is no matter of the disk changes nothing.
    public mutating func failed(_ error: ConcordError, now: Int64) -> Transition? {
        guard let kind = Self.kind(of: error.code) else { return nil }
        // Damage is the worst, and a disk that is really full is worse than one that nearly is.
        if let trouble, kind != .damaged || trouble.kind == .damaged, trouble.kind != .low { return nil }
        if let trouble, trouble.kind == .low, kind == .low { return nil }
        return begin(kind, error, trouble?.since ?? now)
    }

    /// The trial write worked.
    ///
    /// - Parameter free: Bytes that are free; nil if the system does not say.
    public mutating func trialWorked(free: Int64?, now: Int64) -> Transition? {
        guard let trouble, trouble.mayPass else { return nil }
        // A page may find its place on a disk that is full for everything larger.
        if [.low, .full].contains(trouble.kind), let free, free < resumeAt { return nil }
        return end(trouble, now)
    }

    /// All pages were looked at, and are sound.
    public mutating func foundSound(now: Int64) -> Transition? {
        guard let trouble, trouble.kind == .damaged else { return nil }
        return end(trouble, now)
    }

    /// How long to wait before the next trial, in milliseconds: twice as long each time, also where one trouble follows
    /// the other.
    public mutating func nextTrialDelay() -> Int64 {
        defer { trials += 1 }
        return min(StorageLimits.longestTrialDelay, StorageLimits.firstTrialDelay << min(trials, 8))
    }

    /// The kind of trouble that an error means; nil if it is none of the disk's.
    public static func kind(of code: ErrorCode) -> StorageTrouble.Kind? {
        switch code {
        case .reserveReached: .low
        case .diskFull: .full
        case .unwritableHome: .readOnly
        case .diskFailure: .failing
        case .corruptDatabase: .damaged
        default: nil
        }
    }

    private mutating func begin(_ kind: StorageTrouble.Kind, _ error: ConcordError, _ since: Int64)
        -> Transition
    {
        if let recoveredAt, since - recoveredAt > StorageLimits.steadyTime { trials = 0 }
        let trouble = StorageTrouble(kind: kind, error: error, since: since)
        self.trouble = trouble
        return .refusing(trouble)
    }

    private mutating func end(_ trouble: StorageTrouble, _ now: Int64) -> Transition {
        self.trouble = nil
        recoveredAt = now
        return .recovered(trouble)
    }
}
