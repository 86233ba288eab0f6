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
        var refusal: ConcordError?
        var heldBack = HeldBack()
    }

    /// Verifies and applies what can be applied; see ``ReplicaStore/receive(_:in:)``.
    func receive(_ runs: [ChangeRun], in space: SpaceID) async throws -> ReceiveOutcome {
        try await gate.pass {
            let snapshot = try writer.space(space)
            let before = waiting.withLock { $0[space] ?? HeldBack() }
            let verified = try await verify(runs, snapshot, before)
            let changes = verified.changes
            if !changes.isEmpty {
                try await writer.run { [writer] db, memory in
                    try writer.transaction(db, memory) { try Self.apply(changes, to: space, db, memory) }
                }
            }
            waiting.withLock { $0[space] = verified.heldBack }
            let after = try writer.space(space)
            let received = VersionVector(
                runs.compactMap { after.chain($0.replica)?.head }.filter { $0.sequence > 0 })
            return ReceiveOutcome(
                durable: received, applied: changes.count, heldBack: verified.heldBack.changeCount,
                refusal: verified.refusal)
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
        for run in runs {
            switch try verifier.judge(run) {
            case .verified(let changes): verified.changes += changes
            case .lacks(let missing): verified.heldBack.keep(run, until: missing)
            case .refused(let error): verified.refusal = error
            }
            if verified.refusal != nil { break }
        }
        while true {
            let ready = verified.heldBack.takeReady { verifier.isHeld($0) }
            guard !ready.isEmpty else { return verified }
            for run in ready {
                switch try verifier.judge(run) {
                case .verified(let changes): verified.changes += changes
                case .lacks(let missing): verified.heldBack.keep(run, until: missing)
                // Whoever delivered it is not who calls now: it is dropped.
                case .refused: break
                }
            }
        }
    }

    private static func apply(
        _ changes: [VerifiedChange], to space: SpaceID, _ db: Database, _ memory: StoreMemory
    ) throws -> [SpaceMemory] {
        let held = try memory.space(space, db)
        let batch = Batch(db, memory, held)
        for change in changes {
            try retireOwnChain(change.dot, batch)
            try batch.append(change)
        }
        try batch.flush()
        return [held]
    }

    /// Somebody knows more of this database's own chain than it does itself: it was set back to an earlier
    /// state. What others hold is taken in again, and the next write goes to a new chain.
    private static func retireOwnChain(_ dot: Dot, _ batch: Batch) throws {
        guard let place = batch.space.place(dot.replica), batch.space.chains[place].isOwn else { return }
        let chain = batch.space.chains[place]
        guard chain.sequence + 1 == dot.sequence else {
            throw ConcordError(
                .equivocation,
                "this replica and an earlier copy of it both wrote change number \(dot.sequence)")
        }
        batch.space.update(place) { $0.isOwn = false }
        try batch.db.execute(sql: "UPDATE chain SET own = 0 WHERE id = ?", arguments: [chain.id])
    }
}
