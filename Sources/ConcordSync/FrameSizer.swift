// How large the next frame of changes should be: about one second of the rate at which the peer acknowledges,
// so that a thin link is not blocked by one frame for minutes and a fast one is not kept busy with small
// ones.

import ConcordModel

/// Follows the rate of acknowledgement.
struct FrameSizer: Sendable {
    /// The size to aim at.
    private(set) var target = SyncLimits.firstFrameBytes
    private var lastAcknowledged = Milliseconds.min

    /// Learns that a frame of `byteCount` bytes, sent at `sentAt`, is acknowledged.
    mutating func acknowledged(byteCount: Int, sentAt: Milliseconds, now: Milliseconds) {
        let started = max(sentAt, lastAcknowledged)
        lastAcknowledged = now
        // A frame much smaller than the target says nothing of the rate: there was no more to send.
        guard byteCount * 2 >= target else { return }
        let elapsed = max(1, now - started)
        let perSecond = byteCount * 1000 / Int(elapsed)
        target = min(
            max(min(perSecond, target * 2), SyncLimits.smallestFrameBytes), SyncLimits.largestFrameBytes)
    }
}
