// How much of files may be on its way from the peer. Bytes that wait anywhere on the road (in the peer's kernel, in a
// modem, in a proxy) are bytes that a change must wait behind, so the window follows the delay and not the loss: it
// grows while a piece takes hardly longer than it must, and shrinks as soon as pieces wait for each other by about half a
// second (the idea of LEDBAT, RFC 6817). On a link of 64 kbit/s that comes to three or four pieces of 2 KiB.
//
//     delay of a piece over the shortest      window
//     up to 200 ms                            + the piece, if the window was in use: doubles in each round trip
//     up to 450 ms                            as it is
//     more, and so the two before             cut so that 300 ms would be left, once in a round trip
//
// A queue delays every piece; a segment that is lost and sent again delays one, and those that came behind it less and
// less. So the least of three delays in a row is what tells of a queue.

import ConcordModel

/// A window in bytes.
struct PieceWindow: Sendable {
    /// Bytes that may be wanted and not yet stored.
    private(set) var bytes = SyncLimits.smallestPieceBytes
    private var shortest: Milliseconds?
    private var lastCutAt = Milliseconds.min
    /// The delays of the latest pieces, the last one first.
    private var recent: [Milliseconds] = []
    /// How many pieces in a row came while the window was as small as it gets.
    private var smallCount = 0

    private static let growingDelay: Milliseconds = 200
    private static let cuttingDelay: Milliseconds = 450
    private static let aimedDelay: Milliseconds = 300
    private static let recentCount = 3
    /// After so many single pieces the shortest delay is measured anew: the road may have changed.
    private static let patience = 16

    /// Bytes of a piece: several are on their way at once, as soon as the window lets them.
    var pieceBytes: Int {
        let quarter = bytes / 4 / SyncLimits.smallestPieceBytes * SyncLimits.smallestPieceBytes
        return min(max(quarter, SyncLimits.smallestPieceBytes), SyncLimits.largestPieceBytes)
    }

    /// Learns that a piece arrived.
    ///
    /// - Parameter outstanding: the bytes that were on their way when it was asked for, itself included.
    mutating func arrived(byteCount: Int, requestedAt: Milliseconds, outstanding: Int, now: Milliseconds) {
        let delay = max(0, now - requestedAt)
        measure(delay)
        recent = [delay] + recent.prefix(Self.recentCount - 1)
        let queueing = recent.count < Self.recentCount ? 0 : (recent.min() ?? 0) - (shortest ?? 0)
        if delay - (shortest ?? delay) <= Self.growingDelay {
            guard outstanding * 2 >= bytes else { return }
            bytes = min(bytes + byteCount, SyncLimits.pieceWindowBytes)
        } else if queueing > Self.cuttingDelay, requestedAt > lastCutAt {
            lastCutAt = now
            let aim = Int64(bytes) * ((shortest ?? 0) + Self.aimedDelay) / ((shortest ?? 0) + queueing)
            bytes = max(Int(aim), SyncLimits.smallestPieceBytes)
        }
    }

    private mutating func measure(_ delay: Milliseconds) {
        smallCount = bytes == SyncLimits.smallestPieceBytes ? smallCount + 1 : 0
        if smallCount > Self.patience {
            smallCount = 0
            shortest = delay
        }
        shortest = min(shortest ?? delay, delay)
    }
}
