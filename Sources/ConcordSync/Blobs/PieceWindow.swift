// How much of files may be on its way from the peer. Bytes that wait anywhere on the road (in the peer's kernel, in a
// modem, in a proxy) are bytes that a change must wait behind, so the window follows the delay and not the loss: it
// grows while a piece takes hardly longer than it must, and shrinks as soon as pieces wait for each other by most of a
// second (the idea of LEDBAT, RFC 6817). On a link of 64 kbit/s that comes to two or three pieces of 4 KiB.
//
//     delay of a piece over the shortest      window
//     up to 250 ms                            + the piece, if the window was in use: doubles in each round trip
//     up to 750 ms                            as it is
//     more                                    cut so that 500 ms would be left, once in a round trip

import ConcordModel

/// A window in bytes.
struct PieceWindow: Sendable {
    /// Bytes that may be wanted and not yet stored.
    private(set) var bytes = SyncLimits.smallestPieceBytes
    private var shortest: Milliseconds?
    private var lastCutAt = Milliseconds.min
    /// How many pieces in a row came while the window was as small as it gets.
    private var smallCount = 0

    private static let growingDelay: Milliseconds = 250
    private static let cuttingDelay: Milliseconds = 750
    private static let aimedDelay: Milliseconds = 500
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
        let excess = delay - (shortest ?? delay)
        if excess <= Self.growingDelay {
            guard outstanding * 2 >= bytes else { return }
            bytes = min(bytes + byteCount, SyncLimits.pieceWindowBytes)
        } else if excess > Self.cuttingDelay, requestedAt > lastCutAt {
            lastCutAt = now
            let aim = Int64(bytes) * ((shortest ?? 0) + Self.aimedDelay) / delay
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
