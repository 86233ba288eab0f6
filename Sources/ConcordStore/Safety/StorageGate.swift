// The gate before the writer: asks the disk, keeps the state of ``StorageHealth``, tells who wants to know, and lets
// those wait who have something to write that cannot be had again at once.

import ConcordModel
import GRDB
import Synchronization

/// Decides whether something may be written, and learns from how it went.
final class StorageGate: Sendable {
    private struct State {
        var health: StorageHealth
        var observer: (@Sendable (StorageHealth.Transition) -> Void)?
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        /// Whether the trouble is that the write-ahead log cannot be written back.
        var isLogStuck = false
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Int64
    private let freeBytes: @Sendable () -> Int64?
    private let logBytes: @Sendable () -> Int64

    init(_ options: ReplicaStore.Options, logBytes: @escaping @Sendable () -> Int64) {
        self.logBytes = logBytes
        state = Mutex(State(health: StorageHealth(reserve: options.reserveBytes)))
        clock = options.clock
        freeBytes = options.freeBytes
    }

    /// Why writes are refused; nil while they are taken.
    var trouble: StorageTrouble? { state.withLock { $0.health.trouble } }

    /// Sets who is told of each change of state. Called wherever that is found out; it must not block.
    func observe(_ observer: @escaping @Sendable (StorageHealth.Transition) -> Void) {
        state.withLock { $0.observer = observer }
    }

    /// Throws unless a write of this urgency may be tried now.
    func admit(_ urgency: WriteUrgency) throws {
        let free = freeBytes()
        change { $0.look(free: free, now: $1) }
        try state.withLock { try $0.health.admit(urgency) }
    }

    /// Runs a write and learns from it.
    func write<Answer>(_ urgency: WriteUrgency, _ body: () throws -> Answer) throws -> Answer {
        try admit(urgency)
        do {
            return try body()
        } catch {
            note(error)
            throw error
        }
    }

    /// Runs a write in one durable transaction and learns from it.
    func writing(_ urgency: WriteUrgency, _ db: Database, _ body: () throws -> Void) throws {
        try write(urgency) {
            try db.inTransaction(.immediate) {
                try body()
                return .commit
            }
        }
    }

    /// Learns from an error, of whatever origin.
    func note(_ error: any Error) {
        let error = ConcordError(store: error)
        guard StorageHealth.kind(of: error.code) != nil else { return }
        change { $0.failed(error, now: $1) }
    }

    /// Looks whether the write-ahead log is written back at all: SQLite itself says nothing where that fails, and goes on
    /// for as long as the log finds room.
    func lookAtLog(_ db: Database, longerThan limit: Int64 = StorageLimits.longLogBytes) {
        guard logBytes() > limit else { return }
        do {
            try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
        } catch {
            state.withLock { $0.isLogStuck = true }
            note(error)
        }
    }

    /// Whether a trial must write the log back, too.
    var isLogStuck: Bool { state.withLock { $0.isLogStuck } }

    /// Learns from an error of reading: only damage says anything about writing.
    func noteRead(_ error: any Error) {
        guard let error = error as? DatabaseError,
            [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
        else { return }
        note(error)
    }

    /// The trial write worked.
    func trialWorked() {
        let free = freeBytes()
        state.withLock { $0.isLogStuck = false }
        change { $0.trialWorked(free: free, now: $1) }
    }

    /// All pages were looked at, and are sound.
    func foundSound() { change { $0.foundSound(now: $1) } }

    /// How long to wait before the next trial, in milliseconds.
    func nextTrialDelay() -> Int64 { state.withLock { $0.health.nextTrialDelay() } }

    /// Returns as soon as writes are taken, or when the task is cancelled.
    func waitUntilWritable() async {
        let wait = state.withLock { state -> (id: Int, stream: AsyncStream<Void>)? in
            guard state.health.trouble != nil else { return nil }
            let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
            defer { state.next += 1 }
            state.waiting[state.next] = continuation
            return (state.next, stream)
        }
        guard let wait else { return }
        for await _ in wait.stream {}
        state.withLock { $0.waiting[wait.id] = nil }
    }

    private func change(_ body: (inout StorageHealth, Int64) -> StorageHealth.Transition?) {
        let now = clock()
        let (transition, observer, ready) = state.withLock { state in
            guard let transition = body(&state.health, now) else {
                return (nil as StorageHealth.Transition?, state.observer, [AsyncStream<Void>.Continuation]())
            }
            guard case .recovered = transition else { return (transition, state.observer, []) }
            defer { state.waiting = [:] }
            return (transition, state.observer, Array(state.waiting.values))
        }
        for continuation in ready { continuation.finish() }
        if let transition { observer?(transition) }
    }
}

extension ReplicaStore {
    /// Why writes are refused; nil while they are taken.
    public var storageTrouble: StorageTrouble? { writer.gate.trouble }

    /// Sets who is told when writes are refused from now on, or taken again. It must not block.
    public func observeStorage(_ observer: @escaping @Sendable (StorageHealth.Transition) -> Void) {
        writer.gate.observe(observer)
    }

    /// Returns as soon as writes are taken, or when the task is cancelled.
    public func waitUntilWritable() async { await writer.gate.waitUntilWritable() }

    /// How long to wait before the next ``tryWriting()``, in milliseconds.
    public func nextTrialDelay() -> Int64 { writer.gate.nextTrialDelay() }

    /// Finds out by a small durable write whether the trouble is over.
    ///
    /// - Returns: whether writes are taken now.
    @discardableResult
    public func tryWriting() async -> Bool {
        do {
            try await emptyLog()
            try await writer.runLocal(.trial) { db in
                try db.execute(
                    sql: """
                        INSERT INTO meta VALUES ('trial', 1)
                        ON CONFLICT (key) DO UPDATE SET value = value + 1
                        """)
            }
            writer.gate.trialWorked()
        } catch {
            writer.gate.note(error)
        }
        return storageTrouble == nil
    }

    /// What fills the disk may be a write-ahead log that can be emptied. Should it not be, the trial says so, unless that is
    /// the trouble itself.
    private func emptyLog() async throws {
        do {
            _ = try await writer.run { db, _ in try ErasureRemains.truncateLog(db) }
        } catch {
            guard !writer.gate.isLogStuck else { throw error }
        }
    }
}
