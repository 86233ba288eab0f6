// A file that is being attached here: written and hashed as it comes, and named when it has ended. How large its chunks
// are depends on its size, which may not be known before: then it is hashed once more.

import ConcordCrypto
import ConcordModel
import Glibc

/// What was attached.
public struct ImportedBlob: Hashable, Sendable {
    /// Its name.
    public let id: BlobID
    /// Bytes.
    public let size: Int64
    /// The SHA-256 of the whole file, for people.
    public let sha256: Digest
}

/// A file on its way into the store. One caller at a time.
public actor BlobImport {
    private let store: BlobStore
    private let file: BlobFile
    private let expectedChunkBytes: Int
    private var writer: Hashing?
    private var size: Int64 = 0

    /// The hashes of what has come.
    private final class Hashing: Sendable {
        private let state: Confined

        /// Used by one queue at a time: the actor hands it over with each piece and waits.
        private final class Confined: @unchecked Sendable {
            var whole = SHA256()
            var chunk = SHA256()
            var chunkBytes = 0
            var chunks: [Digest] = []
        }

        init() { state = Confined() }

        func take(_ bytes: [UInt8], chunkBytes: Int) {
            bytes.withUnsafeBytes { buffer in
                state.whole.update(buffer)
                var rest = buffer[...]
                while !rest.isEmpty {
                    let part = rest.prefix(chunkBytes - state.chunkBytes)
                    state.chunk.update(UnsafeRawBufferPointer(rebasing: part))
                    state.chunkBytes += part.count
                    rest = rest.dropFirst(part.count)
                    if state.chunkBytes == chunkBytes { endChunk() }
                }
            }
        }

        private func endChunk() {
            state.chunks.append(state.chunk.finalize())
            state.chunkBytes = 0
        }

        func finish() -> (whole: Digest, chunks: [Digest]) {
            if state.chunkBytes > 0 { endChunk() }
            return (state.whole.finalize(), state.chunks)
        }
    }

    init(store: BlobStore, path: String, expectedSize: Int64?) throws {
        self.store = store
        file = try BlobFile.writing(path)
        expectedChunkBytes = BlobManifest.chunkBytes(
            forSize: min(expectedSize ?? 0, Int64(BlobLimits.blobBytes)))
        writer = Hashing()
    }

    /// Takes the next bytes.
    ///
    /// - Throws: ``ConcordError`` E-3002 if the file becomes too large, E-5004 if the disk is full.
    public func append(_ bytes: [UInt8]) async throws {
        guard let writer else { preconditionFailure("an import goes on after its end") }
        guard size + Int64(bytes.count) <= Int64(BlobLimits.blobBytes) else {
            throw ConcordError(
                .limitExceeded, "an attachment has at most \(BlobLimits.blobBytes) bytes",
                action: "split the file")
        }
        let (offset, file, chunkBytes) = (size, file, expectedChunkBytes)
        size += Int64(bytes.count)
        try await store.run(on: store.importing) {
            writer.take(bytes, chunkBytes: chunkBytes)
            try file.write(bytes, at: offset)
            file.startWriteback(offset..<offset + Int64(bytes.count))
        }
    }

    /// Names the file and makes it durable.
    public func finish() async throws -> ImportedBlob {
        guard let writer else { preconditionFailure("an import ends once") }
        self.writer = nil
        let (size, file, store, expected) = (size, file, store, expectedChunkBytes)
        let (manifest, whole) = try await store.run(on: store.importing) {
            var (whole, chunks) = writer.finish()
            let chunkBytes = BlobManifest.chunkBytes(forSize: size)
            if chunkBytes != expected {
                let again = Hashing()
                var offset: Int64 = 0
                while offset < size {
                    let bytes = try file.read(at: offset, count: 1 << 20)
                    guard !bytes.isEmpty else {
                        throw ConcordError(.storeFailure, "\(file.path) ends before its end")
                    }
                    again.take(bytes, chunkBytes: chunkBytes)
                    offset += Int64(bytes.count)
                }
                (whole, chunks) = again.finish()
            }
            try file.synchronize()
            return (try BlobManifest(size: size, chunks: chunks), whole)
        }
        let id = manifest.id
        try await store.run {
            if store.holds(id) {
                unlink(file.path)
            } else {
                try store.shelve(file.path, manifest, as: id)
            }
        }
        return ImportedBlob(id: id, size: size, sha256: whole)
    }

    /// Throws away what has come.
    public func abandon() {
        writer = nil
        unlink(file.path)
    }
}

extension BlobStore {
    /// Begins to take in a file.
    ///
    /// - Parameter expectedSize: its size as far as it is known; a wrong one costs time and nothing else.
    public func beginImport(expectedSize: Int64?) throws -> BlobImport {
        let name = hexadecimal(try mappingErrors { try Randomness.bytes(16) })
        return try BlobImport(
            store: self, path: "\(folder.path)/\(BlobFolder.incoming)/\(name)", expectedSize: expectedSize)
    }
}
