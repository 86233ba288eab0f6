// From the tokens kept to replacements that read well, and merge well with what others write meanwhile:
// - an insertion or deletion that could as well stand elsewhere moves to the start of a paragraph, line, word;
// - a word that only grew or shrank at one end keeps its letters, any other changed word is replaced whole;
// - what is kept between two replacements but shorter than they are goes with them: a lone space between two
//   new words would only let two people's sentences be shuffled into each other.
//
// What always holds: hunks ascend, on both sides, and what lies between them is equal.

/// A stretch of the old text that is replaced by one of the new text, in bytes; one of them may be empty.
struct DifferenceHunk: Equatable {
    var old: Range<Int>
    var new: Range<Int>
    /// Whether it lies within a word of which the rest is kept.
    var isPartial = false
}

/// A hunk in tokens.
private struct TokenHunk {
    var old: Range<Int>
    var new: Range<Int>
}

/// Makes hunks of a finished search.
struct DifferenceHunks {
    private let old: DifferenceTokens
    private let new: DifferenceTokens

    /// The hunks of what the search found.
    static func of(_ search: DifferenceSearch) -> [DifferenceHunk] {
        let hunks = DifferenceHunks(old: search.old, new: search.new)
        return hunks.joined(hunks.shifted(hunks.collected(search)))
    }

    /// What is not kept, side by side.
    private func collected(_ search: DifferenceSearch) -> [TokenHunk] {
        var hunks: [TokenHunk] = []
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < old.count || newIndex < new.count {
            let start = (oldIndex, newIndex)
            while oldIndex < old.count, !search.isOldKept[oldIndex] { oldIndex += 1 }
            while newIndex < new.count, !search.isNewKept[newIndex] { newIndex += 1 }
            if start != (oldIndex, newIndex) {
                hunks.append(TokenHunk(old: start.0..<oldIndex, new: start.1..<newIndex))
            }
            while oldIndex < old.count, newIndex < new.count,
                search.isOldKept[oldIndex], search.isNewKept[newIndex]
            {
                oldIndex += 1
                newIndex += 1
            }
        }
        return hunks
    }

    // MARK: Shifting

    /// Moves pure insertions and deletions to where they read best. Between two hunks a token stays.
    private func shifted(_ hunks: [TokenHunk]) -> [TokenHunk] {
        var result = hunks
        for index in result.indices {
            let hunk = result[index]
            guard hunk.old.isEmpty || hunk.new.isEmpty else { continue }
            let tokens = hunk.old.isEmpty ? new : old
            let range = hunk.old.isEmpty ? hunk.new : hunk.old
            let before =
                index == 0 ? hunk.old.lowerBound : hunk.old.lowerBound - result[index - 1].old.upperBound - 1
            let after =
                index + 1 == result.count
                ? old.count - hunk.old.upperBound : result[index + 1].old.lowerBound - hunk.old.upperBound - 1
            let distance = Self.bestShift(tokens, range, back: before, ahead: after)
            result[index].old = hunk.old.lowerBound + distance..<hunk.old.upperBound + distance
            result[index].new = hunk.new.lowerBound + distance..<hunk.new.upperBound + distance
        }
        return result
    }

    /// By how many tokens to move `range`, at most `back` to the left or `ahead` to the right, with the same
    /// text as the result. Of equally good places the last.
    private static func bestShift(
        _ tokens: DifferenceTokens, _ range: Range<Int>, back: Int, ahead: Int
    ) -> Int {
        let names = tokens.names
        let (start, end) = (range.lowerBound, range.upperBound)
        var low = 0
        while -low < back, names[start + low - 1] == names[end + low - 1] { low -= 1 }
        var high = 0
        while high < ahead, names[start + high] == names[end + high] { high += 1 }
        var best = (score: -1, distance: 0)
        for distance in low...high {
            let score = score(tokens, start + distance) + score(tokens, end + distance)
            if score >= best.score { best = (score, distance) }
        }
        return best.distance
    }

    /// How well a text divides before a token: at a paragraph 5, a line 4, a word 2, behind a word 1.
    private static func score(_ tokens: DifferenceTokens, _ index: Int) -> Int {
        guard index > 0 else { return 5 }
        let before = tokens.kinds[index - 1]
        if before == .newline { return index == 1 || tokens.kinds[index - 2] == .newline ? 5 : 4 }
        guard index < tokens.count else { return 3 }
        switch tokens.kinds[index] {
        case .newline: return 3
        case .space: return 1
        case .word, .other: return before == .space ? 2 : 0
        }
    }

    // MARK: Joining

    /// A hunk in bytes with the scalars it takes and brings, and what is kept before it.
    private struct Joint {
        var hunk: DifferenceHunk
        var deleted: Int
        var inserted: Int
        let kept: Kept

        var isReplacement: Bool { deleted > 0 && inserted > 0 }
    }

