// What the parts of a session share while they handle one input.

import ConcordModel

/// The circumstances of one input.
struct SessionContext: Sendable {
    let now: Milliseconds
    let configuration: SessionConfiguration
    /// Whether both sides interpret the same kinds of records by the same rules.
    let sameVocabulary: Bool
}

/// The session's window: what may be on its way to the peer unacknowledged, all spaces together. One frame
/// may always travel, however small the window.
struct Window: Sendable {
    let limit: Int
    var inFlight: Int
    /// What waits to be sent, or may come from a read.
    var planned: Int

    /// How large the next frame may be.
    var roomToSend: Int { inFlight == 0 ? max(limit, SyncLimits.frameBytes) : limit - inFlight }
    /// How much may be read ahead: so little that what a connection is given at once, when it takes something
    /// again, is about one slice, however many spaces wait.
    var roomToRead: Int {
        guard planned > 0 else { return inFlight == 0 ? .max : limit - inFlight }
        return min(limit - inFlight, SyncLimits.largestFrameBytes) - planned
    }
}
