// Files that come in bundles. They lie beside those that are fetched from peers, so that a file may come half by the one
// way and half by the other.

import ConcordModel
import ConcordStore
import ConcordSync

extension AttachmentKeeper {
    /// Tells bytes that came in a bundle from those of peers.
    private static let courier = UInt64.max

    /// Opens a file of which a bundle brings bytes.
    ///
    /// - Returns: false if it is here already.
    /// - Throws: ``ConcordError`` E-5004 if the disk has no room for it.
    func beginCarried(_ manifest: BlobManifest, as blob: BlobID) async throws -> Bool {
        guard !blobs.holds(blob) else { return false }
        if let free = blobs.freeBytes, free < manifest.size + policy.reservedBytes {
            throw ConcordError(
                .diskFull, "an attachment of \(manifest.size) bytes needs more room than the disk has")
        }
        if try await blobs.reopen(blob) == nil { _ = try await blobs.begin(manifest) }
        return true
    }

    /// Takes bytes of a file, without those of them that have come already.
    func takeCarried(_ bytes: [UInt8], of blob: BlobID, at offset: Int64) async throws -> StoredPiece {
        var (bytes, offset) = (bytes, offset)
        while true {
            // What is fetched at the same time may have set the file aside.
            let reopened = try await blobs.reopen(blob)
            guard let partial = reopened else { return blobs.holds(blob) ? .taken : .outOfPlace }
            let chunk = Int(offset / Int64(partial.manifest.chunkBytes))
            guard partial.manifest.chunks.indices.contains(chunk) else { return .outOfPlace }
            let next = partial.manifest.range(ofChunk: chunk).lowerBound + partial.received(ofChunk: chunk)
            guard next < offset + Int64(bytes.count) else { return .taken }
            if next > offset {
                bytes.removeFirst(Int(next - offset))
                offset = next
            }
            let stored = try await blobs.take(bytes, of: blob, at: offset, from: Self.courier)
            // Another source was faster in between: what it brought is left out.
            if stored == .outOfPlace,
                partial.received(ofChunk: chunk) > next - partial.manifest.range(ofChunk: chunk).lowerBound
            {
                continue
            }
            return stored
        }
    }

    /// Makes a file whole of which nothing is missing any more.
    ///
    /// - Returns: whether it is whole.
    func finishCarried(_ blob: BlobID) async throws -> Bool {
        guard blobs.partial(blob)?.isComplete ?? false else { return false }
        try await blobs.finish(blob)
        guard blobs.holds(blob) else { return false }
        logger.info("an attachment is here", metadata: ["blob": "\(blob)"])
        announce(blob)
        return true
    }

    /// Closes a file that came in part, unless it is being fetched.
    func setAside(_ blob: BlobID) async {
        guard !plan.wants(blob) else { return }
        do {
            try await blobs.suspend(blob)
        } catch {
            report("an attachment cannot be stored", error)
        }
    }
}
