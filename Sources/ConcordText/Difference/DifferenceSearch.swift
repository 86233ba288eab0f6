// Which tokens of two texts are kept: first lines that are unique in both, then within the gaps between them
// the shortest path, and where that would cost too much, words that are unique in both sides of the gap and
// paths between these, perhaps not the shortest. What then still costs too much is replaced as a whole. The
// tokens kept are in the same order on both sides.

/// The search for what two texts have in common.
struct DifferenceSearch {
    let old: DifferenceTokens
    let new: DifferenceTokens
    /// Whether each token is kept: the tokens kept of `old` are, one by one, those kept of `new`.
    private(set) var isOldKept: [Bool]
    private(set) var isNewKept: [Bool]
    private(set) var budget: DifferenceBudget
    private let names: Int
    /// The gap in which a name was last seen, on either side.
    private var seenInOld: [Int32] = []
    private var seenInNew: [Int32] = []
    private var gaps: Int32 = 0
    private var unique: DifferenceAnchors?

    /// A search among tokens whose names are under `names`.
    init(_ old: DifferenceTokens, _ new: DifferenceTokens, names: Int, budget: DifferenceBudget) {
        self.old = old
        self.new = new
        self.names = names
        self.budget = budget
        isOldKept = Array(repeating: false, count: old.count)
        isNewKept = Array(repeating: false, count: new.count)
    }

    /// Does the search.
    mutating func run() {
        var (from, to) = ((old: 0, new: 0), (old: old.count, new: new.count))
        trim(&from, &to)
        guard from.old < to.old, from.new < to.new else { return }
        for line in uniqueLines() where line.old.lowerBound >= from.old && line.new.lowerBound >= from.new {
            guard line.old.upperBound <= to.old, line.new.upperBound <= to.new else { break }
            search(from.old..<line.old.lowerBound, from.new..<line.new.lowerBound, byWords: true)
            keep(line.old.lowerBound, line.new.lowerBound, count: line.old.count)
            from = (line.old.upperBound, line.new.upperBound)
        }
        search(from.old..<to.old, from.new..<to.new, byWords: true)
    }

    /// Lines that are unique in both texts and do not cross, in tokens.
    private func uniqueLines() -> [(old: Range<Int>, new: Range<Int>)] {
        let (oldLines, newLines) = (old.lines(), new.lines())
        var known = DifferenceNames()
        let oldNames = Self.names(oldLines, old, &known)
        let newNames = Self.names(newLines, new, &known)
        var anchors = DifferenceAnchors(names: known.count)
        let found = anchors.find(oldNames, 0..<oldNames.count, newNames, 0..<newNames.count) { line in
            Int(old.starts[Int(oldLines[line + 1])] - old.starts[Int(oldLines[line])])
        }
        return found.map { pair in
            (
                Int(oldLines[pair.old])..<Int(oldLines[pair.old + 1]),
                Int(newLines[pair.new])..<Int(newLines[pair.new + 1])
            )
        }
    }

    private static func names(
        _ lines: [Int32], _ tokens: DifferenceTokens, _ known: inout DifferenceNames
    ) -> [Int32] {
        var names: [Int32] = []
        names.reserveCapacity(lines.count)
        for (start, end) in zip(lines, lines.dropFirst()) {
            let bytes = tokens.bytes[tokens.range(Int(start)..<Int(end))]
            names.append(known.name(UnsafeBufferPointer(rebasing: bytes)))
        }
        return names
    }

    private mutating func keep(_ oldIndex: Int, _ newIndex: Int, count: Int) {
        for step in 0..<count {
            isOldKept[oldIndex + step] = true
            isNewKept[newIndex + step] = true
        }
    }

    /// Keeps what both ranges begin and end with, and makes them shorter.
    private mutating func trim(_ from: inout (old: Int, new: Int), _ to: inout (old: Int, new: Int)) {
        while from.old < to.old, from.new < to.new, old.names[from.old] == new.names[from.new] {
            keep(from.old, from.new, count: 1)
            from = (from.old + 1, from.new + 1)
        }
        while from.old < to.old, from.new < to.new, old.names[to.old - 1] == new.names[to.new - 1] {
            to = (to.old - 1, to.new - 1)
            keep(to.old, to.new, count: 1)
        }
    }

    /// Searches a gap, by its unique words too if the path through it is too long.
    private mutating func search(_ oldRange: Range<Int>, _ newRange: Range<Int>, byWords: Bool) {
        var from = (old: oldRange.lowerBound, new: newRange.lowerBound)
        var to = (old: oldRange.upperBound, new: newRange.upperBound)
        trim(&from, &to)
        guard from.old < to.old, from.new < to.new, !budget.isSpent else { return }
        if searchPath(from.old..<to.old, from.new..<to.new, mayDivide: !byWords) || !byWords { return }
        var anchors = unique ?? DifferenceAnchors(names: names)
        unique = nil
        let words = anchors.find(old.names, from.old..<to.old, new.names, from.new..<to.new) { [old] token in
            Int(old.starts[token + 1] - old.starts[token])
        }
        unique = anchors
        for word in words {
            // The path, or a trim, may have come here already.
            guard word.old >= from.old, word.new >= from.new else { continue }
            search(from.old..<word.old, from.new..<word.new, byWords: false)
            keep(word.old, word.new, count: 1)
            from = (word.old + 1, word.new + 1)
        }
        search(from.old..<to.old, from.new..<to.new, byWords: false)
    }

    /// Searches the shortest path through a gap. What occurs on one side alone is on no path and is left out
    /// beforehand: it would only add to the cost. False if the gap costs too much.
    private mutating func searchPath(
        _ oldRange: Range<Int>, _ newRange: Range<Int>, mayDivide: Bool
    ) -> Bool {
        if seenInOld.isEmpty {
            seenInOld = Array(repeating: 0, count: names)
            seenInNew = seenInOld
        }
        gaps += 1
        for index in oldRange { seenInOld[Int(old.names[index])] = gaps }
        for index in newRange { seenInNew[Int(new.names[index])] = gaps }
        let oldIndices = oldRange.filter { seenInNew[Int(old.names[$0])] == gaps }
        let newIndices = newRange.filter { seenInOld[Int(new.names[$0])] == gaps }
        budget.take(oldRange.count + newRange.count)
        if oldIndices.isEmpty { return true }
        var (oldKept, newKept) = (isOldKept, isNewKept)
        isOldKept = []
        isNewKept = []
        let isFound = DifferencePath.search(
            oldIndices.map { old.names[$0] }, newIndices.map { new.names[$0] }, mayDivide: mayDivide,
            &budget
        ) { oldIndex, newIndex in
            oldKept[oldIndices[oldIndex]] = true
            newKept[newIndices[newIndex]] = true
        }
        isOldKept = oldKept
        isNewKept = newKept
        return isFound
    }
}
