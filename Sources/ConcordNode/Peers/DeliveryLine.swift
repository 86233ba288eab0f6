// What a session has received, on its way into the store. Deliveries are verified one after another, and while one is
// written the next is verified; their outcomes come back in the order in which they were given. How much may be on its
// way is bounded by the session's window.
//
// While the disk takes no writes a delivery waits and the session goes on: this node's own changes must get away from a
// failing disk, and what the peer sends stops by itself when its window is full.

import ConcordModel
import ConcordStore
import ConcordSync
import Synchronization

/// The deliveries of one session.
final class DeliveryLine: Sendable {
    private struct Delivery: Sendable {
        let space: SpaceID
        let runs: [ChangeRun]
    }

    private struct Admitted: Sendable {
        let delivery: Delivery
        let number: Int
        let receipt: Result<ReplicaStore.PendingReceipt, any Error>
    }

    private let store: ReplicaStore
    private let deliveries: AsyncStream<Delivery>
    private let given: AsyncStream<Delivery>.Continuation
    /// How many deliveries were admitted.
    private let admitted = Mutex(0)

    init(store: ReplicaStore) {
        self.store = store
        (deliveries, given) = AsyncStream.makeStream()
    }

    /// Gives runs to the store, after those before them.
    func give(_ runs: [ChangeRun], in space: SpaceID) { given.yield(Delivery(space: space, runs: runs)) }

    /// Takes nothing more.
    func finish() { given.finish() }

    /// Works until ``finish()``, and tells what became of each delivery.
    func run(_ tell: @escaping @Sendable (SpaceID, Result<ReceiveOutcome, any Error>) async -> Void) async {
        let (line, admitted) = AsyncStream<Admitted>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await delivery in self.deliveries where !Task.isCancelled {
                    admitted.yield(await self.admit(delivery))
                }
                admitted.finish()
            }
            group.addTask {
                // What was admitted after a delivery that could not be written was judged without it.
                var redone = 0
                for await next in line {
                    var outcome = await Self.outcome(of: next)
                    var isRedone = next.number > redone
                    while !Task.isCancelled, self.mustRepeat(outcome) || !isRedone {
                        await self.store.waitUntilWritable()
                        if isRedone { redone = self.admitted.withLock { $0 } }
                        outcome = await self.receive(next.delivery)
                        isRedone = true
                    }
                    await tell(next.delivery.space, outcome)
                }
            }
        }
    }

    private func admit(_ delivery: Delivery) async -> Admitted {
        await store.waitUntilWritable()
        let number = admitted.withLock { count in
            count += 1
            return count
        }
        do {
            let receipt = try await store.admit(delivery.runs, in: delivery.space)
            return Admitted(delivery: delivery, number: number, receipt: .success(receipt))
        } catch {
            return Admitted(delivery: delivery, number: number, receipt: .failure(error))
        }
    }

    private func receive(_ delivery: Delivery) async -> Result<ReceiveOutcome, any Error> {
        do {
            return .success(try await store.receive(delivery.runs, in: delivery.space))
        } catch {
            return .failure(error)
        }
    }

    /// Whether a delivery failed for want of a disk that takes writes.
    private func mustRepeat(_ outcome: Result<ReceiveOutcome, any Error>) -> Bool {
        guard case .failure(let error as ConcordError) = outcome,
            let kind = StorageHealth.kind(of: error.code)
        else { return false }
        return kind != .damaged || store.storageTrouble != nil
    }

    private static func outcome(of admitted: Admitted) async -> Result<ReceiveOutcome, any Error> {
        do {
            return .success(try await admitted.receipt.get().outcome())
        } catch {
            return .failure(error)
        }
    }
}
