// The limits of the exchange between two nodes, beside those of the format (ConcordModel/Limits.swift); both
// are mirrored by the chapter Protocol/limits.md. A peer that passes one of them is at fault and its session
// ends.

import ConcordModel

/// The limits of the wire messages of `concord/0`.
public enum SyncLimits {
    /// The protocol levels that this code speaks.
    public static let levels: ClosedRange<UInt64> = 0...0
    /// Bytes of one frame.
    public static let frameBytes = Limits.frameBytes
    /// Bytes of `Changes` frames that a side may send in one session before they are acknowledged.
    public static let windowBytes = 2 << 20
    /// What a side has on its way before a rate is measured: two seconds at 64 kbit/s.
    public static let firstWindowBytes = 16 << 10
    /// What it has on its way at least when there is more to send, however slow the way is.
    public static let smallestWindowBytes = 8 << 10
    /// The smallest size that a side aims at when it cuts what a peer lacks into frames.
    public static let smallestFrameBytes = 4 << 10
    /// The largest size that a side aims at: several frames fit into the window, so that one is read, one
    /// travels and one is applied at the same time.
    public static let largestFrameBytes = 256 << 10
    /// Runs of one `Changes` frame.
    public static let runsPerFrame = 8192
    /// Changes of one run.
    public static let changesPerRun = 16_384
    /// Receipts of one `Receipts` frame.
    public static let receiptsPerFrame = 256
    /// Receipts of a space that a side sends in ten minutes.
    public static let receiptsSent = 1024
    /// Receipts of a space that a side takes in ten minutes: more than honest clocks and links can bunch together.
    public static let receiptsTaken = 4096
    /// The smallest piece of a file that a side asks for while more is missing: half a second at 64 kbit/s.
    public static let smallestPieceBytes = 2 << 10
    /// The largest piece of a file.
    public static let largestPieceBytes = 256 << 10
    /// Bytes of files that a side has on their way to it at most, of one peer.
    public static let pieceWindowBytes = 4 << 20
    /// Pieces of files that a side may have asked for and not got.
    public static let piecesAsked = 2048
    /// Spaces named by one `Hello`.
    public static let spaces = 1024
    /// Features named by one `Hello`.
    public static let features = 32
    /// Addresses named by one `Hello`.
    public static let addresses = 16
    /// Bytes of one address.
    public static let addressBytes = 280
    /// Bytes of the name of a node.
    public static let nodeNameBytes = 256
    /// Bytes of an error code.
    public static let codeBytes = 16
    /// Bytes of the sentence of an `Error` or `Goodbye`.
    public static let sentenceBytes = 512
    /// Message types from here on are read past: room for later levels.
    public static let firstIgnoredType: UInt64 = 64
}
