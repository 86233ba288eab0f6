// The road to the one writer: GRDB's serial queue, the memory that lives on it, and what is published after
// each durable commit. Every change of the replica passes through ``transaction(_:_:_:)``.

import ConcordCrypto
import ConcordModel
import GRDB
import Synchronization

/// The writer of a replica.
final class StoreWriter: Sendable {
    let pool: DatabasePool
    /// Whether nothing may be written, not even what only saves work later.
    let isReadOnly: Bool
    /// Whether the disk lets anything be written.
    let gate: StorageGate
    private let memory = WriterConfined(StoreMemory())
    private let published = Mutex<[SpaceID: PublishedSpace]>([:])
    private let observer = Mutex<(@Sendable (SpaceID, Int64) -> Void)?>(nil)
    private let repairObserver = Mutex<(@Sendable (TextRepair) -> Void)?>(nil)
    private let attachmentObserver = Mutex<(@Sendable () -> Void)?>(nil)

    init(pool: DatabasePool, isReadOnly: Bool, gate: StorageGate) {
        self.pool = pool
        self.isReadOnly = isReadOnly
        self.gate = gate
    }

    /// Sets who is told of each commit that added changes.
    func observe(_ body: @escaping @Sendable (SpaceID, Int64) -> Void) {
        observer.withLock { $0 = body }
    }

    /// Sets who is told of each text that was made anew because it was damaged.
    func observeRepairs(_ body: @escaping @Sendable (TextRepair) -> Void) {
        repairObserver.withLock { $0 = body }
    }

    /// Sets who is told of each commit that touched records of attachments.
    func observeAttachments(_ body: @escaping @Sendable () -> Void) {
        attachmentObserver.withLock { $0 = body }
    }

    /// Runs `body` on the writer's queue, some time.
    func enqueue(_ body: @escaping @Sendable (Database, StoreMemory) -> Void) {
        pool.asyncWriteWithoutTransaction { db in body(db, self.memory.value(on: db)) }
    }

    /// The writer's memory, for whoever holds the writer's database.
    func memory(on db: Database) -> StoreMemory { memory.value(on: db) }

    /// Runs `body` on the writer's queue and waits for it, also when the task is cancelled: what was begun
    /// ends.
    func run<Answer: Sendable>(
        _ body: @escaping @Sendable (Database, StoreMemory) throws -> Answer
    ) async throws -> Answer {
        let result: Result<Answer, any Error> = await withCheckedContinuation { continuation in
            enqueue { db, memory in continuation.resume(returning: Result { try body(db, memory) }) }
        }
        if case .failure(let error) = result { gate.noteRead(error) }
        return try mappingErrors { try result.get() }
    }

    /// Runs `body` in one durable transaction; the spaces that it gives back have new changes and are
    /// published.
    ///
    /// When anything is thrown, nothing of it remains, neither in the database nor in memory.
    func transaction(
        _ db: Database, _ memory: StoreMemory, _ urgency: WriteUrgency = .ordinary,
        _ body: () throws -> [SpaceMemory]
    ) throws {
        var spaces: [SpaceMemory] = []
        do {
            try gate.writing(urgency, db) { spaces = try body() }
        } catch {
            memory.forget()
            throw error
        }
        for space in spaces { publish(space) }
        let repairs = memory.repairs
        memory.repairs = []
        if let tell = repairObserver.withLock({ $0 }) { repairs.forEach(tell) }
        if memory.touchedAttachments {
            memory.touchedAttachments = false
            attachmentObserver.withLock { $0 }?()
        }
        memory.commits += 1
        if memory.commits % StorageLimits.commitsPerLook == 0 { enqueue { db, _ in self.gate.lookAtLog(db) } }
        if memory.hasRemains {
            memory.hasRemains = false
            // Should readers be in the way, or this fail, the mark in the database stays for the next attempt.
            enqueue { db, _ in _ = try? ErasureRemains.sweep(db) }
        }
        guard !spaces.isEmpty, let tell = observer.withLock({ $0 }) else { return }
        for space in spaces { tell(space.space, space.position) }
    }

    /// A transaction on tables that no change depends on.
    func runLocal<Answer: Sendable>(
        _ urgency: WriteUrgency = .reserve, _ body: @escaping @Sendable (Database) throws -> Answer
    ) async throws -> Answer {
        try await run { [gate] db, _ in
            var answer: Answer?
            try gate.writing(urgency, db) { answer = try body(db) }
            guard let answer else { preconditionFailure("A transaction without error has an answer.") }
            return answer
        }
    }

    // MARK: What is published

    /// Makes the state of a space visible to everybody.
    func publish(_ space: SpaceMemory) {
        let snapshot = PublishedSpace(space)
        published.withLock { $0[snapshot.space] = snapshot }
    }

    /// Reads all spaces into memory and publishes them; on the writer's queue.
    func publishAll() throws {
        try pool.writeWithoutTransaction { db in
            for uid in try Row.fetchAll(db, sql: "SELECT uid FROM space ORDER BY id") {
                let space = SpaceID(try uid.digest(0))
                publish(try memory.value(on: db).space(space, db))
            }
        }
    }

    /// The space as of the last commit.
    ///
    /// - Throws: ``ConcordError`` E-4001 if it is not held.
    func space(_ id: SpaceID) throws -> PublishedSpace {
        guard let space = published.withLock({ $0[id] }) else {
            throw ConcordError(.unknownSpace, "no space \(id) is held here")
        }
        return space
    }

    /// All spaces as of the last commit, in the order in which they came.
    func spaces() -> [PublishedSpace] {
        published.withLock { Array($0.values) }.sorted { $0.id < $1.id }
    }
}
