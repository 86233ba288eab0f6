// Reads messages from foreign bytes. Everything is bounded before it is allocated, and what is not in its one
// encoding is refused; whether a message makes sense at this moment is for the session to judge.

import CBOR
import ConcordCrypto
import ConcordModel

extension Message {
    /// Reads a frame.
    ///
    /// - Throws: ``ConcordError`` E-3005 if the bytes are no message, E-3002 if a limit is passed.
    public init(encoded bytes: [UInt8]) throws {
        guard bytes.count <= SyncLimits.frameBytes else {
            throw ConcordError(
                .limitExceeded, "a frame has \(bytes.count) bytes, \(SyncLimits.frameBytes) are allowed")
        }
        do {
            var reader = CBORReader(bytes)
            let count = try reader.array(upTo: SyncLimits.frameBytes)
            guard count > 0 else { throw malformed("a message is empty") }
            let type = try reader.unsigned()
            if type >= SyncLimits.firstIgnoredType {
                for _ in 1..<count { try reader.skip() }
                self = .ignored(type: type)
            } else {
                self = try Self.read(type: type, count: count, from: &reader)
            }
            try reader.expectEnd()
        } catch let error as CBORError {
            let code: ErrorCode = error.reason == .tooLarge ? .limitExceeded : .malformedFrame
            throw ConcordError(code, "a message cannot be read: \(error)")
        }
    }

    private static func read(type: UInt64, count: Int, from reader: inout CBORReader) throws -> Message {
        func expect(_ expected: Int) throws {
            guard count == expected else {
                throw malformed("message \(type) has \(count) parts instead of \(expected)")
            }
        }
        switch type {
        case 0:
            try expect(10)
            return .hello(try Hello(from: &reader))
        case 1:
            try expect(6)
            let space = SpaceID(try reader.digest())
            let hash = try reader.digest()
            let digest = try reader.optionalDigest()
            let (changes, heads) = (try reader.unsigned(), try reader.unsigned())
            return .summary(
                space, Summary(heldHash: hash, digest: digest, changeCount: changes, headCount: heads))
        case 2:
            try expect(3)
            return .vector(SpaceID(try reader.digest()), try reader.heads())
        case 3:
            try expect(3)
            return .changes(SpaceID(try reader.digest()), try reader.runs())
        case 4:
            try expect(3)
            return .acknowledge(SpaceID(try reader.digest()), try reader.versionVector())
        case 5:
            try expect(4)
            let code = UTF8Text(try reader.text(upTo: SyncLimits.codeBytes))
            guard let faultClass = FaultClass(rawValue: try reader.unsigned()) else {
                throw malformed("an error is of an unknown class")
            }
            return .error(
                code: code, faultClass: faultClass,
                sentence: UTF8Text(try reader.text(upTo: SyncLimits.sentenceBytes)))
        case 6:
            try expect(3)
            return .goodbye(
                code: UTF8Text(try reader.text(upTo: SyncLimits.codeBytes)),
                sentence: UTF8Text(try reader.text(upTo: SyncLimits.sentenceBytes)))
        case 7:
            try expect(2)
            return .ping(try reader.unsigned())
        case 8:
            try expect(2)
            return .pong(try reader.unsigned())
        case 9:
            try expect(3)
            let space = SpaceID(try reader.digest())
            return .receipts(space, try reader.receipts(of: space))
        case packedType:
            try expect(3)
            return try unpacked(from: &reader)
        case 20:
            try expect(4)
            let space = SpaceID(try reader.digest())
            guard let mode = FlowMode(rawValue: try reader.unsigned()) else {
                throw malformed("a flow is of an unknown kind")
            }
            return .flow(space, mode, try reader.versionVector())
        case 21:
            try expect(3)
            return .announce(SpaceID(try reader.digest()), try reader.versionVector())
        case 22:
            try expect(3)
            return .want(SpaceID(try reader.digest()), try reader.spans())
        case 23:
            try expect(3)
            let space = SpaceID(try reader.digest())
            guard let sketch = HeadSketch(bytes: try reader.byteString(upTo: HeadSketch.maximumBytes)) else {
                throw malformed("a sketch has not the length of one")
            }
            return .sketch(space, sketch)
        case BlobMessage.types:
            return .blob(try BlobMessage(type: type, count: count, from: &reader))
        default:
            throw malformed("there is no message \(type)")
        }
    }
}

