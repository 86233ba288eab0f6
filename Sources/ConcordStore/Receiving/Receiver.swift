// Takes in what peers send, in two stages that work side by side: deliveries are verified one after another, on a reader,
// and what is verified goes to the writer, each delivery as one transaction. While one is written the next is verified,
// with what was verified before it counted as held. Should that not come to be held after all, whatever was verified on
// top of it is verified anew.

import ConcordModel
import GRDB
import Synchronization

/// Takes in runs.
final class Receiver: Sendable {
    private let writer: StoreWriter
    private let gate = AsyncGate()
    private let spaces = Mutex<[SpaceID: Stage]>([:])

    init(writer: StoreWriter) { self.writer = writer }

    /// Where the deliveries of a space stand between verification and the writer.
    private struct Stage {
        var heldBack = HeldBack()
        /// What was verified and is on its way to the writer.
        var overlay = RunVerifier.Overlay()
        /// How many deliveries are on their way.
        var underWay = 0
        /// Raised when one of them was not applied: what was verified on top of it no longer counts.
        var generation = 0
    }

    /// What verification made of a delivery.
    private struct Verified: Sendable {
        var changes: [VerifiedChange] = []
        /// The beginning of a branch, after ``changes``; what follows it in the delivery is not looked at.
        var branch: VerifiedBranch?
        /// Forms of changes that are held, with values that were missing here without an order.
        var restored: [(dot: Dot, bytes: [UInt8])] = []
        /// The replica of ``branch``, or one of which the sender must hold another branch.
        var forked: ReplicaID?
        var refusal: ConcordError?
        /// What is held once the changes are applied, by the names that the sender has for chains.
        var durable = VersionVector()
        var heldBack = HeldBack()
        /// The first change that a run of the delivery lacks.
        var lacks: Dot?

        var isOver: Bool { refusal != nil || forked != nil }
        var isEmpty: Bool { changes.isEmpty && branch == nil && restored.isEmpty }
    }

    /// A delivery that is verified and on its way to the writer.
    struct Pending: Sendable {
        fileprivate let outcome: Task<ReceiveOutcome, any Error>

        /// What became of it, once it is durable.
        func value() async throws -> ReceiveOutcome { try await outcome.value }
    }

    /// Verifies and applies what can be applied; see ``ReplicaStore/receive(_:in:)``.
    func receive(_ runs: [ChangeRun], in space: SpaceID) async throws -> ReceiveOutcome {
        try await admit(runs, in: space).value()
    }

    /// Verifies a delivery, after those before it, and has the writer apply it.
    func admit(_ runs: [ChangeRun], in space: SpaceID) async throws -> Pending {
        try await gate.pass {
            let stage = spaces.withLock { $0[space] ?? Stage() }
            let (verified, overlay) = try await verify(runs, try writer.space(space), stage)
            guard Self.mayOverlap(verified, after: stage) else {
                // What is out of the ordinary is dealt with alone, on what is really held.
                return try await alone(runs, in: space)
            }
            spaces.withLock { all in
                all[space, default: Stage()].underWay += 1
                all[space]?.overlay = overlay
            }
            let applied = startApplying(verified, to: space, generation: stage.generation)
            return Pending(
                outcome: Task {
                    guard try await applied.value else {
                        return try await self.receiveAlone(runs, in: space)
                    }
                    return Self.outcome(of: verified)
                })
        }
    }

    /// Whether the next delivery may be verified while this one is written.
    private static func mayOverlap(_ verified: Verified, after stage: Stage) -> Bool {
        !verified.isOver && verified.restored.isEmpty && verified.heldBack.isEmpty && stage.heldBack.isEmpty
    }

    /// Hands what was verified to the writer at once, so that deliveries come there in the order of their verification.
    private func startApplying(
        _ verified: Verified, to space: SpaceID, generation: Int
    ) -> Task<Bool, any Error> {
        let (results, continuation) = AsyncThrowingStream<Bool, any Error>.makeStream()
        writer.enqueue { [writer] db, memory in
            do {
                let isCurrent = self.spaces.withLock { $0[space]?.generation == generation }
                let isApplied = try isCurrent && self.applyNow(verified, to: space, writer, db, memory)
                self.finished(space, isApplied: isApplied)
                continuation.yield(isApplied)
                continuation.finish()
            } catch {
                self.finished(space, isApplied: false)
                continuation.finish(throwing: ConcordError(store: error))
            }
        }
        return Task {
            for try await isApplied in results { return isApplied }
            return false
        }
    }

    private func finished(_ space: SpaceID, isApplied: Bool) {
        spaces.withLock { all in
            guard var stage = all[space] else { return }
            stage.underWay -= 1
            if !isApplied { stage.generation += 1 }
            if !isApplied || stage.underWay == 0 { stage.overlay = RunVerifier.Overlay() }
            all[space] = stage
        }
    }

    private func receiveAlone(_ runs: [ChangeRun], in space: SpaceID) async throws -> ReceiveOutcome {
        try await gate.pass { try await alone(runs, in: space).value() }
    }

    /// Verifies and applies a delivery by what is really held; within the gate, after everything before it was applied.
    private func alone(_ runs: [ChangeRun], in space: SpaceID) async throws -> Pending {
        // Whatever is still on its way to the writer comes there first.
        try await writer.run { _, _ in }
        var verified: Verified
        repeat {
            var stage = spaces.withLock { $0[space] ?? Stage() }
            stage.overlay = RunVerifier.Overlay()
            verified = try await verify(runs, try writer.space(space), stage).verified
        } while try await !apply(verified, to: space)
        spaces.withLock { [heldBack = verified.heldBack] in $0[space, default: Stage()].heldBack = heldBack }
        let outcome = Self.outcome(of: verified)
        return Pending(outcome: Task { outcome })
    }

