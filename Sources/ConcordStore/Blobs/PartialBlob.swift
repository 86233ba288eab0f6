// A file of which parts are still missing. Bytes of a chunk are taken in their order and hashed as they come; a chunk
// counts once its hash is what the manifest says. How far each chunk has come stands in a file beside it, so that a
// process that is killed goes on where it stopped:
//
//     state = for each chunk 4 bytes, big-endian: the bytes that have come, and in the highest bit whether the chunk is
//             verified and durable
//
// A record may be ahead of the disk after a power cut, but never with that bit: what lacks it is hashed anew.

import ConcordCrypto
import ConcordModel
import Synchronization

/// What became of bytes that were stored.
public enum StoredPiece: Hashable, Sendable {
    /// They were taken; more of the chunk is missing.
    case taken
    /// They completed a chunk, which is verified.
    case completedChunk
    /// They completed a chunk whose hash is another; nothing of it is kept.
    ///
    /// - Parameter byOne: whether all of it came from one peer, who is to blame then.
    case refused(byOne: Bool)
    /// They do not continue what is there, because what they were asked for has come otherwise.
    case outOfPlace
}

/// A file that is being fetched.
public final class PartialBlob: Sendable {
    /// The hash of a chunk's beginning. Only the one caller that takes bytes touches it.
    private final class Progress: @unchecked Sendable {
        var hash = SHA256()
        /// Who sent it; nil if that is not known or there were several.
        var source: UInt64?
        var isMixed: Bool

        init(isMixed: Bool) { self.isMixed = isMixed }
    }

    private struct State {
        /// The bytes of each chunk that have come.
        var received: [Int32]
        /// Whether each is verified.
        var isVerified: [Bool]
        var isDurable: [Bool]
        var open: [Int: Progress] = [:]
        var missing: Int
        var unsynchronized: Int64 = 0
    }

    private static let durableBit: UInt32 = 1 << 31
    /// Bytes after which what came is made durable.
    private static let durableInterval: Int64 = 64 << 20

    /// The file's name.
    public let id: BlobID
    /// What it consists of.
    public let manifest: BlobManifest
    let file: BlobFile
    private let record: BlobFile
    private let state: Mutex<State>

