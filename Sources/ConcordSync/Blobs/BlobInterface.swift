// What a session is told about attachments, and what it asks for. The session moves bytes; which files are wanted, and
// from whom, is decided outside (ConcordNode/Blobs), where all sessions of the node are known.

import ConcordModel

/// Some bytes of a file that a session is to fetch from its peer.
public struct BlobOrder: Hashable, Sendable, Identifiable {
    /// Tells it from other orders.
    public let id: UInt64
    /// Where it begins, and in which space both sides may have it.
    public let place: BlobPlace
    /// How many bytes, at least 1; a manifest is ordered whole.
    public let byteCount: Int64

    /// An order for bytes of one chunk, or for a manifest.
    public init(id: UInt64, place: BlobPlace, byteCount: Int64) {
        self.id = id
        self.place = place
        self.byteCount = byteCount
    }
}

/// What happens to a session that concerns attachments.
public enum BlobInput: Hashable, Sendable {
    /// Fetch this, after what was ordered before.
    case fetch(BlobOrder)
    /// This order is not wanted any more. It is not answered.
    case cancel(BlobOrder.ID)
    /// What ``BlobEffect/store(_:_:_:)`` handed over is dealt with: so many bytes of this order.
    case stored(BlobOrder.ID, byteCount: Int)
    /// What ``BlobEffect/read(_:byteCount:)`` asked for, in the order of these effects; nil if it is not here or the
    /// peer may not have it.
    case read(BlobPlace, BlobBytes?)
    /// The file is held here from now on.
    case held(SpaceID, BlobID)
}

/// What a session asks for that concerns attachments.
public enum BlobEffect: Hashable, Sendable {
    /// Answer with ``BlobInput/read(_:_:)``.
    case read(BlobPlace, byteCount: Int)
    /// Store these bytes of an order, then answer with ``BlobInput/stored(_:byteCount:)``. They come in their order.
    case store(BlobOrder.ID, BlobPlace, BlobBytes)
    /// The peer can be asked for about so many bytes more, of a window of so many, besides what was ordered up to an
    /// order; 0 if there was none. Said once, until an order comes.
    case room(byteCount: Int, window: Int, after: BlobOrder.ID)
    /// The peer cannot give what was ordered; nothing more comes of it.
    case lacking(BlobOrder.ID)
    /// The peer holds this now, which it lacked when it was asked.
    case holding(SpaceID, BlobID)
}
