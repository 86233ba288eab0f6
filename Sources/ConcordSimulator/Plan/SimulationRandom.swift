// The only source of chance in a simulation. Every part draws from its own generator, whose seed follows from
// the run's seed and a label: a draw more in one part does not shift what the others draw.

/// xoshiro256** 1.0 by Blackman and Vigna (https://prng.di.unimi.it), seeded by splitmix64.
public struct SimulationRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// A generator in this state, of which not all words may be 0.
    public init(state: (UInt64, UInt64, UInt64, UInt64)) {
        precondition((state.0 | state.1 | state.2 | state.3) != 0)
        self.state = state
    }

    /// A generator whose state follows from a seed.
    public init(seed: UInt64) {
        var words = SplitMix(state: seed)
        self.init(state: (words.next(), words.next(), words.next(), words.next()))
    }

    /// The generator of one part of a run.
    public init(seed: UInt64, label: String) { self.init(seed: Self.subSeed(seed, label)) }

    /// The seed of one part of a run.
    public static func subSeed(_ seed: UInt64, _ label: String) -> UInt64 {
        var words = SplitMix(state: seed)
        var mixed = words.next()
        for byte in label.utf8 {
            words = SplitMix(state: mixed ^ UInt64(byte))
            mixed = words.next()
        }
        return mixed
    }

    public mutating func next() -> UInt64 {
        let result = Self.rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotated(state.3, by: 45)
        return result
    }

    private static func rotated(_ word: UInt64, by count: UInt64) -> UInt64 {
        word << count | word >> (64 - count)
    }

    /// A whole number of the range.
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in a hundred for each percent.
    mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    /// One of several, which must not be empty.
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }

    /// A duration around `mean`, from nothing to four times as long, short ones more often.
    mutating func duration(mean: Int64) -> Int64 {
        let unit = Double(number(1...1_000_000)) / 1_000_000
        return min(4 * mean, max(1, Int64(Double(mean) * (1 - unit) * 2 * (0.5 + unit))))
    }

    /// Random bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// splitmix64 by Steele, Lea and Flood.
public struct SplitMix: Sendable {
    private var state: UInt64

    /// A generator in this state.
    public init(state: UInt64) { self.state = state }

    /// The next word.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