    /// Opens or begins a file in `folder`.
    init(_ manifest: BlobManifest, id: BlobID, in folder: BlobFolder) throws {
        self.id = id
        self.manifest = manifest
        let path = folder.partialFile(id)
        file = try BlobFile.writing(path)
        record = try BlobFile.writing(path + BlobFolder.stateSuffix)
        var state = State(
            received: Array(repeating: 0, count: manifest.chunks.count),
            isVerified: Array(repeating: false, count: manifest.chunks.count),
            isDurable: Array(repeating: false, count: manifest.chunks.count), missing: manifest.chunks.count)
        let bytes = try record.read(at: 0, count: manifest.chunks.count * 4)
        for index in 0..<bytes.count / 4 {
            let word = bytes[index * 4..<index * 4 + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let length = manifest.range(ofChunk: index).count
            let isDurable = word & Self.durableBit != 0
            state.received[index] =
                isDurable ? Int32(length) : Int32(min(Int(word & ~Self.durableBit), length))
            if isDurable {
                state.isVerified[index] = true
                state.isDurable[index] = true
                state.missing -= 1
            }
        }
        self.state = Mutex(state)
    }

    /// Whether every chunk is verified.
    public var isComplete: Bool { state.withLock { $0.missing == 0 } }

    /// Bytes that have come.
    public var receivedBytes: Int64 { state.withLock { $0.received.reduce(0) { $0 + Int64($1) } } }

    /// How many bytes of a chunk have come; all of them only if it is verified.
    public func received(ofChunk index: Int) -> Int64 { state.withLock { Int64($0.received[index]) } }

    /// The chunks that are not verified, ascending, each with the bytes of it that have come.
    public func missingChunks() -> [(index: Int, received: Int64)] {
        state.withLock { state in
            state.isVerified.indices.filter { !state.isVerified[$0] }.map { ($0, Int64(state.received[$0])) }
        }
    }

    /// Whether these bytes are verified, so that others may have them.
    public func holds(_ range: Range<Int64>) -> Bool {
        guard range.lowerBound >= 0, range.upperBound <= manifest.size, !range.isEmpty else { return false }
        let first = Int(range.lowerBound / Int64(manifest.chunkBytes))
        let last = Int((range.upperBound - 1) / Int64(manifest.chunkBytes))
        return state.withLock { state in (first...last).allSatisfy { state.isVerified[$0] } }
    }

    // MARK: Taking bytes; one caller at a time

    /// Hashes what was there when the file was opened and has come without being verified: some chunks turn out to be
    /// complete, the others go on where they stopped.
    func recover() throws {
        let found = state.withLock { state in
            state.isVerified.indices.filter { !state.isVerified[$0] && state.received[$0] > 0 }
        }
        for index in found {
            let range = manifest.range(ofChunk: index)
            let count = Int64(received(ofChunk: index))
            let progress = Progress(isMixed: true)
            var offset = range.lowerBound
            while offset < range.lowerBound + count {
                let piece = try file.read(
                    at: offset, count: Int(min(1 << 20, range.lowerBound + count - offset)))
                if piece.isEmpty { break }
                progress.hash.update(piece)
                offset += Int64(piece.count)
            }
            let read = offset - range.lowerBound
            if read == Int64(range.count) {
                _ = settle(index, progress)
            } else {
                state.withLock { $0.received[index] = read < count ? 0 : Int32(count) }
                if read == count { state.withLock { $0.open[index] = progress } }
            }
            try writeRecord(of: index)
        }
    }

    /// Takes bytes of the content.
    ///
    /// - Parameter source: tells peers apart.
    /// - Throws: ``ConcordError`` E-5004 or E-5005; then nothing was taken.
    func take(_ bytes: [UInt8], at offset: Int64, from source: UInt64) throws -> StoredPiece {
        let index = Int(offset / Int64(manifest.chunkBytes))
        guard manifest.chunks.indices.contains(index) else { return .outOfPlace }
        let range = manifest.range(ofChunk: index)
        let continues = state.withLock { state in
            !state.isVerified[index] && Int64(state.received[index]) == offset - range.lowerBound
        }
        guard continues, offset + Int64(bytes.count) <= range.upperBound, !bytes.isEmpty else {
            return .outOfPlace
        }
        try file.write(bytes, at: offset)
        let isLast = offset + Int64(bytes.count) == range.upperBound
        let result = state.withLock { state -> StoredPiece in
            let progress = state.open[index] ?? Progress(isMixed: offset != range.lowerBound)
            state.open[index] = progress
            if progress.source == nil { progress.source = source }
            if progress.source != source { progress.isMixed = true }
            progress.hash.update(bytes)
            state.received[index] += Int32(bytes.count)
            state.unsynchronized += Int64(bytes.count)
            guard isLast else { return .taken }
            return Self.settle(&state, index, manifest.chunks[index])
        }
        if result == .completedChunk { file.startWriteback(range) }
        try writeRecord(of: index)
        if state.withLock({ $0.unsynchronized >= Self.durableInterval }) { try makeDurable() }
        return result
    }

    private func settle(_ index: Int, _ progress: Progress) -> StoredPiece {
        let isGood = progress.hash.finalize() == manifest.chunks[index]
        return state.withLock { state in
            state.open[index] = nil
            guard isGood else {
                state.received[index] = 0
                return .refused(byOne: false)
            }
            state.received[index] = Int32(manifest.range(ofChunk: index).count)
            state.isVerified[index] = true
            state.missing -= 1
            return .completedChunk
        }
    }

    private static func settle(_ state: inout State, _ index: Int, _ expected: Digest) -> StoredPiece {
        guard let progress = state.open.removeValue(forKey: index) else { return .outOfPlace }
        guard progress.hash.finalize() == expected else {
            state.received[index] = 0
            return .refused(byOne: !progress.isMixed)
        }
        state.isVerified[index] = true
        state.missing -= 1
        return .completedChunk
    }

    /// Makes everything durable that has come.
    func makeDurable() throws {
        let verified = state.withLock { state -> [Int] in
            state.unsynchronized = 0
            return state.isVerified.indices.filter { state.isVerified[$0] && !state.isDurable[$0] }
        }
        try file.synchronize()
        state.withLock { state in for index in verified { state.isDurable[index] = true } }
        for index in verified { try writeRecord(of: index) }
        try record.synchronize()
    }

    private func writeRecord(of index: Int) throws {
        let word = state.withLock { state in
            UInt32(state.received[index]) | (state.isDurable[index] ? Self.durableBit : 0)
        }
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
        try record.write(bytes, at: Int64(index) * 4)
    }
}
