// The frames of a volume: its beginning, the header, then messages of the exchange. Frames are those of a connection, four
// bytes of length and one message, so that both are read and judged by the same code.

import CBOR
import ConcordCrypto
import ConcordModel

/// Writes and reads the frames of volumes.
public enum BundleFrames {
    /// The first 16 bytes of a volume. The line break, in the form of another system, shows when a file was taken for a
    /// text on its way.
    public static let magic = Array("concord bundle\r\n".utf8)
    /// Bytes of a frame's length.
    public static let lengthBytes = 4

    /// What a frame of a volume may hold.
    public enum Content: Sendable {
        case changes([ChangeRun])
        case receipts([Receipt])
        case piece(BlobPlace, BlobBytes)
    }

    /// A frame with this payload.
    public static func frame(_ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count)
        return (0..<lengthBytes).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) } + payload
    }

    /// The payload's bytes of a frame that begins so.
    ///
    /// - Throws: ``ConcordError`` E-3052 for a length that no frame has.
    public static func payloadBytes(of length: [UInt8], upTo maximum: Int = SyncLimits.frameBytes) throws
        -> Int
    {
        precondition(length.count == lengthBytes)
        let count = length.reduce(0) { $0 << 8 | Int($1) }
        guard (1...maximum).contains(count) else {
            throw BundleHeader.refusal("it has a frame of \(count) bytes")
        }
        return count
    }

    /// A frame of changes, packed if that makes it shorter.
    public static func changes(_ space: SpaceID, _ runs: [ChangeRun]) throws -> [UInt8] {
        let message = Message.changes(space, encodedRuns: runs.map { $0.encodedForFrame() }[...])
        guard message.count <= SyncLimits.frameBytes else {
            throw ConcordError(.limitExceeded, "a run of changes does not fit into a frame")
        }
        return frame(Message.packed(message) ?? message)
    }

    /// Frames of receipts.
    public static func receipts(_ space: SpaceID, _ receipts: [Receipt]) -> [(frame: [UInt8], count: Int)] {
        var frames: [(frame: [UInt8], count: Int)] = []
        var waiting: [[UInt8]] = []
        var size = 0
        func close() {
            guard !waiting.isEmpty else { return }
            frames.append((frame(Message.receipts(space, encoded: waiting)), waiting.count))
            (waiting, size) = ([], 0)
        }
        for receipt in receipts {
            let bytes = receipt.encoded
            if size + bytes.count > BundleLimits.frameAim || waiting.count == SyncLimits.receiptsPerFrame {
                close()
            }
            waiting.append(bytes)
            size += bytes.count
        }
        close()
        return frames
    }

    /// A frame with a piece of a file.
    public static func piece(_ place: BlobPlace, _ bytes: BlobBytes) -> [UInt8] {
        frame(Message.blob(.piece(place, bytes)).encoded())
    }

    /// Reads what a frame holds.
    ///
    /// - Throws: ``ConcordError`` E-3052 for what has no place in a bundle of this space.
    public static func read(_ payload: [UInt8], in space: SpaceID) throws -> Content {
        let message: Message
        do {
            message = try Message(encoded: payload)
        } catch let error as ConcordError {
            throw BundleHeader.refusal("it holds what cannot be read: \(error.message)")
        }
        switch message {
        case .changes(space, let runs): return .changes(runs)
        case .receipts(space, let receipts): return .receipts(receipts)
        case .blob(.piece(let place, let bytes)) where place.space == space: return .piece(place, bytes)
        default: throw BundleHeader.refusal("it holds a message that has no place in it")
        }
    }
}
