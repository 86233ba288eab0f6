// Reads stored history. Whatever the bytes are, the outcome is a history or an error: counts are checked against what is
// there before room is made, and every column must add up to the same number of events.

extension TextHistory {
    /// Adds a stored chunk behind what is there. The frontier is left to be found.
    mutating func append(chunk: [UInt8]) throws(TextError) {
        let failure = chunk.withUnsafeBytes { bytes -> TextError? in
            do throws(TextError) {
                try append(bytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(TextError) {
        guard bytes.count >= 8 + 3 else { throw .damaged("a chunk is too short") }
        let body = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 8)])
        let sum = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: body.count, as: UInt64.self))
        guard ChunkCheck.sum(body) == sum else { throw .damaged("the check of a chunk does not fit") }
        var reader = ChunkReader(body)
        guard try reader.number() == ChunkCheck.form else { throw .damaged("a chunk has another form") }
        guard try reader.number() == UInt64(eventCount) else {
            throw .damaged("a chunk does not follow the last")
        }
        let count = try reader.number(upTo: TextLimits.events - eventCount)
        if count > 0 {
            let range = Int32(eventCount)..<Int32(eventCount + count)
            try readEdits(range, &reader)
            try readGraph(range, &reader)
            try readOperations(range, &reader)
            extend(to: range.upperBound)
        }
        guard reader.isAtEnd else { throw .damaged("a chunk is too long") }
    }

    private mutating func readEdits(_ range: Range<Int32>, _ reader: inout ChunkReader) throws(TextError) {
        var places: [Int32] = []
        for _ in 0..<(try reader.count(of: 16)) {
            let agent = TextAgent(high: try reader.word(), low: try reader.word())
            if let known = agentPlaces[agent] {
                places.append(known)
                continue
            }
            places.append(Int32(agents.count))
            agentPlaces[agent] = Int32(agents.count)
            agents.append(agent)
            runsOfAgent.append([])
        }
        let runs = try reader.count(of: 2)
        edits.reserveCapacity(edits.count + runs)
        var next = [UInt64](repeating: 0, count: places.count)
        var start = range.lowerBound
        for _ in 0..<runs {
            let head = try reader.number()
            guard head >> 2 < UInt64(places.count) else { throw .damaged("an edit has no agent") }
            let place = Int(head >> 2)
            let left = Int(range.upperBound - start)
            let each = head & 1 == 1 ? 1 : try reader.number(upTo: left)
            let count = try reader.number(upTo: left)
            guard each > 0, count > 0, each * count <= left else {
                throw .damaged("edits have too many events")
            }
            let sequence = head & 2 != 0 ? next[place] : try reader.number()
            guard sequence <= UInt64.max - UInt64(count) else { throw .damaged("a sequence is too high") }
            next[place] = sequence + UInt64(count)
            edits.append(
                EditRun(
                    start: start, agent: places[place], each: Int32(each), count: Int32(count),
                    sequence: sequence))
            noteRun(Int32(edits.count - 1))
            start += Int32(each * count)
        }
        guard start == range.upperBound else { throw .damaged("edits have too few events") }
    }

    private mutating func readGraph(_ range: Range<Int32>, _ reader: inout ChunkReader) throws(TextError) {
        let entries = try reader.count(of: 1)
        graph.reserveCapacity(graph.count + entries)
        parents.reserveCapacity(parents.count + entries + entries / 2)
        var start = range.lowerBound
        for _ in 0..<entries {
            let head = try reader.number()
            guard head >> 1 > 0, head >> 1 <= UInt64(range.upperBound - start) else {
                throw .damaged("the graph has too many events")
            }
            let end = start + Int32(head >> 1)
            let count = head & 1 == 1 ? 1 : try reader.count(of: 1)
            let offset = parents.count
            for _ in 0..<count {
                let distance = try reader.number(upTo: Int(start))
                guard distance > 0 else { throw .damaged("an event follows itself") }
                let parent = start - Int32(distance)
                guard parents.count == offset || parents[parents.count - 1] < parent else {
                    throw .damaged("parents are not in order")
                }
                parents.append(parent)
            }
            if count == 1, parents[offset] == start - 1, let last = graph.last, last.end == start {
                parents.removeLast()
                graph[graph.count - 1].end = end
            } else {
                graph.append(
                    GraphEntry(start: start, end: end, parents: Int32(offset), parentCount: Int32(count)))
            }
            start = end
        }
        guard start == range.upperBound else { throw .damaged("the graph has too few events") }
    }

    private mutating func readOperations(_ range: Range<Int32>, _ reader: inout ChunkReader) throws(TextError)
    {
        let count = try reader.count(of: 1)
        operations.reserveCapacity(operations.count + count)
        let first = operations.count
        var (start, cursor, inserted) = (range.lowerBound, Int64(0), 0)
        for _ in 0..<count {
            let head = try reader.number()
            let length = head >> 3
            guard length > 0, length <= UInt64(TextLimits.events), var kind = Kind(rawValue: UInt8(head & 3))
            else {
                throw .damaged("an operation is too long")
            }
            if kind == .nothing && length > 1 { kind = .deleteBlock }
            if head & 4 != 0 { cursor &+= try reader.signed() }
            var position = cursor
            if kind == .deleteBackward { position &-= Int64(length) }
            guard position >= 0, position <= Int64(TextLimits.events) else {
                throw .damaged("an operation stands nowhere")
            }
            let operation = Operation(
                start: start, length: Int32(length), position: Int32(position), content: Int32(inserted),
                kind: kind)
            guard operation.length <= Int32.max - start, operation.end <= range.upperBound else {
                throw .damaged("operations have too many events")
            }
            operations.append(operation)
            if kind == .insert { inserted += Int(length) }
            cursor = kind == .insert ? position + Int64(length) : position
            start = operation.end
        }
        guard start == range.upperBound else { throw .damaged("operations have too few events") }
        try readContent(operations: first, scalars: inserted, &reader)
    }

    /// Reads the inserted text; where it has bytes of more than one to a scalar, finds where each operation's begins.
    private mutating func readContent(
        operations first: Int, scalars: Int, _ reader: inout ChunkReader
    ) throws(TextError) {
        let bytes = try reader.bytes()
        let base = content.count
        content.append(contentsOf: bytes)
        if bytes.count == scalars {
            for place in first..<operations.count { operations[place].content += Int32(base) }
            return
        }
        var offset = 0
        for place in first..<operations.count {
            operations[place].content = Int32(base + offset)
            guard operations[place].kind == .insert else { continue }
            for _ in 0..<operations[place].length {
                guard offset < bytes.count else { throw .damaged("inserted text is missing") }
                offset += UTF8Scan.length(bytes[offset])
            }
        }
        guard offset == bytes.count else { throw .damaged("there is more text than was inserted") }
    }

    /// The events that no other follows, ascending.
    func heads() -> [Int32] {
        var isHead = [Bool](repeating: true, count: graph.count)
        var place = graph.count - 1
        for entry in graph.reversed() {
            for parent in parentList(entry) {
                // Parents are mostly near; the search begins where the last one was.
                if graph[place].start > parent || graph[place].end <= parent {
                    place = self.entry(of: parent)
                }
                if graph[place].end == parent + 1 { isHead[place] = false }
            }
        }
        return graph.indices.filter { isHead[$0] }.map { graph[$0].end - 1 }
    }
}

