// Local writes of concurrent callers, grouped: while one transaction runs, the next ones gather, and then
// share one commit. Nobody waits for company, so a lone write is as fast as its commit. Long calls are split
// into transactions of a bounded size, between which others get their turn.

import ConcordCrypto
import ConcordModel
import GRDB
import Synchronization

/// One call of `write`, on its way through one or several transactions.
private struct WriteRequest: Sendable {
    let drafts: [Draft]
    let space: SpaceID
    let signer: any NodeSigner
    let author: String
    let now: Int64
    let answer: @Sendable ([Result<WrittenChange, ConcordError>]) -> Void
    var results: [Result<WrittenChange, ConcordError>] = []

    var isDone: Bool { results.count == drafts.count }

    /// Whether the whole call is about getting rid of something, for which the disk's reserve may be used.
    var frees: Bool {
        drafts.allSatisfy { draft in
            draft.allSatisfy { edit in
                switch edit {
                case .delete, .erase: true
                default: false
                }
            }
        }
    }

    /// Fails what is still to be written; what earlier transactions made durable stays.
    mutating func fail(_ error: ConcordError) {
        results += Array(repeating: .failure(error), count: drafts.count - results.count)
    }
}

/// The line of local writes.
final class WriteQueue: Sendable {
    /// Drafts in one transaction: about 40 ms of contacts with seven fields, measured 25,000 a second.
    static let draftsPerTransaction = 1000
    /// Operations in one transaction, for drafts that are large.
    static let operationsPerTransaction = 10_000

    private struct State {
        var waiting: [WriteRequest] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let writer: StoreWriter
    private let random: @Sendable (Int) throws -> [UInt8]

    init(writer: StoreWriter, random: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.writer = writer
        self.random = random
    }

    /// Writes drafts and gives one result for each.
    func write(
        _ drafts: [Draft], in space: SpaceID, by signer: any NodeSigner, author: String, now: Int64
    ) async -> [Result<WrittenChange, ConcordError>] {
        guard !drafts.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let request = WriteRequest(
                drafts: drafts, space: space, signer: signer, author: author, now: now,
                answer: { continuation.resume(returning: $0) })
            let mustStart = state.withLock { state in
                state.waiting.append(request)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if mustStart { schedule() }
        }
    }

    private func schedule() {
        writer.enqueue { db, memory in self.runOnce(db, memory) }
    }

    /// One transaction for what waits; on the writer's queue.
    private func runOnce(_ db: Database, _ memory: StoreMemory) {
        var requests = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        refuseUnlessFreeing(&requests)
        let before = requests.map(\.results)
        do {
            let urgency: WriteUrgency = requests.allSatisfy { $0.isDone || $0.frees } ? .reserve : .ordinary
            try writer.transaction(db, memory, urgency) { try self.fill(&requests, db, memory) }
        } catch {
            let failure = ConcordError(store: error)
            for index in requests.indices {
                requests[index].results = before[index]
                requests[index].fail(failure)
            }
        }
        for request in requests where request.isDone { request.answer(request.results) }
        let mustGoOn = state.withLock { state in
            state.waiting.insert(contentsOf: requests.filter { !$0.isDone }, at: 0)
            state.isRunning = !state.waiting.isEmpty
            return state.isRunning
        }
        if mustGoOn { schedule() }
    }

    /// Where only the reserve is left, what frees space must not wait for what does not.
    private func refuseUnlessFreeing(_ requests: inout [WriteRequest]) {
        do {
            try writer.gate.admit(.ordinary)
        } catch {
            for index in requests.indices where !requests[index].frees {
                requests[index].fail(ConcordError(store: error))
            }
        }
    }

