// The shortest way from one sequence of names to another: Eugene W. Myers, "An O(ND) Difference Algorithm and
// Its Variations" (1986), in linear space, by the middle of the path, as GNU diff does it. It gives up where
// the sequences differ too much; the memory it needs is bounded by that, not by the sequences.

/// How much searching a difference may cost.
struct DifferenceBudget {
    /// Half the number of differences at which a pair of stretches counts as all different. 1,024 costs at
    /// most some two million steps.
    var differences = 1_024
    /// Steps of all searches together, each a comparison or so: 64 Mi take 0.2 s (release build).
    var steps = 1 << 26
    /// Steps that were taken.
    private(set) var taken = 0

    /// Whether no step is left.
    var isSpent: Bool { taken >= steps }

    /// Counts steps.
    @inline(__always)
    mutating func take(_ count: Int) { taken &+= count }
}

/// Searches the shortest path within a budget and marks what is the same on both sides.
struct DifferencePath {
    private let old: UnsafeBufferPointer<Int32>
    private let new: UnsafeBufferPointer<Int32>
    private let limit: Int
    /// Called with the indices of what is the same.
    private let keep: (Int, Int) -> Void
    /// The furthest index of `old` reached on each diagonal, forward and backward, from the diagonal of
    /// either end.
    private let forward: UnsafeMutablePointer<Int>
    private let backward: UnsafeMutablePointer<Int>

    /// Whether a path that is too long is divided where it got furthest, and so need not be the shortest.
    private let mayDivide: Bool

    /// Reports with `keep`, in no order, the pairs of a longest common subsequence. False, and nothing
    /// reported, if the sequences differ by more than the budget allows. With `mayDivide` that takes
    /// sequences that differ more than they agree. If the budget's steps end on the way, some pairs are
    /// missing.
    static func search(
        _ old: [Int32], _ new: [Int32], mayDivide: Bool, _ budget: inout DifferenceBudget,
        keep: (Int, Int) -> Void
    ) -> Bool {
        let limit = min(budget.differences, (old.count + new.count + 3) / 2)
        let width = 2 * limit + 5
        return withoutActuallyEscaping(keep) { keep in
            old.withUnsafeBufferPointer { old in
                new.withUnsafeBufferPointer { new in
                    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * width) { memory in
                        guard let base = memory.baseAddress else { return false }
                        let path = DifferencePath(
                            old: old, new: new, limit: limit, mayDivide: mayDivide, keep: keep,
                            forward: base + width / 2, backward: base + width + width / 2)
                        return path.compare(0..<old.count, 0..<new.count, &budget)
                    }
                }
            }
        }
    }

    private init(
        old: UnsafeBufferPointer<Int32>, new: UnsafeBufferPointer<Int32>, limit: Int,
        mayDivide: Bool, keep: @escaping (Int, Int) -> Void, forward: UnsafeMutablePointer<Int>,
        backward: UnsafeMutablePointer<Int>
    ) {
        self.old = old
        self.new = new
        self.limit = limit
        self.mayDivide = mayDivide
        self.keep = keep
        self.forward = forward
        self.backward = backward
    }

    /// Marks what both ranges begin and end with, and divides what is between at the middle of the path.
    private func compare(_ oldRange: Range<Int>, _ newRange: Range<Int>, _ budget: inout DifferenceBudget)
        -> Bool
    {
        var (a, aEnd, b, bEnd) = (
            oldRange.lowerBound, oldRange.upperBound, newRange.lowerBound, newRange.upperBound
        )
        var (headEnd, tailStart) = (a, aEnd)
        while a < aEnd, b < bEnd, old[a] == new[b] {
            a &+= 1
            b &+= 1
        }
        headEnd = a
        while a < aEnd, b < bEnd, old[aEnd &- 1] == new[bEnd &- 1] {
            aEnd &-= 1
            bEnd &-= 1
        }
        tailStart = aEnd
        budget.take(oldRange.count &- (tailStart &- headEnd) &+ 1)
        if a < aEnd, b < bEnd {
            guard let middle = middle(a, aEnd, b, bEnd, &budget) else { return false }
            _ = compare(a..<middle.old, b..<middle.new, &budget)
            _ = compare(middle.old..<aEnd, middle.new..<bEnd, &budget)
        }
        for index in oldRange.lowerBound..<headEnd { keep(index, index - a + b) }
        for index in tailStart..<oldRange.upperBound { keep(index, index - aEnd + bEnd) }
        return true
    }

    /// A point on a shortest path, about half-way, or nil if that costs too much.
    private func middle(
        _ a: Int, _ aEnd: Int, _ b: Int, _ bEnd: Int, _ budget: inout DifferenceBudget
    ) -> (old: Int, new: Int)? {
        var fronts = DifferenceFronts(
            old: old, new: new, a: a, aEnd: aEnd, b: b, bEnd: bEnd,
            forward: forward - (a - b), backward: backward - (aEnd - bEnd))
        for _ in 0..<limit {
            if budget.isSpent { return nil }
            if let point = fronts.stepForward(&budget) { return point }
            if let point = fronts.stepBackward(&budget) { return point }
        }
        return mayDivide ? fronts.furthest(differences: limit) : nil
    }
}

