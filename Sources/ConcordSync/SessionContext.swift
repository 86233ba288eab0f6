// What the parts of a session share while they handle one input.

import ConcordModel

/// The circumstances of one input.
struct SessionContext: Sendable {
    let now: Milliseconds
    let configuration: SessionConfiguration
    /// Whether both sides interpret the same kinds of records by the same rules.
    let sameVocabulary: Bool
}

/// The session's window while what waits is sent: what is on its way to the peer unacknowledged, all spaces together. One
/// frame may always travel, however small the window.
struct Window: Sendable {
    /// What must never be passed.
    let maximum: Int
    var flow: FlowWindow
    var inFlight: Int
    /// In how many frames.
    var framesInFlight: Int
    /// What has arrived, and is not acknowledged since it waits for what it depends on.
    let waiting: Int
    /// Whether frames are packed.
    let packs: Bool
    /// What waits to be sent, or may come from a read.
    var planned: Int

    /// Whether there is more to be put on the way. Two frames may travel, however large, so that the way is not idle while
    /// the first one is acknowledged.
    private var isOpen: Bool { inFlight < flow.bytes || framesInFlight < 2 }

    /// What may be on its way. Once something waits at the peer for what it depends on there must be room for that.
    private var limit: Int {
        waiting > 0 ? maximum : maximum - min(SyncLimits.largestFrameBytes, maximum / 4)
    }

    /// Whether a frame of this size may be sent.
    func admits(_ byteCount: Int) -> Bool {
        inFlight + waiting == 0 || inFlight + waiting + byteCount <= limit && isOpen
    }

    /// Whether `byteCount` may be read ahead: so little that what a connection is given at once, when it takes something
    /// again, is about one slice, however many spaces wait.
    ///
    /// - Parameter isMuch: whether so much waits in the log that it fills a frame. Otherwise it waits for more to come as long
    ///   as what is on its way keeps the link busy: many changes of one moment travel in one frame, under one signature.
    func admitsReading(_ byteCount: Int, isMuch: Bool) -> Bool {
        guard planned > 0 || inFlight + waiting > 0 else { return true }
        guard isMuch && isOpen || inFlight < flow.sparseBytes else { return false }
        return inFlight + waiting + planned + byteCount <= limit
            && (planned == 0 || planned + byteCount <= SyncLimits.largestFrameBytes)
    }

    /// A frame leaves.
    mutating func send(_ byteCount: Int, now: Milliseconds) -> FlowWindow.Departure {
        inFlight += byteCount
        framesInFlight += 1
        return flow.departure(inFlight: inFlight, byteCount: byteCount, now: now)
    }
}
