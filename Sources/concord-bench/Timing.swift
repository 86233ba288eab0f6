// How long things take, by a clock that never goes back.

/// How long things took, in milliseconds.
struct Timing: Encodable {
    let minimum: Double
    let median: Double

    /// Runs something several times; what `body` gives back last is given back.
    static func of<Result>(_ runs: Int, _ body: () throws -> Result) rethrows -> (
        timing: Timing, result: Result
    ) {
        var times: [Double] = []
        let clock = ContinuousClock()
        func run() throws -> Result {
            let start = clock.now
            let result = try body()
            let passed = (clock.now - start).components
            times.append(Double(passed.seconds) * 1e3 + Double(passed.attoseconds) / 1e15)
            return result
        }
        var result = try run()
        for _ in 1..<max(1, runs) { result = try run() }
        times.sort()
        return (Timing(minimum: times[0], median: times[times.count / 2]), result)
    }
}
