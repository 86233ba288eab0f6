// Cuts what a bundle holds into volumes. Frames are never cut, and a file only between its chunks where a chunk fits into
// a volume; so each volume can be taken in by itself once the changes of those before it are there.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// Gathers frames in volumes of a given size. They lie one after another in one file.
final class BundleVolumeWriter {
    /// A volume that has no header yet.
    final class Draft {
        /// Where its frames begin in the file.
        let start: Int64
        var byteCount: Int64 = 0
        var hash = SHA256()
        var counts = BundleCounts()
        let from: VersionVector
        var to: VersionVector

        init(start: Int64, from: VersionVector) {
            self.start = start
            self.from = from
            to = from
        }
    }

    /// The frames of all volumes.
    let file: ScratchFile
    /// Bytes of frames in one volume.
    let budget: Int
    private(set) var drafts: [Draft] = []

    /// Begins the first volume.
    ///
    /// - Parameter base: what the recipients hold already.
    init(folder: ScratchFolder, budget: Int, base: VersionVector) throws {
        self.budget = budget
        file = try ScratchFile(in: folder)
        drafts = [Draft(start: 0, from: base)]
    }

    private var current: Draft { drafts[drafts.count - 1] }

    /// Bytes of frames that still fit into the current volume.
    var room: Int { budget - Int(current.byteCount) }

    /// Begins another volume unless so many bytes fit into the current one, or that one is empty.
    ///
    /// - Returns: whether it did.
    @discardableResult
    func reserve(_ byteCount: Int) throws -> Bool {
        guard byteCount > room, current.byteCount > 0 else { return false }
        guard drafts.count < BundleLimits.volumes else {
            throw ConcordError(
                .limitExceeded, "a bundle has at most \(BundleLimits.volumes) volumes",
                action: "make larger volumes with --volume-size")
        }
        drafts.append(Draft(start: file.byteCount, from: current.to))
        return true
    }

    /// Adds changes.
    func add(_ runs: [ChangeRun], in space: SpaceID) throws {
        let frame = try BundleFrames.changes(space, runs)
        try append(frame)
        for run in runs {
            current.counts.changes += UInt64(run.changes.count)
            current.to.raise(run.chain, to: run.lastSequence)
        }
    }

    /// Adds receipts.
    func add(_ receipts: [Receipt], in space: SpaceID) throws {
        for (frame, count) in BundleFrames.receipts(space, receipts) {
            try append(frame)
            current.counts.receipts += UInt64(count)
        }
    }

    /// Adds a piece of a file.
    func add(_ place: BlobPlace, _ bytes: BlobBytes) throws { try append(BundleFrames.piece(place, bytes)) }

    /// Counts a file in the current volume.
    func countFile() { current.counts.files += 1 }

    private func append(_ frame: [UInt8]) throws {
        try reserve(frame.count)
        try Task.checkCancellation()
        try file.append(frame)
        current.byteCount += Int64(frame.count)
        current.hash.update(frame)
    }
}
