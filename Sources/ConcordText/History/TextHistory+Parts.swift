// Operations as they are played: cut to a range of events, with the text that they insert.

extension TextHistory {
    /// A part of an operation, or a whole one.
    struct Part {
        let kind: Kind
        /// The first event.
        let start: Int32
        /// How many scalars.
        let count: Int32
        /// The leftmost scalar, in the text as the events before left it.
        let position: Int32
        /// The inserted text, as a range of ``TextHistory/content``.
        let bytes: Range<Int>

        /// The events of an operation that lie between `start` and `end`.
        ///
        /// - Parameter bytes: the text that the whole operation inserts.
        init(
            _ operation: Operation, _ start: Int32, _ end: Int32, _ bytes: Range<Int>,
            _ content: UnsafeBufferPointer<UInt8>
        ) {
            kind = operation.kind
            self.start = max(operation.start, start)
            count = min(operation.end, end) - self.start
            let offset = self.start - operation.start
            switch kind {
            case .insert:
                position = operation.position + offset
                let isASCII = bytes.count == Int(operation.length)
                let first = content.offset(of: Int(offset), behind: bytes.lowerBound, isASCII: isASCII)
                self.bytes = first..<content.offset(of: Int(count), behind: first, isASCII: isASCII)
            case .deleteBackward:
                position = operation.position + operation.length - offset - count
                self.bytes = 0..<0
            case .deleteForward, .deleteBlock, .nothing:
                position = operation.position
                self.bytes = 0..<0
            }
        }

        init(kind: Kind, start: Int32, count: Int32, position: Int32, bytes: Range<Int>) {
            (self.kind, self.start, self.count, self.position, self.bytes) = (
                kind, start, count, position, bytes
            )
        }

        /// The inserted text.
        @inline(__always)
        func text(_ content: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: content[bytes])
        }

        /// Whether the part stays within a text of this length, and within what a text may have; raises the length by
        /// what the part does.
        @inline(__always)
        func fits(_ length: inout Int) -> Bool {
            switch kind {
            case .insert:
                guard Int(position) <= length else { return false }
                length += Int(count)
                return length <= TextLimits.scalars
            case .deleteForward, .deleteBackward, .deleteBlock:
                guard Int(position) + Int(count) <= length else { return false }
                length -= Int(count)
                return true
            case .nothing: return true
            }
        }
    }

    /// The part of an operation whose events lie between `start` and `end`.
    func part(_ place: Int, _ start: Int32, _ end: Int32) -> Part {
        content.withUnsafeBufferPointer { content in
            operations.withUnsafeBufferPointer { $0.part(place, start, end, content) }
        }
    }

    /// The edits within a range of events that begins and ends with edits, as ranges of events.
    func editRanges(_ start: Int32, _ end: Int32) -> [Range<Int32>] {
        var ranges: [Range<Int32>] = []
        var (place, event) = (editRun(of: start), start)
        while event < end {
            let run = edits[place]
            while event < min(run.end, end) {
                ranges.append(event..<event + run.each)
                event += run.each
            }
            place += 1
        }
        return ranges
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where `scalars` scalars behind an offset end.
    fileprivate func offset(of scalars: Int, behind start: Int, isASCII: Bool) -> Int {
        guard !isASCII else { return start + scalars }
        var offset = start
        for _ in 0..<scalars { offset += UTF8Scan.length(self[offset]) }
        return offset
    }
}