/// Two fronts that move towards each other: all points that so many differences lead to, from either end.
private struct DifferenceFronts {
    let old: UnsafeBufferPointer<Int32>
    let new: UnsafeBufferPointer<Int32>
    let a: Int
    let aEnd: Int
    let b: Int
    let bEnd: Int
    /// The index of `old` reached on each diagonal; a diagonal is an index of `old` less one of `new`.
    let forward: UnsafeMutablePointer<Int>
    let backward: UnsafeMutablePointer<Int>
    private let lowest: Int
    private let highest: Int
    private let isOdd: Bool
    private var forwardLow: Int
    private var forwardHigh: Int
    private var backwardLow: Int
    private var backwardHigh: Int

    init(
        old: UnsafeBufferPointer<Int32>, new: UnsafeBufferPointer<Int32>, a: Int, aEnd: Int, b: Int,
        bEnd: Int,
        forward: UnsafeMutablePointer<Int>, backward: UnsafeMutablePointer<Int>
    ) {
        (self.old, self.new, self.a, self.aEnd, self.b, self.bEnd) = (old, new, a, aEnd, b, bEnd)
        (self.forward, self.backward) = (forward, backward)
        (lowest, highest) = (a - bEnd, aEnd - b)
        let (first, last) = (a - b, aEnd - bEnd)
        isOdd = (first - last) & 1 != 0
        (forwardLow, forwardHigh, backwardLow, backwardHigh) = (first, first, last, last)
        forward[first] = a
        backward[last] = aEnd
    }

    /// One more difference from the start. The point where the fronts meet, if they do.
    mutating func stepForward(_ budget: inout DifferenceBudget) -> (old: Int, new: Int)? {
        if forwardLow > lowest {
            forwardLow &-= 1
            forward[forwardLow &- 1] = -1
        } else {
            forwardLow &+= 1
        }
        if forwardHigh < highest {
            forwardHigh &+= 1
            forward[forwardHigh &+ 1] = -1
        } else {
            forwardHigh &-= 1
        }
        var diagonal = forwardHigh
        while diagonal >= forwardLow {
            let (below, above) = (forward[diagonal &- 1], forward[diagonal &+ 1])
            let from = below < above ? above : below &+ 1
            var x = from
            while x < aEnd, x &- diagonal < bEnd, old[x] == new[x &- diagonal] { x &+= 1 }
            budget.take(x &- from &+ 1)
            forward[diagonal] = x
            if isOdd, backwardLow <= diagonal, diagonal <= backwardHigh, backward[diagonal] <= x {
                return (x, x &- diagonal)
            }
            diagonal &-= 2
        }
        return nil
    }

    /// One more difference from the end. The point where the fronts meet, if they do.
    mutating func stepBackward(_ budget: inout DifferenceBudget) -> (old: Int, new: Int)? {
        if backwardLow > lowest {
            backwardLow &-= 1
            backward[backwardLow &- 1] = Int.max
        } else {
            backwardLow &+= 1
        }
        if backwardHigh < highest {
            backwardHigh &+= 1
            backward[backwardHigh &+ 1] = Int.max
        } else {
            backwardHigh &-= 1
        }
        var diagonal = backwardHigh
        while diagonal >= backwardLow {
            let (below, above) = (backward[diagonal &- 1], backward[diagonal &+ 1])
            let from = below < above ? below : above &- 1
            var x = from
            while a < x, b < x &- diagonal, old[x &- 1] == new[x &- diagonal &- 1] { x &-= 1 }
            budget.take(from &- x &+ 1)
            backward[diagonal] = x
            if !isOdd, forwardLow <= diagonal, diagonal <= forwardHigh, x <= forward[diagonal] {
                return (x, x &- diagonal)
            }
            diagonal &-= 2
        }
        return nil
    }

    /// The point furthest from the start after so many differences, if the way there agrees in more places
    /// than it differs.
    func furthest(differences: Int) -> (old: Int, new: Int)? {
        let points = stride(from: forwardLow, through: forwardHigh, by: 2).map { diagonal in
            let x = min(forward[diagonal], aEnd, bEnd &+ diagonal)
            return (old: x, new: x &- diagonal)
        }
        guard let point = points.max(by: { $0.old &+ $0.new < $1.old &+ $1.new }) else { return nil }
        // A difference passes an index on one side, an agreement one on both.
        return point.old - a + point.new - b >= 3 * differences ? point : nil
    }
}