    /// What is kept between two hunks.
    private struct Kept {
        var scalars = 0
        var hasWord = false
        var hasNewline = false
        /// Divides paragraphs.
        var hasBlankLine = false
    }

    /// Turns hunks into bytes and joins those between which too little is kept.
    private func joined(_ hunks: [TokenHunk]) -> [DifferenceHunk] {
        var joints: [Joint] = []
        var end = 0
        for hunk in hunks {
            let bytes = reduced(hunk)
            var next = Joint(
                hunk: bytes, deleted: scalars(old.bytes, bytes.old), inserted: scalars(new.bytes, bytes.new),
                kept: kept(end..<hunk.old.lowerBound))
            end = hunk.old.upperBound
            while let last = joints.last, Self.belongTogether(last, next) {
                joints.removeLast()
                next = Joint(
                    hunk: DifferenceHunk(
                        old: last.hunk.old.lowerBound..<next.hunk.old.upperBound,
                        new: last.hunk.new.lowerBound..<next.hunk.new.upperBound),
                    deleted: last.deleted + next.kept.scalars + next.deleted,
                    inserted: last.inserted + next.kept.scalars + next.inserted, kept: last.kept)
            }
            joints.append(next)
        }
        return joints.map(\.hunk)
    }

    /// Whether what is kept between two hunks is so little that it goes with them.
    private static func belongTogether(_ last: Joint, _ next: Joint) -> Bool {
        let kept = next.kept
        if last.hunk.isPartial || next.hunk.isPartial || kept.hasBlankLine { return false }
        if kept.hasWord || kept.hasNewline {
            return last.isReplacement && next.isReplacement
                && kept.scalars <= min(last.deleted, last.inserted, next.deleted, next.inserted)
        }
        return last.deleted + next.deleted > 0 && last.inserted + next.inserted > 0
            && kept.scalars <= max(last.deleted, last.inserted)
            && kept.scalars <= max(next.deleted, next.inserted)
    }

    private func kept(_ tokens: Range<Int>) -> Kept {
        var kept = Kept(scalars: scalars(old.bytes, old.range(tokens)))
        var isLineStart = false
        for index in tokens {
            switch old.kinds[index] {
            case .word: kept.hasWord = true
            case .newline:
                if isLineStart { kept.hasBlankLine = true }
                kept.hasNewline = true
            case .space, .other: break
            }
            isLineStart = old.kinds[index] == .newline || isLineStart && old.kinds[index] == .space
        }
        return kept
    }

    private func scalars(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        guard let base = bytes.baseAddress, !range.isEmpty else { return 0 }
        return UTF8Scan.scalars(base + range.lowerBound, count: range.count)
    }

    // MARK: Words that grew or shrank

    /// The bytes of a hunk: all of its tokens, unless it is one token that grew, or one that shrank, at one
    /// end, and at least half of the longer one is kept.
    private func reduced(_ hunk: TokenHunk) -> DifferenceHunk {
        let whole = DifferenceHunk(old: old.range(hunk.old), new: new.range(hunk.new))
        guard !hunk.old.isEmpty, !hunk.new.isEmpty else { return whole }
        if hunk.old.count == 1 {
            let word = old.token(hunk.old.lowerBound)
            let (first, last) = (new.token(hunk.new.lowerBound), new.token(hunk.new.upperBound - 1))
            if Self.isLarge(word, of: first), UTF8Scan.commonPrefix(word, first) == word.count {
                return partial(whole, keepingFirst: word.count)
            }
            if Self.isLarge(word, of: last), UTF8Scan.commonSuffix(word, last) == word.count {
                return partial(whole, keepingLast: word.count)
            }
        }
        if hunk.new.count == 1 {
            let word = new.token(hunk.new.lowerBound)
            let (first, last) = (old.token(hunk.old.lowerBound), old.token(hunk.old.upperBound - 1))
            if Self.isLarge(word, of: first), UTF8Scan.commonPrefix(word, first) == word.count {
                return partial(whole, keepingFirst: word.count)
            }
            if Self.isLarge(word, of: last), UTF8Scan.commonSuffix(word, last) == word.count {
                return partial(whole, keepingLast: word.count)
            }
        }
        return whole
    }

    private static func isLarge(_ part: UnsafeBufferPointer<UInt8>, of word: UnsafeBufferPointer<UInt8>)
        -> Bool
    {
        part.count < word.count && part.count * 2 >= word.count
    }

    private func partial(_ whole: DifferenceHunk, keepingFirst count: Int) -> DifferenceHunk {
        DifferenceHunk(
            old: whole.old.lowerBound + count..<whole.old.upperBound,
            new: whole.new.lowerBound + count..<whole.new.upperBound, isPartial: true)
    }

    private func partial(_ whole: DifferenceHunk, keepingLast count: Int) -> DifferenceHunk {
        DifferenceHunk(
            old: whole.old.lowerBound..<whole.old.upperBound - count,
            new: whole.new.lowerBound..<whole.new.upperBound - count, isPartial: true)
    }
}
