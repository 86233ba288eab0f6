// Times, in milliseconds, from a clock that never goes back.

/// Measures times.
enum Stopwatch {
    /// How long something takes.
    static func measure<Result>(_ body: () throws -> Result) rethrows -> (
        milliseconds: Double, result: Result
    ) {
        let start = ContinuousClock.now
        let result = try body()
        return (start.milliseconds, result)
    }

    /// How long something takes that waits for others.
    static func measureAsync<Result>(_ body: () async throws -> Result) async rethrows -> (
        milliseconds: Double, result: Result
    ) {
        let start = ContinuousClock.now
        let result = try await body()
        return (start.milliseconds, result)
    }
}

extension ContinuousClock.Instant {
    /// How long ago this was, in milliseconds.
    var milliseconds: Double { (ContinuousClock.now - self).milliseconds }
}

extension Duration {
    /// In milliseconds.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}

/// Many times of one thing, in milliseconds.
struct Distribution: Encodable {
    let count: Int
    let minimum: Double
    let median: Double
    let percentile95: Double
    let maximum: Double

    /// The distribution of some samples; all zero without any.
    init(_ samples: [Double]) {
        let sorted = samples.sorted()
        count = sorted.count
        minimum = sorted.first ?? 0
        median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        percentile95 = sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 95 / 100)]
        maximum = sorted.last ?? 0
    }
}