private func malformed(_ message: String) -> ConcordError { ConcordError(.malformedFrame, message) }

extension CBORReader {
    fileprivate mutating func optionalDigest() throws -> Digest? {
        let bytes = try byteString(upTo: Digest.byteCount)
        guard bytes.isEmpty || bytes.count == Digest.byteCount else {
            throw malformed("a hash has \(bytes.count) bytes")
        }
        return Digest(bytes: bytes)
    }

    private mutating func replica() throws -> ReplicaID {
        guard let replica = ReplicaID(bytes: try byteString(count: 16)) else {
            throw malformed("a replica id has not 16 bytes")
        }
        return replica
    }

    private mutating func mark() throws -> Bytes16 {
        let words = try twoWords()
        return Bytes16(high: words.high, low: words.low)
    }

    /// Reads `[replica, sequence, mark]`, strictly ascending: of a replica with branches there are several.
    fileprivate mutating func heads() throws -> [ChainHead] {
        let count = try array(upTo: Limits.versionVectorEntries)
        var heads: [ChainHead] = []
        for _ in 0..<count {
            try array(count: 3)
            let dot = Dot(try replica(), try sequence())
            let head = ChainHead(dot, mark: try mark())
            if let last = heads.last, last >= head { throw malformed("heads are not in ascending order") }
            heads.append(head)
        }
        return heads
    }

    /// Reads receipts, all of one space.
    fileprivate mutating func receipts(of space: SpaceID) throws -> [Receipt] {
        let count = try array(upTo: SyncLimits.receiptsPerFrame)
        guard count > 0 else { throw malformed("a message brings no receipts") }
        var receipts: [Receipt] = []
        for _ in 0..<count {
            do {
                receipts.append(try Receipt(from: &self))
            } catch let error as ConcordError {
                throw malformed(error.message)
            }
            guard receipts[receipts.count - 1].space == space else {
                throw malformed("a receipt is of another space")
            }
        }
        return receipts
    }

    /// Reads `[replica, sequence]` pairs, ascending by replica and each replica once.
    fileprivate mutating func versionVector() throws -> VersionVector {
        let count = try array(upTo: Limits.versionVectorEntries)
        var vector = VersionVector()
        var last: ReplicaID?
        for _ in 0..<count {
            try array(count: 2)
            let replica = try replica()
            let sequence = try self.sequence()
            if let last, last >= replica { throw malformed("a version vector is not in ascending order") }
            last = replica
            vector[replica] = sequence
        }
        return vector
    }

    /// Reads `[chain, from, up to]`, ascending by chain and each chain once.
    fileprivate mutating func spans() throws -> [ChainSpan] {
        let count = try array(upTo: Limits.versionVectorEntries)
        guard count > 0 else { throw malformed("a message asks for nothing") }
        var spans: [ChainSpan] = []
        for _ in 0..<count {
            try array(count: 3)
            let chain = try replica()
            let from = try unsigned()
            let upTo = try sequence()
            guard from < upTo else { throw malformed("a span is empty") }
            if let last = spans.last, last.chain >= chain {
                throw malformed("spans are not in ascending order")
            }
            spans.append(ChainSpan(chain: chain, from: from, upTo: upTo))
        }
        return spans
    }

    fileprivate mutating func sequence() throws -> UInt64 {
        let sequence = try unsigned()
        guard sequence > 0, sequence <= UInt64(Int64.max) else {
            throw malformed("a sequence is \(sequence)")
        }
        return sequence
    }

