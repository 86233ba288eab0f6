// Which bytes of which file are meant, on the wire and on the disk.

/// The two things that are asked for of a blob.
public enum BlobPart: UInt64, Hashable, Sendable {
    /// The manifest, whose hash is the blob's name.
    case manifest = 0
    /// The file itself.
    case content = 1
}

/// Some bytes of a blob, in a space for whose sake they may be had.
public struct BlobPlace: Hashable, Sendable {
    /// The space in which a record names the blob.
    public let space: SpaceID
    /// The blob.
    public let blob: BlobID
    /// Manifest or content.
    public let part: BlobPart
    /// Where the bytes begin.
    public let offset: Int64

    /// The bytes from `offset` on.
    public init(space: SpaceID, blob: BlobID, part: BlobPart, offset: Int64) {
        self.space = space
        self.blob = blob
        self.part = part
        self.offset = offset
    }
}

/// Bytes that were read, and how many the part has in all.
public struct BlobBytes: Hashable, Sendable {
    /// The bytes.
    public let bytes: [UInt8]
    /// Bytes of the whole part.
    public let total: Int64

    /// Bytes of a part.
    public init(_ bytes: [UInt8], of total: Int64) {
        self.bytes = bytes
        self.total = total
    }
}
