// How a stretch of history is stored: columns of short numbers, then the inserted text as it is. A chunk is local: it
// speaks of events by the numbers that they have here, is never sent, and can always be made anew from the edits.
//
//     form, first event, events
//     agents: count, 16 bytes each
//     edits: runs of (agent, whether the sequence goes on, events of each edit, number of edits)
//     graph: entries of (events, parents as distances back from the first event)
//     operations: (length, kind, whether the place moved), distance from where the one before ended
//     content: bytes, UTF-8
//     check: 8 bytes

extension TextHistory {
    /// The history that chunks hold, given in the order in which they follow each other.
    ///
    /// - Throws: ``TextError/damaged(_:)`` if they are not what ``chunk(from:)`` made.
    public init(chunks: [[UInt8]]) throws(TextError) {
        self.init()
        for chunk in chunks { try append(chunk: chunk) }
        frontier = graph.isEmpty ? [] : heads()
    }

    /// The events from `first` on in stored form.
    ///
    /// - Parameter first: an event with which an edit begins; 0 for the whole history.
    public func chunk(from first: Int = 0) -> [UInt8] { chunk(first..<eventCount) }

    /// Some events in stored form.
    ///
    /// - Parameter events: whole edits.
    public func chunk(_ events: Range<Int>) -> [UInt8] {
        var writer = ChunkWriter(capacity: 64 + events.count / 8)
        writer.number(ChunkCheck.form)
        writer.number(UInt64(events.lowerBound))
        writer.number(UInt64(events.count))
        guard !events.isEmpty else { return writer.finished() }
        let range = Int32(events.lowerBound)..<Int32(events.upperBound)
        write(editsIn: range, to: &writer)
        write(graphIn: range, to: &writer)
        write(operationsIn: range, to: &writer)
        return writer.finished()
    }

    private func write(editsIn range: Range<Int32>, to writer: inout ChunkWriter) {
        let first = editRun(of: range.lowerBound)
        let last = editRun(of: range.upperBound - 1)
        var places = [Int32](repeating: -1, count: agents.count)
        var used: [Int32] = []
        for run in edits[first...last] where places[Int(run.agent)] < 0 {
            places[Int(run.agent)] = Int32(used.count)
            used.append(run.agent)
        }
        writer.number(UInt64(used.count))
        for agent in used {
            writer.word(agents[Int(agent)].high)
            writer.word(agents[Int(agent)].low)
        }
        writer.number(UInt64(last - first + 1))
        var next = [UInt64](repeating: 0, count: used.count)
        for run in edits[first...last] {
            let start = max(run.start, range.lowerBound)
            let count = (min(run.end, range.upperBound) - start) / run.each
            let sequence = run.sequence + UInt64((start - run.start) / run.each)
            let place = Int(places[Int(run.agent)])
            let goesOn = sequence == next[place]
            writer.number(UInt64(place) << 2 | (goesOn ? 2 : 0) | (run.each == 1 ? 1 : 0))
            if run.each != 1 { writer.number(UInt64(run.each)) }
            writer.number(UInt64(count))
            if !goesOn { writer.number(sequence) }
            next[place] = sequence + UInt64(count)
        }
    }

    private func write(graphIn range: Range<Int32>, to writer: inout ChunkWriter) {
        let (first, last) = (entry(of: range.lowerBound), entry(of: range.upperBound - 1))
        writer.number(UInt64(last - first + 1))
        for entry in graph[first...last] {
            let start = max(entry.start, range.lowerBound)
            let list = start == entry.start ? parentList(entry) : [start - 1]
            let length = UInt64(min(entry.end, range.upperBound) - start)
            writer.number(length << 1 | (list.count == 1 ? 1 : 0))
            if list.count != 1 { writer.number(UInt64(list.count)) }
            for parent in list { writer.number(UInt64(start - parent)) }
        }
    }

    private func write(operationsIn range: Range<Int32>, to writer: inout ChunkWriter) {
        let (first, last) = (operation(of: range.lowerBound), operation(of: range.upperBound - 1))
        writer.number(UInt64(last - first + 1))
        var cursor: Int32 = 0
        var (contentStart, contentEnd) = (Int.max, 0)
        for place in first...last {
            let part = part(place, range.lowerBound, range.upperBound)
            var (kind, anchor) = (part.kind, part.position)
            if part.kind == .insert {
                (contentStart, contentEnd) = (min(contentStart, part.bytes.lowerBound), part.bytes.upperBound)
            } else if part.kind == .deleteForward && part.count == 1 && part.position + 1 == cursor {
                kind = .deleteBackward
            }
            // Whoever deletes backwards stands at the end of what goes.
            if kind == .deleteBackward { anchor = part.position + part.count }
            let moved = kind != .nothing && anchor != cursor
            // A block is told from nothing by its length.
            let code = kind == .deleteBlock ? Kind.nothing.rawValue : kind.rawValue
            writer.number(UInt64(part.count) << 3 | (moved ? 4 : 0) | UInt64(code))
            if moved { writer.signed(Int64(anchor) - Int64(cursor)) }
            switch kind {
            case .insert: cursor = part.position + part.count
            case .deleteForward, .deleteBackward, .deleteBlock: cursor = part.position
            case .nothing: break
            }
        }
        writer.bytes(contentStart < contentEnd ? content[contentStart..<contentEnd] : [])
    }
}

/// What tells a chunk that was damaged.
enum ChunkCheck {
    static let form: UInt64 = 1

    /// A number that follows from all bytes. Each step is reversible for either of its inputs, so whatever is changed
    /// within eight bytes at one place changes the number.
    static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            sum = (sum ^ word) &* 0xFF51_AFD7_ED55_8CCD
            sum ^= sum >> 32
            offset += 8
        }
        while offset < bytes.count {
            sum = (sum ^ UInt64(bytes[offset])) &* 0xC4CE_B9FE_1A85_EC53
            sum ^= sum >> 29
            offset += 1
        }
        return sum
    }
}

/// Writes the numbers of a chunk.
private struct ChunkWriter {
    private var written: [UInt8] = []

    init(capacity: Int) { written.reserveCapacity(capacity) }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    mutating func number(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            written.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        written.append(UInt8(value))
    }

    /// Small numbers of either sign are short.
    mutating func signed(_ value: Int64) { number(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    mutating func word(_ value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { written.append(contentsOf: $0) }
    }

    mutating func bytes(_ bytes: ArraySlice<UInt8>) {
        number(UInt64(bytes.count))
        written.append(contentsOf: bytes)
    }

    consuming func finished() -> [UInt8] {
        let sum = written.withUnsafeBytes(ChunkCheck.sum)
        word(sum)
        return written
    }
}
