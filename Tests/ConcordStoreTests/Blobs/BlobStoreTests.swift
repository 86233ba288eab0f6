// The store of files: what has a name is whole; what was cut off anywhere goes on where it stopped; what is damaged is
// found and set aside.

import ConcordCrypto
import ConcordModel
import Foundation
import Testing

@testable import ConcordStore

/// A folder that goes with its last reference.
final class BlobTestFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("blobs-\(UUID())").path
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func store() throws -> BlobStore { try BlobStore(folder: path) }
}

/// Bytes that differ from place to place.
func blobBytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    var state = UInt64(seed) | 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

extension BlobManifest {
    /// The manifest of a whole file.
    init(of bytes: [UInt8]) throws {
        let chunkBytes = Self.chunkBytes(forSize: Int64(bytes.count))
        try self.init(
            size: Int64(bytes.count),
            chunks: stride(from: 0, to: bytes.count, by: chunkBytes).map {
                SHA256.hash(Array(bytes[$0..<min($0 + chunkBytes, bytes.count)]))
            })
    }
}

extension BlobStore {
    /// Attaches bytes in pieces of odd lengths.
    func attach(_ bytes: [UInt8], expecting size: Int64?) async throws -> ImportedBlob {
        let file = try beginImport(expectedSize: size)
        var offset = 0
        while offset < bytes.count {
            let count = min(77_777, bytes.count - offset)
            try await file.append(Array(bytes[offset..<offset + count]))
            offset += count
        }
        return try await file.finish()
    }

    /// The whole content.
    func content(_ blob: BlobID) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        guard let size = size(of: blob) else { return nil }
        while Int64(bytes.count) < size {
            guard let more = try await read(blob, .content, at: Int64(bytes.count), count: 100_000) else {
                return nil
            }
            bytes += more.bytes
        }
        return bytes
    }
}

@Suite("The store of files")
struct BlobStoreTests {
    private let chunk = BlobLimits.smallestChunkBytes

    @Test(
        "an attached file is named by its manifest, whatever size was expected",
        arguments: [0, 1, 262_144, 700_000])
    func attaching(size: Int) async throws {
        let folder = BlobTestFolder()
        let store = try folder.store()
        let bytes = blobBytes(size)
        let manifest = try BlobManifest(of: bytes)
        for expected in [Int64(size), nil, 9_000_000_000] {
            let imported = try await store.attach(bytes, expecting: expected)
            #expect(imported == ImportedBlob(id: manifest.id, size: Int64(size), sha256: SHA256.hash(bytes)))
        }
        #expect(try await store.content(manifest.id) == bytes)
        let stored = try await store.read(manifest.id, .manifest, at: 0, count: BlobLimits.manifestBytes)
        #expect(stored?.bytes == manifest.encoded())
        #expect(try await store.all().map(\.blob) == [manifest.id])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming").isEmpty)
    }

    @Test("a file that is cut off anywhere, even by a kill, goes on where it stopped")
    func resuming() async throws {
        let folder = BlobTestFolder()
        let bytes = blobBytes(3 * chunk + 1000)
        let manifest = try BlobManifest(of: bytes)
        var taken = 0
        var sources: UInt64 = 0
        while taken < bytes.count {
            // A new store over the same folder is what a killed process leaves behind.
            let store = try folder.store()
            sources += 1
            let partial: PartialBlob
            if let reopened = try await store.reopen(manifest.id) {
                partial = reopened
                #expect(partial.receivedBytes == Int64(taken))
            } else {
                #expect(taken == 0)
                partial = try await store.begin(manifest)
            }
            for _ in 0..<3 where taken < bytes.count {
                let chunkEnd = (taken / chunk + 1) * chunk
                let count = min(90_001, bytes.count - taken, chunkEnd - taken)
                let result = try await store.take(
                    Array(bytes[taken..<taken + count]), of: manifest.id, at: Int64(taken), from: sources)
                taken += count
                #expect(result == (taken == chunkEnd || taken == bytes.count ? .completedChunk : .taken))
            }
            guard partial.isComplete else { continue }
            #expect(!store.holds(manifest.id))
            try await store.finish(manifest.id)
            #expect(try await store.content(manifest.id) == bytes)
            #expect(try await store.partialBlobs().isEmpty)
        }
    }

    @Test("a chunk that does not verify is forgotten, and a peer blamed only if all of it was its own")
    func wrongBytes() async throws {
        let folder = BlobTestFolder()
        let store = try folder.store()
        let bytes = blobBytes(chunk)
        let manifest = try BlobManifest(of: bytes)
        let partial = try await store.begin(manifest)
        var wrong = bytes
        wrong[chunk - 1] ^= 1
        func take(_ bytes: ArraySlice<UInt8>, _ source: UInt64) async throws -> StoredPiece {
            try await store.take(Array(bytes), of: manifest.id, at: Int64(bytes.startIndex), from: source)
        }
        #expect(try await take(wrong[0..<100], 1) == .taken)
        #expect(try await take(wrong[100...], 2) == .refused(byOne: false))
        #expect(partial.receivedBytes == 0)
        #expect(try await take(wrong[0..<100], 3) == .taken)
        #expect(try await take(wrong[100...], 3) == .refused(byOne: true))
        #expect(try await take(bytes[100...], 3) == .outOfPlace)
        #expect(!partial.holds(0..<10))
        #expect(try await take(bytes[0...], 3) == .completedChunk)
        #expect(partial.holds(0..<10))
    }

