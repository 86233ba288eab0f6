// Writes messages. Runs are encoded one by one, so that a session can pack what it read into frames of a
// given size without encoding anything twice.

import CBOR
import ConcordCrypto
import ConcordModel

extension Message {
    /// The number in front of the message.
    public var type: UInt64 {
        switch self {
        case .hello: 0
        case .summary: 1
        case .vector: 2
        case .changes: 3
        case .acknowledge: 4
        case .error: 5
        case .goodbye: 6
        case .ping: 7
        case .pong: 8
        case .receipts: 9
        case .flow: 20
        case .announce: 21
        case .want: 22
        case .sketch: 23
        case .blob(let message): message.type
        case .ignored(let type): type
        }
    }

    /// The bytes of the frame.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(capacity: 96)
        func head(_ count: Int) {
            writer.array(count)
            writer.unsigned(type)
        }
        switch self {
        case .hello(let hello):
            head(10)
            hello.write(to: &writer)
        case .summary(let space, let summary):
            head(6)
            writer.digest(space.digest)
            writer.digest(summary.heldHash)
            writer.byteString(summary.digest?.bytes ?? [])
            writer.unsigned(summary.changeCount)
            writer.unsigned(summary.headCount)
        case .vector(let space, let heads):
            head(3)
            writer.digest(space.digest)
            writer.dependencies(heads)
        case .acknowledge(let space, let vector), .announce(let space, let vector):
            head(3)
            writer.digest(space.digest)
            writer.dots(vector.dots)
        case .flow(let space, let mode, let vector):
            head(4)
            writer.digest(space.digest)
            writer.unsigned(mode.rawValue)
            writer.dots(vector.dots)
        case .want(let space, let spans):
            head(3)
            writer.digest(space.digest)
            writer.array(spans.count)
            for span in spans {
                writer.array(3)
                writer.byteString(span.chain.bytes)
                writer.unsigned(span.from)
                writer.unsigned(span.upTo)
            }
        case .sketch(let space, let sketch):
            head(3)
            writer.digest(space.digest)
            writer.byteString(sketch.bytes)
        case .changes(let space, let runs):
            return Self.changes(space, encodedRuns: runs.map { $0.encodedForFrame() }[...])
        case .receipts(let space, let receipts):
            return Self.receipts(space, encoded: receipts.map(\.encoded))
        case .blob(let message): return message.encoded()
        case .error(let code, let faultClass, let sentence):
            head(4)
            writer.text(code.string)
            writer.unsigned(faultClass.rawValue)
            writer.text(sentence.string)
        case .goodbye(let code, let sentence):
            head(3)
            writer.text(code.string)
            writer.text(sentence.string)
        case .ping(let nonce), .pong(let nonce):
            head(2)
            writer.unsigned(nonce)
        case .ignored:
            head(1)
        }
        return writer.bytes
    }

    /// The bytes around the runs of a `Changes` frame, at most.
    static let changesOverhead = 42

    /// A `Changes` frame of runs that are encoded already.
    static func changes(_ space: SpaceID, encodedRuns runs: ArraySlice<[UInt8]>) -> [UInt8] {
        var writer = CBORWriter(capacity: runs.reduce(changesOverhead) { $0 + $1.count })
        writer.array(3)
        writer.unsigned(3)
        writer.digest(space.digest)
        writer.array(runs.count)
        for run in runs { writer.encoded(run) }
        return writer.bytes
    }

    /// A `Receipts` frame of receipts that are encoded already.
    static func receipts(_ space: SpaceID, encoded receipts: [[UInt8]]) -> [UInt8] {
        var writer = CBORWriter(capacity: receipts.reduce(changesOverhead) { $0 + $1.count })
        writer.array(3)
        writer.unsigned(9)
        writer.digest(space.digest)
        writer.array(receipts.count)
        for receipt in receipts { writer.encoded(receipt) }
        return writer.bytes
    }
}

extension ChangeRun {
    /// `[replica, chain or none, first sequence, previous, [change…], signature]`.
    func encodedForFrame() -> [UInt8] {
        var writer = CBORWriter(capacity: byteCount + 96 + changes.count * 5)
        writer.array(6)
        writer.byteString(replica.bytes)
        writer.byteString(chain == replica ? [] : chain.bytes)
        writer.unsigned(firstSequence)
        writer.byteString(previous.bytes)
        writer.array(changes.count)
        for change in changes { writer.byteString(change) }
        writer.byteString(signature.bytes)
        return writer.bytes
    }
}

extension Hello {
    fileprivate func write(to writer: inout CBORWriter) {
        writer.unsigned(levels.lowerBound)
        writer.unsigned(levels.upperBound)
        writer.array(features.count)
        for feature in features { writer.text(feature.string) }
        writer.unsigned(vocabularyLevel)
        writer.byteString(incarnation.bytes)
        writer.unsigned(UInt64(clamping: clock))
        writer.text(nodeName.string)
        writer.array(addresses.count)
        for address in addresses { writer.text(address.string) }
        writer.array(spaces.count)
        for space in spaces {
            writer.array(4)
            writer.digest(space.space.digest)
            writer.byteString(space.replica?.bytes ?? [])
            writer.unsigned(space.head?.sequence ?? 0)
            writer.byteString(space.head?.hash.bytes ?? [])
        }
    }
}