    /// Writes as many drafts as one transaction takes; gives back the spaces that advanced.
    private func fill(
        _ requests: inout [WriteRequest], _ db: Database, _ memory: StoreMemory
    ) throws -> [SpaceMemory] {
        var group = WriteGroup(db: db, memory: memory, random: random)
        for index in requests.indices {
            let request = requests[index]
            guard !request.isDone else { continue }
            do {
                let writer = try group.writer(in: request.space, for: request.signer)
                while !requests[index].isDone, !group.isFull {
                    let draft = request.drafts[requests[index].results.count]
                    requests[index].results.append(try group.write(draft, of: request, with: writer))
                }
            } catch let refusal as DraftRefusal {
                requests[index].results += Array(
                    repeating: .failure(refusal.error), count: request.drafts.count - request.results.count)
            }
        }
        return try group.finish()
    }
}

/// What one transaction of local writes consists of.
private struct WriteGroup {
    let db: Database
    let memory: StoreMemory
    let random: @Sendable (Int) throws -> [UInt8]
    private var batches: [Batch] = []
    private var writers: [(space: SpaceID, writer: ChainWriter)] = []
    private var drafts = 0
    private var operations = 0

    init(db: Database, memory: StoreMemory, random: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.db = db
        self.memory = memory
        self.random = random
    }

    /// Whether what comes now must wait for the next transaction.
    var isFull: Bool {
        drafts >= WriteQueue.draftsPerTransaction || operations >= WriteQueue.operationsPerTransaction
    }

    /// The writer for a node's chain in a space. Where a space has several, a chain is signed before another
    /// goes on, so that runs lie together in the log.
    mutating func writer(in space: SpaceID, for signer: any NodeSigner) throws -> ChainWriter {
        let node = NodeID(certificate: signer.certificate)
        let others = writers.filter { $0.space == space && $0.writer.node != node }
        for (_, writer) in others { try writer.finish() }
        if let known = writers.first(where: { $0.space == space && $0.writer.node == node }) {
            if !others.isEmpty { known.writer.forgetFrontier() }
            return known.writer
        }
        let writer = ChainWriter(batch: try batch(of: space), signer: signer, random: random)
        writers.append((space, writer))
        return writer
    }

    mutating func write(
        _ draft: Draft, of request: WriteRequest, with writer: ChainWriter
    ) throws -> Result<WrittenChange, ConcordError> {
        drafts += 1
        operations += draft.reduce(0) { $0 + $1.weight }
        do {
            return .success(try writer.write(draft, author: request.author, now: request.now))
        } catch let refusal as DraftRefusal {
            return .failure(refusal.error)
        }
    }

    /// Signs and writes what is still in memory.
    func finish() throws -> [SpaceMemory] {
        for (_, writer) in writers { try writer.finish() }
        for batch in batches { try batch.flush() }
        return batches.filter { $0.appended > 0 }.map(\.space)
    }

    private mutating func batch(of space: SpaceID) throws -> Batch {
        if let known = batches.first(where: { $0.space.space == space }) { return known }
        let held: SpaceMemory
        do {
            held = try memory.space(space, db)
        } catch let error as ConcordError where error.code == .unknownSpace {
            throw DraftRefusal(error: error)
        }
        let batch = try Batch(db, memory, held)
        batches.append(batch)
        return batch
    }
}

extension RecordEdit {
    /// Bytes of a value that take about as long as an operation.
    private static let bytesOfAnOperation = 1 << 10

    /// About how many operations the edit becomes.
    fileprivate var weight: Int {
        switch self {
        case .create(_, _, let fields), .update(_, let fields, _):
            fields.reduce(1) { $0 + 1 + $1.byteCount / RecordEdit.bytesOfAnOperation }
        case .write(_, _, let text, _): 1 + text.byteCount / RecordEdit.bytesOfAnOperation
        default: 1
        }
    }
}

extension FieldEdit {
    /// The bytes of the value, if it is text.
    fileprivate var byteCount: Int {
        switch self {
        case .set(_, .text(let text)), .add(_, .text(let text)), .remove(_, .text(let text)): text.byteCount
        case .set, .add, .remove: 0
        }
    }
}
