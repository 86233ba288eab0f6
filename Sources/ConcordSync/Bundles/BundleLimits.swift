// The limits of bundles, mirrored by Protocol/limits.md. They bound what a reader has to store before it knows whether
// it may trust it.

import ConcordModel

/// The limits of bundles.
public enum BundleLimits {
    /// The level that this code writes and reads.
    public static let level: UInt64 = 0
    /// Bytes of a volume as a file, its envelope included.
    public static let volumeBytes = 512 << 20
    /// Bytes that a volume may at least have: room for some frames and a header.
    public static let smallestVolumeBytes = 4 << 20
    /// Volumes of a bundle.
    public static let volumes = 4096
    /// Recipients of a bundle.
    public static let recipients = 256
    /// Bytes of the frame with the header.
    public static let headerBytes = Limits.frameBytes
    /// Bytes of changes or receipts that a writer puts into one frame; own choice.
    public static let frameAim = 256 << 10
    /// Bytes of a file in one frame; own choice up to the limit of a piece.
    public static let pieceBytes = SyncLimits.largestPieceBytes
}
