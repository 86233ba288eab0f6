// A database that was set back, or copied, and went on writing has forked its own replica: peers hold both branches and
// let neither count. As soon as this node sees that, it takes all branches of its own into the past of a new replica, so
// that nothing that was written at this node is lost.

import ConcordModel
import ConcordStore
import Logging

/// Looks after branches of this node's own replicas.
struct OwnBranches: Sendable {
    let store: ReplicaStore
    let signer: any NodeSigner
    let clock: @Sendable () -> Int64
    let logger: Logger

    /// Brings back into effect what has none because this node forked it itself.
    func adopt(in space: SpaceID) async {
        guard store.storageTrouble == nil else { return }
        do {
            guard try store.hasOwnBranches(in: space, of: NodeID(certificate: signer.certificate)) else {
                return
            }
            let count = try await store.adoptOwnBranches(
                in: space, by: signer, author: "concordd", now: clock())
            guard count > 0 else { return }
            logger.notice(
                "this database had been set back or copied; what was written since counts again under a new replica",
                metadata: ["space": "\(space)", "changes": "\(count)"])
        } catch {
            let error = ConcordError(wrapping: error)
            logger.error(
                "own branches cannot be brought back",
                metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
        }
    }
}
