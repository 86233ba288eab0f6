// How long to wait before dialling again: exponentially longer with each failure, by a random part of it
// ("full jitter", Brooker, "Exponential Backoff and Jitter", 2015), so that nodes that lost the same peer do
// not all return at once.

/// The waiting times between attempts. Random numbers are passed in.
public struct Backoff: Hashable, Sendable {
    /// The longest possible first wait.
    public let base: Duration
    /// The longest possible wait at all.
    public let cap: Duration
    /// Failures since the last success.
    public private(set) var failures = 0

    /// Waits from `base` up to `cap`.
    public init(base: Duration = .milliseconds(500), cap: Duration = .seconds(60)) {
        precondition(base > .zero && cap >= base, "A back-off has 0 < base ≤ cap.")
        self.base = base
        self.cap = cap
    }

    /// Counts a failure. The next wait is `random` (0 to 1) times the bound, which doubles up to ``cap``.
    public mutating func next(random: Double) -> Duration {
        precondition((0...1).contains(random), "A random part lies between 0 and 1.")
        var bound = base
        var doublings = failures
        while doublings > 0, bound < cap {
            bound = min(bound * 2, cap)
            doublings -= 1
        }
        failures += 1
        return bound * random
    }

    /// Counts a success: the next wait is short again.
    public mutating func reset() { failures = 0 }
}
