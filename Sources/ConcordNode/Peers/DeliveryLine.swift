// What a session has received, on its way into the store. Deliveries are verified one after another, and while one is
// written the next is verified; their outcomes come back in the order in which they were given. How much may be on its
// way is bounded by the session's window.

import ConcordModel
import ConcordStore
import ConcordSync

/// The deliveries of one session.
final class DeliveryLine: Sendable {
    private struct Delivery: Sendable {
        let space: SpaceID
        let runs: [ChangeRun]
    }

    private struct Admitted: Sendable {
        let space: SpaceID
        let receipt: Result<ReplicaStore.PendingReceipt, any Error>
    }

    private let store: ReplicaStore
    private let deliveries: AsyncStream<Delivery>
    private let given: AsyncStream<Delivery>.Continuation

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
                    admitted.yield(Admitted(space: delivery.space, receipt: await self.admit(delivery)))
                }
                admitted.finish()
            }
            group.addTask {
                for await next in line { await tell(next.space, await Self.outcome(of: next)) }
            }
        }
    }

    private func admit(_ delivery: Delivery) async -> Result<ReplicaStore.PendingReceipt, any Error> {
        do {
            return .success(try await store.admit(delivery.runs, in: delivery.space))
        } catch {
            return .failure(error)
        }
    }

    private static func outcome(of admitted: Admitted) async -> Result<ReceiveOutcome, any Error> {
        do {
            return .success(try await admitted.receipt.get().outcome())
        } catch {
            return .failure(error)
        }
    }
}
