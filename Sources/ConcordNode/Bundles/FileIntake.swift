// The files of a volume, on their way into the store of files. Only what a record of the space names is taken, and only if
// it verifies; a file that comes in part waits for the rest, from another volume or from a peer.

import ConcordModel
import ConcordStore
import ConcordSync

/// Takes in the files of one volume.
struct FileIntake {
    private enum Progress {
        case manifest([UInt8])
        case open
        /// It is here already, or nothing names it.
        case passedOver
    }

    let space: SpaceID
    let store: ReplicaStore
    let attachments: AttachmentKeeper
    /// Files that became whole.
    private(set) var completed: Int64 = 0
    /// Why a file could not be taken; nil if all could.
    private(set) var shortfall: ConcordError?
    /// A file of which no record here says anything.
    private(set) var unnamed: BlobID?
    private var files: [BlobID: Progress] = [:]
    /// The one that is on its way.
    private var current: BlobID?

    init(space: SpaceID, store: ReplicaStore, attachments: AttachmentKeeper) {
        self.space = space
        self.store = store
        self.attachments = attachments
    }

    /// Takes a piece of a manifest or of a file.
    mutating func take(_ bytes: BlobBytes, at place: BlobPlace) async throws {
        switch (place.part, files[place.blob]) {
        case (.manifest, nil) where place.offset == 0:
            await turn(to: place.blob)
            files[place.blob] = .manifest([])
            try await gather(bytes, at: place)
        case (.manifest, .manifest): try await gather(bytes, at: place)
        case (.content, .open): try await store(bytes, at: place)
        case (_, .open), (_, .passedOver): break
        default:
            throw ConcordError(.alteredBundle, "the bundle holds a part of a file without its beginning")
        }
    }

    /// The volume is read: what is not whole is set aside.
    mutating func end() async { await turn(to: nil) }

    /// Files come one after another: what is begun and not whole when the next comes waits for another volume, or a peer.
    private mutating func turn(to next: BlobID?) async {
        if let current {
            if case .open? = files[current] { await attachments.setAside(current) }
            files[current] = .passedOver
        }
        current = next
    }

    private mutating func gather(_ bytes: BlobBytes, at place: BlobPlace) async throws {
        guard case .manifest(let before)? = files[place.blob], Int64(before.count) == place.offset else {
            throw ConcordError(.alteredBundle, "the bundle holds a part of a manifest out of its place")
        }
        let manifest = before + bytes.bytes
        files[place.blob] = .manifest(manifest)
        guard Int64(manifest.count) >= bytes.total else { return }
        files[place.blob] = try await begin(place.blob, manifest)
    }

    private mutating func begin(_ blob: BlobID, _ bytes: [UInt8]) async throws -> Progress {
        guard BlobManifest.id(ofEncoded: bytes) == blob else {
            throw ConcordError(.blobMismatch, "the manifest of attachment \(blob) does not verify")
        }
        let manifest = try BlobManifest(encoded: bytes)
        guard try store.namedSizes(of: blob, in: space).contains(manifest.size) else {
            unnamed = unnamed ?? blob
            return .passedOver
        }
        guard try await attachments.beginCarried(manifest, as: blob) else { return .passedOver }
        if try await attachments.finishCarried(blob) {
            completed += 1
            return .passedOver
        }
        return .open
    }

    private mutating func store(_ bytes: BlobBytes, at place: BlobPlace) async throws {
        switch try await attachments.takeCarried(bytes.bytes, of: place.blob, at: place.offset) {
        case .refused:
            throw ConcordError(
                .blobMismatch, "a chunk of attachment \(place.blob) in the bundle does not verify")
        case .outOfPlace:
            shortfall =
                shortfall
                ?? ConcordError(
                    .incompleteBundle,
                    "a part of attachment \(place.blob) comes before the part that it continues",
                    action: "import the volumes before, then this one again")
        case .taken: break
        case .completedChunk:
            guard try await attachments.finishCarried(place.blob) else { return }
            files[place.blob] = .passedOver
            completed += 1
        }
    }
}
