// What two nodes say to each other about attachments: one asks for bytes, the other gives them or says that it lacks
// them. Every question gets exactly one answer, and answers come in the order of the questions.

import CBOR
import ConcordCrypto
import ConcordModel

/// A message about an attachment's file.
public enum BlobMessage: Hashable, Sendable {
    /// The sender wants so many bytes of this place.
    case fetch(BlobPlace, byteCount: Int)
    /// The bytes of this place: as many as were wanted, or all to the end.
    case piece(BlobPlace, BlobBytes)
    /// The sender cannot give what was wanted of this place.
    case lacking(BlobPlace)
    /// The sender holds the file now, which it lacked when it was asked.
    case holding(SpaceID, BlobID)

    /// The first number of these messages; the last is three above.
    static let firstType: UInt64 = 16
    static let types = firstType...firstType + 3

    /// The number in front of the message.
    var type: UInt64 {
        switch self {
        case .fetch: Self.firstType
        case .piece: Self.firstType + 1
        case .lacking: Self.firstType + 2
        case .holding: Self.firstType + 3
        }
    }

    /// The space that it is about.
    var space: SpaceID {
        switch self {
        case .fetch(let place, _), .piece(let place, _), .lacking(let place): place.space
        case .holding(let space, _): space
        }
    }

    // MARK: Bytes

    /// The bytes of the frame.
    func encoded() -> [UInt8] {
        let payload = if case .piece(_, let bytes) = self { bytes.bytes.count } else { 0 }
        var writer = CBORWriter(capacity: payload + 128)
        func head(_ count: Int, _ space: SpaceID, _ blob: BlobID) {
            writer.array(count)
            writer.unsigned(type)
            writer.digest(space.digest)
            writer.digest(blob.digest)
        }
        func head(_ count: Int, _ place: BlobPlace) {
            head(count, place.space, place.blob)
            writer.unsigned(place.part.rawValue)
            writer.unsigned(UInt64(place.offset))
        }
        switch self {
        case .fetch(let place, let byteCount):
            head(6, place)
            writer.unsigned(UInt64(byteCount))
        case .piece(let place, let bytes):
            head(7, place)
            writer.unsigned(UInt64(bytes.total))
            writer.byteString(bytes.bytes)
        case .lacking(let place): head(5, place)
        case .holding(let space, let blob): head(4, space, blob)
        }
        return writer.bytes
    }

    /// Reads what follows the type.
    ///
    /// - Throws: ``ConcordError`` E-3005 for what is malformed.
    init(type: UInt64, count: Int, from reader: inout CBORReader) throws {
        let parts = [6, 7, 5, 4][Int(type - Self.firstType)]
        guard count == parts else {
            throw Self.malformed("message \(type) has \(count) parts instead of \(parts)")
        }
        let space = SpaceID(try reader.digest())
        let blob = BlobID(try reader.digest())
        guard type < Self.types.upperBound else {
            self = .holding(space, blob)
            return
        }
        guard let part = BlobPart(rawValue: try reader.unsigned()) else {
            throw Self.malformed("a file has no such part")
        }
        let largest = part == .manifest ? BlobLimits.manifestBytes : BlobLimits.blobBytes
        let place = BlobPlace(
            space: space, blob: blob, part: part, offset: Int64(try reader.unsigned(upTo: largest)))
        switch type - Self.firstType {
        case 0:
            let byteCount = try reader.unsigned(upTo: SyncLimits.largestPieceBytes)
            guard byteCount > 0 else { throw Self.malformed("nothing of a file is wanted") }
            self = .fetch(place, byteCount: byteCount)
        case 1:
            let total = Int64(try reader.unsigned(upTo: largest))
            let bytes = try reader.byteString(upTo: SyncLimits.largestPieceBytes)
            guard place.offset + Int64(bytes.count) <= total, !bytes.isEmpty else {
                throw Self.malformed("a piece of a file lies outside of it")
            }
            self = .piece(place, BlobBytes(bytes, of: total))
        default: self = .lacking(place)
        }
    }

    private static func malformed(_ message: String) -> ConcordError {
        ConcordError(.malformedFrame, message)
    }
}
