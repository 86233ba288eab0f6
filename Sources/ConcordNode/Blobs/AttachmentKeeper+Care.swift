// Clearing away, dropping and checking the files of attachments.

import ConcordModel
import ConcordStore
import ConcordSync

extension AttachmentKeeper {
    /// Whether it is time to look for files that nothing names.
    var isSweepDue: Bool {
        needsSweep || ContinuousClock.now - sweptAt > BlobPolicyLimits.longestSweepInterval
    }

    /// Removes what was erased, and what no record has named for long.
    ///
    /// - Parameter atOnce: whether everything that no record names is removed, however recently that came about.
    /// - Returns: what was removed.
    @discardableResult
    func sweep(atOnce: Bool = false) async -> (count: Int64, bytes: Int64) {
        var removed: (count: Int64, bytes: Int64) = (0, 0)
        needsSweep = false
        sweptAt = .now
        do {
            await scan()
            let held = Dictionary(try await blobs.all()) { first, _ in first }
            let partial = try await blobs.partialBlobs().filter { !plan.wants($0) }
            let shown = Set(references.filter { $0.value.contains(where: \.isShown) }.keys)
            let candidates = (held.keys + partial).filter { !shown.contains($0) }
            let disused = try await store.disused(candidates, now: clock())
            for (blob, disuse) in disused where !pinned.contains(blob) {
                if case .unused(let since) = disuse, !atOnce, since + BlobPolicyLimits.keptUnused > clock() {
                    continue
                }
                try await blobs.discardPartial(blob)
                if try await blobs.remove(blob) {
                    removed.count += 1
                    removed.bytes += held[blob] ?? 0
                }
                try await store.forget(blob)
                logger.info("an attachment that nothing names is removed", metadata: ["blob": "\(blob)"])
            }
            usedBytes = try await blobs.usage()
        } catch {
            report("attachments cannot be cleared away", error)
        }
        return removed
    }

    /// Removes a file that is here; false if it is not.
    func drop(_ blob: BlobID) async throws -> Bool {
        let size = blobs.size(of: blob) ?? 0
        requested.remove(blob)
        guard try await blobs.remove(blob) else { return false }
        usedBytes -= size
        await scan()
        return true
    }

    /// Hashes all files anew; those that are damaged are moved aside and fetched again.
    ///
    /// - Returns: the damaged ones, and how many bytes were hashed.
    func verify() async throws -> (checked: Int64, bytes: Int64, damaged: [BlobID]) {
        var result: (checked: Int64, bytes: Int64, damaged: [BlobID]) = (0, 0, [])
        for (blob, size) in try await blobs.all() {
            guard let isSound = try await blobs.verify(blob) else { continue }
            result.checked += 1
            result.bytes += size
            guard !isSound else { continue }
            result.damaged.append(blob)
            requested.insert(blob)
            warn(ConcordError(.damagedBlob, "attachment \(blob) is damaged and is fetched again"))
        }
        if !result.damaged.isEmpty { await scan() }
        return result
    }
}
