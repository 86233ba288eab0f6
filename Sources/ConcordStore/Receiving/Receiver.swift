// Takes in what peers send. One call at a time: verification sees everything that was applied before, so a
// change that two sessions deliver is applied once. What is verified goes to the writer as one transaction.

import ConcordModel
import GRDB
import Synchronization

/// Takes in runs.
final class Receiver: Sendable {
    private let writer: StoreWriter
    private let gate = AsyncGate()
    private let waiting = Mutex<[SpaceID: HeldBack]>([:])

    init(writer: StoreWriter) { self.writer = writer }

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

        var isOver: Bool { refusal != nil || forked != nil }
        var isEmpty: Bool { changes.isEmpty && branch == nil && restored.isEmpty }
    }

    /// Verifies and applies what can be applied; see ``ReplicaStore/receive(_:in:)``.
    func receive(_ runs: [ChangeRun], in space: SpaceID) async throws -> ReceiveOutcome {
        try await gate.pass {
            let before = waiting.withLock { $0[space] ?? HeldBack() }
            var verified: Verified
            repeat {
                verified = try await verify(runs, try writer.space(space), before)
            } while try await !apply(verified, to: space)
            waiting.withLock { [heldBack = verified.heldBack] in $0[space] = heldBack }
            return ReceiveOutcome(
                durable: verified.durable,
                applied: verified.changes.count + (verified.branch?.changes.count ?? 0),
                heldBack: verified.heldBack.changeCount, refusal: verified.refusal, forked: verified.forked,
                tookBranch: verified.branch != nil)
        }
    }

    private func verify(
        _ runs: [ChangeRun], _ space: PublishedSpace, _ heldBack: HeldBack
    ) async throws -> Verified {
        let result: Result<Verified, any Error> = await withCheckedContinuation { continuation in
            writer.pool.asyncRead { access in
                continuation.resume(
                    returning: Result {
                        try Self.verify(runs, RunVerifier(db: try access.get(), space: space), heldBack)
                    })
            }
        }
        return try mappingErrors { try result.get() }
    }

    /// Judges the delivered runs in order, and again and again the waiting ones that may have become ready.
    private static func verify(
        _ runs: [ChangeRun], _ verifier: RunVerifier, _ heldBack: HeldBack
    ) throws -> Verified {
        var verifier = verifier
        var verified = Verified(heldBack: heldBack)
        try judge(runs, &verifier, &verified)
        verified.restored = verifier.restored
        return verified
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
            case .lacks(let missing): verified.heldBack.keep(run, until: missing)
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
            guard Self.follows(verified, try memory.space(space, db)) else { return false }
            try writer.transaction(db, memory) { try Self.apply(verified, to: space, db, memory) }
            return true
        }
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
