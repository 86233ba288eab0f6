// What is told of a file, and to whom it may be given.

import ConcordModel
import ConcordSync
import Synchronization

/// How a file stands on this node.
struct AttachmentState: Hashable, Sendable {
    /// Whether the whole file is here.
    let isHeld: Bool
    /// Bytes that are here.
    let receivedBytes: Int64
    /// Whether it is being fetched, or will be as soon as somebody has it.
    let isWanted: Bool
    /// From how many peers it is being fetched.
    let sources: Int
    /// Why it cannot be fetched at present.
    let obstacle: ConcordError?
}

/// Which files whoever may read a space may have, as far as it was asked since records changed.
final class AttachmentPermissions: Sendable {
    private struct Key: Hashable {
        let space: SpaceID
        let blob: BlobID
    }

    private struct State {
        var known: Set<Key> = []
        /// How often records have changed.
        var moment = 0
    }

    private let state = Mutex(State())

    var moment: Int { state.withLock { $0.moment } }

    func holds(_ place: BlobPlace) -> Bool {
        state.withLock { $0.known.contains(Key(space: place.space, blob: place.blob)) }
    }

    /// Remembers what was found, unless records have changed since.
    func add(_ place: BlobPlace, asOf moment: Int) {
        state.withLock { state in
            guard state.moment == moment else { return }
            if state.known.count >= SyncLimits.piecesAsked { state.known = [] }
            state.known.insert(Key(space: place.space, blob: place.blob))
        }
    }

    func forget() {
        state.withLock { state in
            state.known = []
            state.moment += 1
        }
    }
}
