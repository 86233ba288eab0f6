// How much may be on its way to the peer. What is acknowledged, and how soon, tells what the way carries. As much as it
// carries in a round trip, in another one that a lost segment takes to be sent again, and in one second, keeps it busy;
// anything beyond would only wait somewhere on the way, in front of whatever is to be said next: an acknowledgement, a
// change of the next minute. So a thin link is never filled for minutes, and a fast one never waits. The measurement of the rate is that of BBR (Cardwell et al., "BBR:
// Congestion-Based Congestion Control", ACM Queue 14, 2016): bytes acknowledged between the departure and the
// acknowledgement of one frame, the highest of the last while.

import ConcordModel

/// Follows the rate and the round trip of the way to the peer, all spaces together.
struct FlowWindow: Sendable {
    /// How the way stood when a frame was sent.
    struct Departure: Sendable {
        let at: Milliseconds
        fileprivate let acknowledgedBytes: Int
        fileprivate let acknowledgedAt: Milliseconds
        /// Whether so much was on its way that its acknowledgement tells what the way carries, not what there was to send.
        fileprivate let isLoaded: Bool
    }

    /// What the session or the protocol allows at most.
    private let maximum: Int
    /// What may be on its way; one frame more may be, so that it never stands still for one that does not fit.
    private(set) var bytes: Int
    private var acknowledgedBytes = 0
    private var acknowledgedAt: Milliseconds = 0
    private var shortestRoundTrip: Milliseconds?
    /// The highest rates of this period and of the one before, bytes in a second.
    private var rates = (now: 0, before: 0)
    private var periodSince: Milliseconds = 0

    /// How long a highest rate counts at least.
    private static let period: Milliseconds = 10_000
    /// How much longer than two round trips what is on its way may take.
    private static let slack: Milliseconds = 1000
    /// From here on a way is long.
    private static let longRoundTrip: Milliseconds = 20
    /// As long as no round trip is known.
    private static let assumedRoundTrip: Milliseconds = 500

    init(maximum: Int) {
        self.maximum = maximum
        bytes = min(maximum, SyncLimits.firstWindowBytes)
    }

    /// The size of frames to aim at: several fit into the window, so that one is read, one travels, and one is applied at
    /// the same time.
    var frameBytes: Int {
        min(max(bytes / 4, SyncLimits.smallestFrameBytes), SyncLimits.largestFrameBytes)
    }

    /// Whether the way is so long that fewer bytes are worth the work of packing: beyond a building or a city.
    var isLong: Bool { shortestRoundTrip ?? 0 >= Self.longRoundTrip }

    /// What is on its way without any of it waiting, about half of what the way holds: below that a small frame goes out at
    /// once, above it is better to wait until there is more to send.
    var sparseBytes: Int {
        let held = bytesPerSecond * Int(shortestRoundTrip ?? 0) / 1000
        return max(held / 2, SyncLimits.smallestFrameBytes)
    }

    /// What the way carries in a second, about; as long as nothing is known of it, a guess between slow and fast.
    var bytesPerSecond: Int {
        let rate = max(rates.now, rates.before)
        return rate > 0 ? rate : SyncLimits.firstWindowBytes
    }

    /// A frame leaves; `inFlight` is what is on its way with it.
    mutating func departure(inFlight: Int, byteCount: Int, now: Milliseconds) -> Departure {
        // After a pause the time counts from here.
        if inFlight == byteCount { acknowledgedAt = now }
        return Departure(
            at: now, acknowledgedBytes: acknowledgedBytes, acknowledgedAt: acknowledgedAt,
            isLoaded: 2 * inFlight >= bytes)
    }

    /// A frame is acknowledged.
    mutating func acknowledged(_ departure: Departure, byteCount: Int, now: Milliseconds) {
        acknowledgedBytes += byteCount
        acknowledgedAt = now
        roundTrip(now - departure.at)
        let elapsed = max(1, now - departure.acknowledgedAt)
        let rate = (acknowledgedBytes - departure.acknowledgedBytes) * 1000 / Int(elapsed)
        guard departure.isLoaded || rate > bytesPerSecond else { return }
        if now >= periodSince + Self.period { (rates, periodSince) = ((0, rates.now), now) }
        rates.now = max(rates.now, rate)
        let trip = shortestRoundTrip ?? Self.assumedRoundTrip
        let wanted = bytesPerSecond * Int(2 * trip + Self.slack) / 1000
        // One frame may be acknowledged sooner than the next ones: the window grows step by step.
        bytes = min(max(min(wanted, 2 * bytes), SyncLimits.smallestWindowBytes), maximum)
    }

    /// A message and its answer took this long.
    mutating func roundTrip(_ duration: Milliseconds) {
        shortestRoundTrip = min(shortestRoundTrip ?? .max, max(0, duration))
    }
}
