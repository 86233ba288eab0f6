// The files of attachments: whole ones by their names, partial ones, and those that are just being attached. A file is
// never whole in memory, and what is said to be held is verified and durable. All work on the disk is done on queues
// of its own, so that a slow disk holds up nobody who only exchanges changes.

import ConcordCrypto
import ConcordModel
import Dispatch
import Foundation
import Glibc
import Synchronization

/// The store of attachments' files. What it throws is ``ConcordError``.
public final class BlobStore: Sendable {
    let folder: BlobFolder
    private let writing = DispatchQueue(label: "blobs.writing")
    private let reading = DispatchQueue(label: "blobs.reading")
    private let care = DispatchQueue(label: "blobs.care")
    let importing = DispatchQueue(label: "blobs.importing")
    private let partials = Mutex<[BlobID: PartialBlob]>([:])

    /// Opens the store in a folder, which is made if it is not there. What was being attached when the process ended is
    /// removed: nobody was told that it is held.
    ///
    /// - Throws: ``ConcordError`` E-5005.
    public init(folder path: String) throws {
        folder = BlobFolder(path: path)
        try folder.prepare()
        for name in try BlobFolder.names("\(path)/\(BlobFolder.incoming)") {
            unlink("\(path)/\(BlobFolder.incoming)/\(name)")
        }
    }

    // MARK: What is held

    /// Whether the whole file is here.
    public func holds(_ blob: BlobID) -> Bool { size(of: blob) != nil }

    /// Bytes of a whole file that is here; nil if it is not.
    public func size(of blob: BlobID) -> Int64? { BlobFolder.size(folder.file(blob)) }

    /// Reads a part of a blob that is here, whole or as far as it has come.
    ///
    /// - Returns: at most `count` bytes; nil if they are not here or are not verified.
    public func read(_ blob: BlobID, _ part: BlobPart, at offset: Int64, count: Int) async throws
        -> BlobBytes?
    {
        try await run(on: reading) { [folder] in
            let partial = self.partials.withLock { $0[blob] }
            switch part {
            case .manifest:
                let path =
                    partial == nil
                    ? folder.manifest(blob) : folder.partialFile(blob) + BlobFolder.manifestSuffix
                return try Self.read(path, at: offset, count: count)
            case .content:
                if let bytes = try Self.read(folder.file(blob), at: offset, count: count) { return bytes }
                guard let partial, partial.holds(offset..<min(offset + Int64(count), partial.manifest.size))
                else { return nil }
                return BlobBytes(try partial.file.read(at: offset, count: count), of: partial.manifest.size)
            }
        }
    }

    private static func read(_ path: String, at offset: Int64, count: Int) throws -> BlobBytes? {
        guard let file = try BlobFile.reading(path) else { return nil }
        let size = try file.size()
        guard offset < size || size == 0 else { return nil }
        return BlobBytes(try file.read(at: offset, count: Int(min(Int64(count), size - offset))), of: size)
    }

    /// The names and sizes of all whole files, ascending.
    public func all() async throws -> [(blob: BlobID, size: Int64)] {
        try await run(on: care) { [folder] in
            var found: [(blob: BlobID, size: Int64)] = []
            for shelf in try BlobFolder.names(folder.path) where shelf.utf8.count == 2 {
                for name in try BlobFolder.names("\(folder.path)/\(shelf)") {
                    guard let blob = BlobID(hex: shelf + name),
                        let size = BlobFolder.size("\(folder.path)/\(shelf)/\(name)")
                    else { continue }
                    found.append((blob, size))
                }
            }
            return found
        }
    }

    /// Bytes of everything in the folder.
    public func usage() async throws -> Int64 {
        try await run(on: care) { [folder] in
            var total: Int64 = 0
            for shelf in try BlobFolder.names(folder.path) {
                for name in try BlobFolder.names("\(folder.path)/\(shelf)") {
                    var information = stat()
                    guard lstat("\(folder.path)/\(shelf)/\(name)", &information) == 0 else { continue }
                    // Of a file with holes only what takes room.
                    total += Int64(information.st_blocks) * 512
                }
            }
            return total
        }
    }

    // MARK: Fetching

    /// The files that have come in part, ascending.
    public func partialBlobs() async throws -> [BlobID] {
        try await run(on: care) { [folder] in
            try BlobFolder.names("\(folder.path)/\(BlobFolder.partial)").compactMap { BlobID(hex: $0) }
        }
    }

    /// The file that is open for fetching.
    public func partial(_ blob: BlobID) -> PartialBlob? { partials.withLock { $0[blob] } }

    /// Opens what has come of a file earlier.
    ///
    /// - Returns: nil if nothing has, or what has is damaged; then it is removed.
    public func reopen(_ blob: BlobID) async throws -> PartialBlob? {
        try await run(on: writing) { [folder] in
            if let open = self.partial(blob) { return open }
            let path = folder.partialFile(blob) + BlobFolder.manifestSuffix
            guard
                let bytes = try BlobFile.reading(path).map({
                    try $0.read(at: 0, count: BlobLimits.manifestBytes)
                })
            else { return nil }
            guard BlobManifest.id(ofEncoded: bytes) == blob, let manifest = try? BlobManifest(encoded: bytes)
            else {
                self.removePartial(blob)
                return nil
            }
            return try self.open(manifest, as: blob)
        }
    }

