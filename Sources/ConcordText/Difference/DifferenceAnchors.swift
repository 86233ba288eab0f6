// Where two sequences certainly belong together: what stands in each of them exactly once (Bram Cohen's
// patience difference). Of such pairs that cross each other – something was moved – the heaviest set that
// does not cross is taken, so that as much text as possible stays where it is. O(n log n).

/// Finds pairs of what is unique in two sequences of names.
struct DifferenceAnchors {
    /// Of each name: 0 not seen, its index + 1 if seen once, -1 if more often.
    private var inOld: [Int32]
    private var inNew: [Int32]

    /// For names under `names`.
    init(names: Int) {
        inOld = Array(repeating: 0, count: names)
        inNew = inOld
    }

    private struct Pair {
        let old: Int
        let new: Int
        let weight: Int
        /// The best chain that ends with this pair, and the pair before it.
        var total = 0
        var before = -1
    }

    /// Indices that belong together, ascending in both sequences. `weight` says how much an index of `old`
    /// counts.
    mutating func find(
        _ old: [Int32], _ oldRange: Range<Int>, _ new: [Int32], _ newRange: Range<Int>,
        weight: (Int) -> Int
    ) -> [(old: Int, new: Int)] {
        Self.see(old, oldRange, &inOld)
        Self.see(new, newRange, &inNew)
        var pairs: [Pair] = []
        for index in oldRange {
            let name = Int(old[index])
            if inOld[name] > 0, inNew[name] > 0 {
                pairs.append(Pair(old: index, new: Int(inNew[name]) - 1, weight: weight(index)))
            }
        }
        for index in oldRange { inOld[Int(old[index])] = 0 }
        for index in newRange { inNew[Int(new[index])] = 0 }
        return Self.heaviestChain(&pairs)
    }

    private static func see(_ names: [Int32], _ range: Range<Int>, _ seen: inout [Int32]) {
        for index in range {
            let name = Int(names[index])
            seen[name] = seen[name] == 0 ? Int32(index + 1) : -1
        }
    }

    /// Of pairs ascending by `old`, the chain ascending by `new` too that weighs most. A Fenwick tree over
    /// the places in `new` holds the best chain up to each.
    private static func heaviestChain(_ pairs: inout [Pair]) -> [(old: Int, new: Int)] {
        let places = pairs.map(\.new).sorted()
        var best = Array(repeating: -1, count: pairs.count + 1)
        for index in pairs.indices {
            var low = 0
            var high = places.count
            while low < high {
                let middle = (low + high) / 2
                if places[middle] < pairs[index].new { low = middle + 1 } else { high = middle }
            }
            var slot = low
            while slot > 0 {
                let candidate = best[slot]
                let reached = pairs[index].before < 0 ? 0 : pairs[pairs[index].before].total
                if candidate >= 0, pairs[candidate].total > reached { pairs[index].before = candidate }
                slot &= slot - 1
            }
            let reached = pairs[index].before < 0 ? 0 : pairs[pairs[index].before].total
            pairs[index].total = reached + pairs[index].weight
            slot = low + 1
            while slot < best.count {
                let candidate = best[slot]
                if candidate < 0 || pairs[candidate].total < pairs[index].total { best[slot] = index }
                slot += slot & -slot
            }
        }
        var chain: [(old: Int, new: Int)] = []
        var last = pairs.indices.max { (pairs[$0].total, $1) < (pairs[$1].total, $0) } ?? -1
        while last >= 0 {
            chain.append((pairs[last].old, pairs[last].new))
            last = pairs[last].before
        }
        return chain.reversed()
    }
}
