// What changed between the text that an author's editor loaded and the one that it saved, as the edit that
// the author most likely meant: whole words and lines, in as few replacements as read well. Applied to the
// old text it gives exactly the new one; how well it is chosen only matters to whoever edited the same
// passage meanwhile.

/// The difference of two texts.
public enum TextDifference {
    /// The same, with everything erased taken out of `old` before: it counts in the length of a text, and is of no use to
    /// anybody.
    public static func runsWithoutErased(
        from old: [UInt8], to new: [UInt8]
    ) -> (runs: [TextRun], inserted: [UInt8]) {
        var groups: [TextRun] = []
        old.withUnsafeBufferPointer { bytes in
            var (from, position) = (0, 0)
            while let found = UTF8Scan.erased(bytes, from: from) {
                position += scalars(bytes, from..<found)
                from = found
                while from + 3 <= bytes.count, bytes[from] == 0xEF, bytes[from + 1] == 0xBF,
                    bytes[from + 2] == 0xBF
                {
                    from += 3
                }
                let count = (from - found) / 3
                groups.append(TextRun(position: UInt64(position), deleted: UInt64(count), inserted: 0))
                position += count
            }
        }
        let rest = runs(from: UTF8Scan.withoutErased(old), to: new)
        return (groups.reversed() + rest.runs, rest.inserted)
    }

    /// The runs that turn `old` into `new`, one after another, and the UTF-8 that they insert, all together.
    ///
    /// Both must be valid UTF-8; positions and counts are Unicode scalars, and nothing is normalized. Erased
    /// scalars (``TextBuffer/erasedScalar``) in `old` are seen by no author: they are kept, unless text on
    /// both sides of them is deleted by the same run, and `new` shall have none. O(n log n), and bounded for
    /// texts that have little in common.
    public static func runs(from old: [UInt8], to new: [UInt8]) -> (runs: [TextRun], inserted: [UInt8]) {
        let seen = SeenText(old)
        let (hunks, _) = hunks(from: seen.bytes ?? old, to: new, DifferenceBudget())
        var runs: [TextRun] = []
        var inserted: [UInt8] = []
        // The old scalars up to `byte` and how much longer the new text is there.
        var (byte, scalar, growth) = (0, 0, 0)
        var erased = 0
        (seen.bytes ?? old).withUnsafeBufferPointer { bytes in
            for hunk in hunks {
                scalar += scalars(bytes, byte..<hunk.old.lowerBound)
                let deleted = scalars(bytes, hunk.old)
                // Behind the scalar before it, or, where something is deleted, at the first scalar deleted.
                let start =
                    seen.position(of: deleted > 0 ? scalar : scalar - 1, &erased) + (deleted > 0 ? 0 : 1)
                scalar += deleted
                byte = hunk.old.upperBound
                let end = deleted > 0 ? seen.position(of: scalar - 1, &erased) + 1 : start
                let added = new.withUnsafeBufferPointer { scalars($0, hunk.new) }
                runs.append(
                    TextRun(
                        position: UInt64(start + growth), deleted: UInt64(end - start),
                        inserted: UInt64(added)))
                inserted.append(contentsOf: new[hunk.new])
                growth += added - (end - start)
            }
        }
        return (runs, inserted)
    }

    private static func scalars(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        guard let base = bytes.baseAddress, !range.isEmpty else { return 0 }
        return UTF8Scan.scalars(base + range.lowerBound, count: range.count)
    }

    /// How much of what both texts have in common is looked at on either side of what differs, to choose well
    /// where an insertion begins.
    private static let contextBytes = 512

    /// The hunks in bytes, ascending, and the steps that the search took.
    static func hunks(
        from old: [UInt8], to new: [UInt8], _ budget: DifferenceBudget
    ) -> (hunks: [DifferenceHunk], steps: Int) {
        old.withUnsafeBufferPointer { old in
            new.withUnsafeBufferPointer { new in
                let (head, tail) = commonLines(old, new)
                if head == old.count, head == new.count { return ([], 0) }
                var names = DifferenceNames()
                let oldTokens = DifferenceTokens(old, head..<old.count - tail, &names)
                let newTokens = DifferenceTokens(new, head..<new.count - tail, &names)
                var search = DifferenceSearch(oldTokens, newTokens, names: names.count, budget: budget)
                search.run()
                return (DifferenceHunks.of(search), search.budget.taken)
            }
        }
    }

    /// How many bytes of whole lines both texts begin and end with, less some context.
    private static func commonLines(
        _ old: UnsafeBufferPointer<UInt8>, _ new: UnsafeBufferPointer<UInt8>
    ) -> (head: Int, tail: Int) {
        let newline = UInt8(ascii: "\n")
        var head = UTF8Scan.commonPrefix(old, new)
        if head == old.count, head == new.count { return (head, 0) }
        head = max(0, head - contextBytes)
        while head > 0, old[head - 1] != newline { head -= 1 }
        let behind = (
            UnsafeBufferPointer(rebasing: old[head...]), UnsafeBufferPointer(rebasing: new[head...])
        )
        var tail = max(0, UTF8Scan.commonSuffix(behind.0, behind.1) - contextBytes)
        while tail > 0 {
            let before = (old.count - tail - 1, new.count - tail - 1)
            let isLineStart = (
                before.0 < head || old[before.0] == newline, before.1 < head || new[before.1] == newline
            )
            if isLineStart == (true, true) { break }
            tail -= 1
        }
        return (head, tail)
    }
}

/// The old text as its author saw it, and where its scalars stand in the text with erased ones.
private struct SeenText {
    /// The UTF-8 without erased scalars; nil if there are none.
    private(set) var bytes: [UInt8]?
    /// The positions of the erased scalars, ascending.
    private var erased: [Int] = []

    init(_ text: [UInt8]) {
        text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress, var found = UTF8Scan.erased(text, from: 0) else { return }
            var seen: [UInt8] = []
            seen.reserveCapacity(text.count)
            var (from, position) = (0, 0)
            while true {
                seen.append(contentsOf: text[from..<found])
                position += UTF8Scan.scalars(base + from, count: found - from)
                erased.append(position)
                position += 1
                from = found + 3
                guard let next = UTF8Scan.erased(text, from: from) else { break }
                found = next
            }
            seen.append(contentsOf: text[from...])
            bytes = seen
        }
    }

    /// Where the scalar with this index among those seen stands. `before` counts the erased ones before it;
    /// it starts at 0, and indices asked for must ascend. The index -1 stands before everything.
    func position(of index: Int, _ before: inout Int) -> Int {
        if index < 0 { return -1 }
        while before < erased.count, erased[before] - before <= index { before += 1 }
        return index + before
    }
}