    /// Begins a file of which the manifest has come.
    public func begin(_ manifest: BlobManifest) async throws -> PartialBlob {
        try await run(on: writing) { [folder] in
            let bytes = manifest.encoded()
            let blob = BlobManifest.id(ofEncoded: bytes)
            if let open = self.partial(blob) { return open }
            try BlobFolder.replace(folder.partialFile(blob) + BlobFolder.manifestSuffix, bytes)
            return try self.open(manifest, as: blob)
        }
    }

    private func open(_ manifest: BlobManifest, as blob: BlobID) throws -> PartialBlob {
        let partial = try PartialBlob(manifest, id: blob, in: folder)
        try partial.recover()
        partials.withLock { $0[blob] = partial }
        return partial
    }

    /// Takes bytes of a file that is being fetched.
    public func take(
        _ bytes: [UInt8], of blob: BlobID, at offset: Int64, from source: UInt64
    ) async throws -> StoredPiece {
        try await run(on: writing) {
            guard let partial = self.partial(blob) else { return .outOfPlace }
            return try partial.take(bytes, at: offset, from: source)
        }
    }

    /// Makes a file of which every chunk is verified a whole one. Durable when this returns.
    public func finish(_ blob: BlobID) async throws {
        try await run(on: writing) { [folder] in
            guard let partial = self.partial(blob), partial.isComplete else { return }
            try partial.makeDurable()
            try self.shelve(folder.partialFile(blob), partial.manifest, as: blob)
            self.partials.withLock { $0[blob] = nil }
            self.removePartial(blob)
        }
    }

    /// Closes a file that is being fetched and keeps what has come.
    public func suspend(_ blob: BlobID) async throws {
        try await run(on: writing) {
            try self.partial(blob)?.makeDurable()
            self.partials.withLock { $0[blob] = nil }
        }
    }

    /// Throws away what has come of a file.
    public func discardPartial(_ blob: BlobID) async throws {
        try await run(on: writing) {
            self.partials.withLock { $0[blob] = nil }
            self.removePartial(blob)
        }
    }

    private func removePartial(_ blob: BlobID) {
        for suffix in ["", BlobFolder.stateSuffix, BlobFolder.manifestSuffix] {
            unlink(folder.partialFile(blob) + suffix)
        }
    }

    /// Gives a durable file its name, and the manifest before it: what has a name has a manifest.
    func shelve(_ path: String, _ manifest: BlobManifest, as blob: BlobID) throws {
        let shelf = folder.shelf(of: blob)
        try BlobFolder.makeFolder(shelf)
        try BlobFolder.replace(folder.manifest(blob), manifest.encoded())
        try BlobFolder.rename(path, to: folder.file(blob))
        try BlobFolder.synchronize(shelf)
        try BlobFolder.synchronize(folder.path)
    }

    // MARK: Removing and verifying

    /// Removes a whole file; false if it is not here.
    @discardableResult
    public func remove(_ blob: BlobID) async throws -> Bool {
        try await run(on: writing) { [folder] in
            guard unlink(folder.file(blob)) == 0 else {
                if errno == ENOENT { return false }
                throw BlobFile.refusal(.unwritableHome, "\(folder.file(blob)) cannot be removed")
            }
            unlink(folder.manifest(blob))
            return true
        }
    }

    /// Hashes a whole file anew. One that is damaged is moved aside, so that it counts as missing.
    ///
    /// - Returns: whether it is sound; nil if it is not here.
    public func verify(_ blob: BlobID) async throws -> Bool? {
        try await run(on: care) { [folder] in
            guard let file = try BlobFile.reading(folder.file(blob)) else { return nil }
            let stored = try BlobFile.reading(folder.manifest(blob)).map {
                try $0.read(at: 0, count: BlobLimits.manifestBytes)
            }
            if let stored, BlobManifest.id(ofEncoded: stored) == blob,
                let manifest = try? BlobManifest(encoded: stored), try Self.verify(file, against: manifest)
            {
                return true
            }
            // It may have been removed meanwhile.
            guard self.holds(blob) else { return nil }
            let aside = "\(folder.path)/\(BlobFolder.damaged)"
            try BlobFolder.makeFolder(aside)
            try BlobFolder.rename(folder.file(blob), to: "\(aside)/\(blob)")
            unlink(folder.manifest(blob))
            return false
        }
    }

    private static func verify(_ file: BlobFile, against manifest: BlobManifest) throws -> Bool {
        guard try file.size() == manifest.size else { return false }
        var hash = SHA256()
        for (index, expected) in manifest.chunks.enumerated() {
            let range = manifest.range(ofChunk: index)
            var offset = range.lowerBound
            while offset < range.upperBound {
                let bytes = try file.read(at: offset, count: Int(min(1 << 20, range.upperBound - offset)))
                // A disk that cannot read a part of a file says so with an error; a shorter file ends here.
                guard !bytes.isEmpty else { return false }
                hash.update(bytes)
                offset += Int64(bytes.count)
            }
            guard hash.finalize() == expected else { return false }
        }
        return true
    }

    /// Bytes that this process may still write on the store's disk; nil if the system does not say.
    public var freeBytes: Int64? {
        var information = statvfs()
        guard statvfs(folder.path, &information) == 0 else { return nil }
        return Int64(clamping: UInt64(information.f_bavail) &* UInt64(information.f_frsize))
    }

    /// Runs work on the disk where it holds up nothing else.
    func run<Answer: Sendable>(
        on queue: DispatchQueue? = nil, _ body: @escaping @Sendable () throws -> Answer
    ) async throws -> Answer {
        let result: Result<Answer, any Error> = await withCheckedContinuation { continuation in
            (queue ?? writing).async { continuation.resume(returning: Result(catching: body)) }
        }
        return try mappingErrors { try result.get() }
    }
}
