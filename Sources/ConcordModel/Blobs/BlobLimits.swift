// The limits of attachments, binding for every node, mirrored by the chapter Protocol/limits.md.

/// The limits of blobs.
public enum BlobLimits {
    /// Bytes of the smallest chunk; the larger ones are this times a power of two.
    public static let smallestChunkBytes = 256 << 10
    /// Bytes of the largest chunk.
    public static let largestChunkBytes = 64 << 20
    /// Chunks of a blob: the chunk is as small as this allows.
    public static let chunks = 16_384
    /// Bytes of a blob.
    public static let blobBytes = 1 << 40
    /// Bytes of an encoded manifest: the hashes of all chunks and what stands before them.
    public static let manifestBytes = 32 * chunks + 32
}
