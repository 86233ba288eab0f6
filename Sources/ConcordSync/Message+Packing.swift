// Frames of changes in fewer bytes, for links that are long: a negotiated feature. A packed frame says nothing of its own;
// whoever reads it reads the `Changes` that it stands for, and the window counts those bytes.

import CBOR
import ConcordModel

extension Message {
    /// The feature by which a side says that it reads packed frames.
    public static let packing: UTF8Text = "lz4"

    static let packedType: UInt64 = 10
    /// Shorter frames gain nothing worth a word.
    private static let leastBytes = 256

    /// A packed frame that stands for a frame of changes; nil if it would not save a tenth.
    static func packed(_ frame: [UInt8]) -> [UInt8]? {
        guard frame.count >= leastBytes else { return nil }
        let block = LZ4Block.compressed(frame)
        guard block.count < frame.count / 10 * 9 else { return nil }
        var writer = CBORWriter(capacity: block.count + 16)
        writer.array(3)
        writer.unsigned(packedType)
        writer.unsigned(UInt64(frame.count))
        writer.byteString(block)
        return writer.bytes
    }

    /// Whether a frame is packed, as far as its head tells.
    static func isPacked(_ frame: [UInt8]) -> Bool {
        frame.count > 1 && frame[0] == 0x83 && frame[1] == UInt8(packedType)
    }

    /// How many bytes a frame stands for.
    static func unpackedCount(_ frame: [UInt8]) -> Int {
        guard isPacked(frame) else { return frame.count }
        var reader = CBORReader(frame)
        guard (try? reader.array(count: 3)) != nil, (try? reader.unsigned()) != nil,
            let count = try? reader.unsigned()
        else { return frame.count }
        return max(frame.count, Int(clamping: count))
    }

    /// Reads what follows the type of a packed frame.
    static func unpacked(from reader: inout CBORReader) throws -> Message {
        let count = try reader.unsigned()
        guard count <= UInt64(SyncLimits.frameBytes) else {
            throw ConcordError(
                .limitExceeded,
                "a packed frame stands for \(count) bytes, \(SyncLimits.frameBytes) are allowed")
        }
        let block = try reader.byteString(upTo: SyncLimits.frameBytes)
        guard let frame = LZ4Block.expanded(block, count: Int(count)), frame.count > 1,
            frame[0] == 0x83, frame[1] == 3
        else { throw ConcordError(.malformedFrame, "a packed frame does not stand for changes") }
        return try Message(encoded: frame)
    }
}