/// Reads the numbers of a chunk.
private struct ChunkReader {
    private var next: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ bytes: UnsafeRawBufferPointer) {
        let bytes = bytes.bindMemory(to: UInt8.self)
        next = bytes.baseAddress.unsafelyUnwrapped
        end = next + bytes.count
    }

    var isAtEnd: Bool { next == end }

    @inline(__always)
    mutating func number() throws(TextError) -> UInt64 {
        guard next < end else { throw .damaged("a chunk ends early") }
        let first = next.pointee
        next += 1
        return first < 0x80 ? UInt64(first) : try longNumber(UInt64(first & 0x7F))
    }

    private mutating func longNumber(_ low: UInt64) throws(TextError) -> UInt64 {
        var (value, shift) = (low, UInt64(7))
        while next < end, shift < 64 {
            let byte = next.pointee
            next += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .damaged("a number has no end")
    }

    @inline(__always)
    mutating func signed() throws(TextError) -> Int64 {
        let value = try number()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func number(upTo maximum: Int) throws(TextError) -> Int {
        let value = try number()
        guard value <= UInt64(maximum) else { throw .damaged("a number is too high") }
        return Int(value)
    }

    /// The number of things of at least `size` bytes that follow.
    mutating func count(of size: Int) throws(TextError) -> Int { try number(upTo: (end - next) / size) }

    mutating func word() throws(TextError) -> UInt64 {
        guard end - next >= 8 else { throw .damaged("a chunk ends early") }
        defer { next += 8 }
        return UInt64(bigEndian: UnsafeRawPointer(next).loadUnaligned(as: UInt64.self))
    }

    mutating func bytes() throws(TextError) -> UnsafeBufferPointer<UInt8> {
        let count = try number(upTo: end - next)
        defer { next += count }
        return UnsafeBufferPointer(start: next, count: count)
    }
}