    fileprivate mutating func runs() throws -> [ChangeRun] {
        let count = try array(upTo: SyncLimits.runsPerFrame)
        guard count > 0 else { throw malformed("a message brings no changes") }
        var runs: [ChangeRun] = []
        runs.reserveCapacity(count)
        for _ in 0..<count { runs.append(try run()) }
        return runs
    }

    private mutating func run() throws -> ChangeRun {
        try array(count: 6)
        let replica = try replica()
        let name = try byteString(upTo: 16)
        guard name.isEmpty || name.count == 16, name != replica.bytes else {
            throw malformed("the name of a chain is not in its one form")
        }
        let first = try sequence()
        let previous = try mark()
        let changeCount = try array(upTo: SyncLimits.changesPerRun)
        guard changeCount > 0 else { throw malformed("a run is empty") }
        guard first <= UInt64(Int64.max) - UInt64(changeCount) else {
            throw malformed("a sequence is \(first)")
        }
        var changes: [[UInt8]] = []
        changes.reserveCapacity(changeCount)
        // Erased, a change may be longer than it was: hashes stand where values stood.
        let longest = Limits.changeBytes + Limits.erasedPartsBytes
        for _ in 0..<changeCount { changes.append(try byteString(upTo: longest)) }
        guard let signature = Signature(bytes: try byteString(count: Signature.byteCount)) else {
            throw malformed("a signature is not in canonical form")
        }
        return ChangeRun(
            replica: replica, chain: ReplicaID(bytes: name), firstSequence: first, previous: previous,
            changes: changes, signature: signature)
    }

    fileprivate mutating func texts(upTo maximum: Int, bytes: Int) throws -> [UTF8Text] {
        let count = try array(upTo: maximum)
        var texts: [UTF8Text] = []
        for _ in 0..<count { texts.append(UTF8Text(try text(upTo: bytes))) }
        return texts
    }
}

extension Hello {
    fileprivate init(from reader: inout CBORReader) throws {
        let (lowest, highest) = (try reader.unsigned(), try reader.unsigned())
        guard lowest <= highest else { throw malformed("the lowest level is above the highest") }
        levels = lowest...highest
        features = try reader.texts(upTo: SyncLimits.features, bytes: Limits.nameBytes)
        for (a, b) in zip(features, features.dropFirst()) where a >= b {
            throw malformed("features are not in ascending order")
        }
        vocabularyLevel = try reader.unsigned()
        guard let incarnation = Bytes16(try reader.byteString(count: 16)) else {
            throw malformed("an incarnation has not 16 bytes")
        }
        self.incarnation = incarnation
        clock = Int64(try reader.unsigned(upTo: Int(Limits.timestamp)))
        nodeName = UTF8Text(try reader.text(upTo: SyncLimits.nodeNameBytes))
        addresses = try reader.texts(upTo: SyncLimits.addresses, bytes: SyncLimits.addressBytes)
        let count = try reader.array(upTo: SyncLimits.spaces)
        spaces = []
        for _ in 0..<count {
            let next = try SpaceHead(from: &reader)
            if let last = spaces.last, last.space >= next.space {
                throw malformed("spaces are not in ascending order")
            }
            spaces.append(next)
        }
    }
}

extension SpaceHead {
    fileprivate init(from reader: inout CBORReader) throws {
        try reader.array(count: 4)
        let space = SpaceID(try reader.digest())
        let bytes = try reader.byteString(upTo: 16)
        guard bytes.isEmpty || bytes.count == 16 else {
            throw malformed("a replica id has \(bytes.count) bytes")
        }
        let replica = ReplicaID(bytes: bytes)
        let sequence = try reader.unsigned()
        let hash = try reader.optionalDigest()
        guard sequence <= UInt64(Int64.max), (sequence == 0) == (hash == nil), replica != nil || hash == nil
        else {
            throw malformed("the latest change of a replica is incomplete")
        }
        self.init(space: space, replica: replica, head: hash.map { Head(sequence: sequence, hash: $0) })
    }
}