    private static func outcome(of verified: Verified) -> ReceiveOutcome {
        ReceiveOutcome(
            durable: verified.durable,
            applied: verified.changes.count + (verified.branch?.changes.count ?? 0),
            heldBack: verified.heldBack.changeCount, refusal: verified.refusal, forked: verified.forked,
            tookBranch: verified.branch != nil, lacks: verified.lacks)
    }

    private func verify(
        _ runs: [ChangeRun], _ space: PublishedSpace, _ stage: Stage
    ) async throws -> (verified: Verified, overlay: RunVerifier.Overlay) {
        let result: Result<(Verified, RunVerifier.Overlay), any Error> =
            await withCheckedContinuation { continuation in
                writer.pool.asyncRead { access in
                    continuation.resume(
                        returning: Result {
                            let verifier = RunVerifier(
                                db: try access.get(), space: space, overlay: stage.overlay)
                            return try Self.verify(runs, verifier, stage.heldBack)
                        })
                }
            }
        if case .failure(let error) = result { writer.gate.noteRead(error) }
        return try mappingErrors { try result.get() }
    }

    /// Judges the delivered runs in order, and again and again the waiting ones that may have become ready.
    private static func verify(
        _ runs: [ChangeRun], _ verifier: RunVerifier, _ heldBack: HeldBack
    ) throws -> (Verified, RunVerifier.Overlay) {
        var verifier = verifier
        var verified = Verified(heldBack: heldBack)
        try judge(runs, &verifier, &verified)
        verified.restored = verifier.restored
        return (verified, verifier.overlay)
    }

    private static func judge(
        _ runs: [ChangeRun], _ verifier: inout RunVerifier, _ verified: inout Verified
    ) throws {
        for run in runs where !verified.isOver {
            switch try verifier.judge(run) {
            case .verified(let changes):
                verified.changes += changes
                verified.durable.raise(run.chain, to: run.lastSequence)
            case .branch(let branch): (verified.branch, verified.forked) = (branch, branch.replica)
            case .lacks(let missing):
                verified.heldBack.keep(run, until: missing)
                verified.lacks = verified.lacks ?? missing.dot
            case .disputed(let replica): verified.forked = replica
            case .refused(let error): verified.refusal = error
            }
        }
        while !verified.isOver {
            let ready = try verified.heldBack.takeReady { try verifier.isHeld($0) }
            guard !ready.isEmpty else { return }
            for waiting in ready {
                guard !verified.isOver else {
                    verified.heldBack.keep(waiting.run, until: waiting.missing)
                    continue
                }
                switch try verifier.judge(waiting.run) {
                case .verified(let changes): verified.changes += changes
                case .branch(let branch): (verified.branch, verified.forked) = (branch, branch.replica)
                case .lacks(let missing): verified.heldBack.keep(waiting.run, until: missing)
                // Whoever delivered it is not who calls now: it is dropped.
                case .disputed, .refused: break
                }
            }
        }
    }

    /// Applies what was verified in one transaction.
    ///
    /// - Returns: false, and nothing is done, if it does not follow what is held any more.
    private func apply(_ verified: Verified, to space: SpaceID) async throws -> Bool {
        guard !verified.isEmpty else { return true }
        return try await writer.run { [writer] db, memory in
            try self.applyNow(verified, to: space, writer, db, memory)
        }
    }

    /// The same, on the writer's queue.
    private func applyNow(
        _ verified: Verified, to space: SpaceID, _ writer: StoreWriter, _ db: Database, _ memory: StoreMemory
    ) throws -> Bool {
        guard !verified.isEmpty else { return true }
        guard Self.follows(verified, try memory.space(space, db)) else { return false }
        try writer.transaction(db, memory) { try Self.apply(verified, to: space, db, memory) }
        return true
    }

    /// Whether what was verified follows what is held now. This node's own writes may have come between, which matters
    /// where somebody else writes under the same replica: the one has the database of the other.
    private static func follows(_ verified: Verified, _ held: SpaceMemory) -> Bool {
        var ends: [ReplicaID: UInt64] = [:]
        for change in verified.changes {
            guard change.dot.sequence == 1 + (ends[change.chain] ?? held.chain(change.chain)?.sequence ?? 0)
            else {
                return false
            }
            ends[change.chain] = change.dot.sequence
        }
        return true
    }

    private static func apply(
        _ verified: Verified, to space: SpaceID, _ db: Database, _ memory: StoreMemory
    ) throws -> [SpaceMemory] {
        let held = try memory.space(space, db)
        let batch = try Batch(db, memory, held)
        for form in verified.restored { try batch.restore(form.dot, from: form.bytes) }
        for change in verified.changes {
            try batch.retire(change.dot.replica)
            try batch.append(change)
        }
        try batch.flush()
        guard let branch = verified.branch else { return [held] }
        try batch.retire(branch.replica)
        return [try BranchWriter(db: db, memory: memory, space: space).add(branch)]
    }
}

extension Batch {
    /// Somebody knows more, or something else, of this database's own replica than it does itself: it was set back to an
    /// earlier state, or copied. What others hold is taken in, and the next write goes to a new replica.
    func retire(_ replica: ReplicaID) throws {
        for segment in space.segments(replica) where segment.isOwn {
            guard let place = space.place(segment.name) else { continue }
            space.update(place) { $0.isOwn = false }
            try db.execute(sql: "UPDATE chain SET own = 0 WHERE id = ?", arguments: [segment.id])
        }
    }
}