    @Test("bytes that a crash left behind damaged are found and fetched anew")
    func tornResume() async throws {
        let folder = BlobTestFolder()
        let bytes = blobBytes(2 * chunk)
        let manifest = try BlobManifest(of: bytes)
        let before = try folder.store()
        _ = try await before.begin(manifest)
        _ = try await before.take(Array(bytes[..<chunk]), of: manifest.id, at: 0, from: 1)
        _ = try await before.take(
            Array(bytes[chunk..<chunk + 10]), of: manifest.id, at: Int64(chunk), from: 1)
        // The record says that the chunk has come; the disk has something else.
        let file = try BlobFile.writing(before.folder.partialFile(manifest.id))
        try file.write([0xff, 0xfe], at: 1000)
        let partial = try #require(try await folder.store().reopen(manifest.id))
        #expect(partial.missingChunks().map(\.index) == [0, 1])
        #expect(partial.missingChunks().map(\.received) == [0, 10])
    }

    @Test("a manifest that is not the one of its name is no manifest")
    func wrongManifest() async throws {
        let folder = BlobTestFolder()
        let manifest = try BlobManifest(of: blobBytes(10))
        let store = try folder.store()
        _ = try await store.begin(manifest)
        try await store.suspend(manifest.id)
        let path = store.folder.partialFile(manifest.id) + BlobFolder.manifestSuffix
        try BlobFolder.replace(path, try BlobManifest(of: blobBytes(11)).encoded())
        #expect(try await store.reopen(manifest.id) == nil)
        #expect(try await store.partialBlobs().isEmpty)
    }

    @Test("a damaged file is moved aside and counts as missing")
    func verifying() async throws {
        let folder = BlobTestFolder()
        let store = try folder.store()
        let (good, bad) = (
            try await store.attach(blobBytes(300_000), expecting: nil).id,
            try await store.attach(blobBytes(300_000, seed: 9), expecting: nil).id
        )
        try BlobFile.writing(store.folder.file(bad)).write([0, 0, 0], at: 270_000)
        #expect(try await store.verify(good) == true)
        #expect(try await store.verify(bad) == false)
        #expect(try await store.verify(bad) == nil)
        #expect(store.holds(good) && !store.holds(bad))
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/damaged/\(bad)"))
    }

    @Test("parts of a file that are not verified are given to nobody")
    func partialServing() async throws {
        let folder = BlobTestFolder()
        let store = try folder.store()
        let bytes = blobBytes(2 * chunk)
        let manifest = try BlobManifest(of: bytes)
        _ = try await store.begin(manifest)
        _ = try await store.take(Array(bytes[chunk...]), of: manifest.id, at: Int64(chunk), from: 1)
        _ = try await store.take(Array(bytes[..<100]), of: manifest.id, at: 0, from: 1)
        #expect(try await store.read(manifest.id, .content, at: 0, count: 100) == nil)
        #expect(try await store.read(manifest.id, .content, at: Int64(chunk) - 1, count: 2) == nil)
        let second = try await store.read(manifest.id, .content, at: Int64(chunk), count: 50)
        #expect(second == BlobBytes(Array(bytes[chunk..<chunk + 50]), of: manifest.size))
        #expect(
            try await store.read(manifest.id, .manifest, at: 0, count: 9)?.total
                == Int64(manifest.encoded().count))
    }

    @Test("an import that is abandoned, or that a kill ends, leaves nothing")
    func abandoning() async throws {
        let folder = BlobTestFolder()
        let store = try folder.store()
        let first = try store.beginImport(expectedSize: 10)
        try await first.append([1, 2, 3])
        await first.abandon()
        let second = try store.beginImport(expectedSize: 10)
        try await second.append([1, 2, 3])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming").count == 1)
        _ = try folder.store()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming").isEmpty)
    }

    @Test("a folder that cannot be written is refused with a code")
    func unwritable() throws {
        #expect {
            try BlobStore(folder: "/proc/blobs")
        } throws: { ($0 as? ConcordError)?.code == .unwritableHome }
    }

    @Test("a full disk is told apart")
    func fullDisk() throws {
        // /dev/full takes nothing, like a disk without room.
        let file = try BlobFile.writing("/dev/full")
        #expect {
            try file.write([1], at: 0)
        } throws: { ($0 as? ConcordError)?.code == .diskFull }
    }
}
