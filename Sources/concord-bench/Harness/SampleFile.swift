// A file to attach, made as it is read: bytes that repeat nowhere within it, so that nothing can be had by packing them.

import ConcordClient
import ConcordModel
import Synchronization

/// A file of a number of whole pieces.
struct SampleFile {
    static let pieceBytes = 1 << 20

    let pieces: Int

    /// - Parameter bytes: rounded down to whole pieces.
    init(bytes: Int) { pieces = bytes / Self.pieceBytes }

    var bytes: Int { pieces * Self.pieceBytes }

    /// A piece of any such file.
    static func piece(_ number: Int) -> [UInt8] {
        var random = SplitMix(state: UInt64(number))
        return [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, count in
            let words = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: UInt64.self)
            for index in words.indices { words[index] = random.next() }
            count = pieceBytes
        }
    }

    /// - Throws: ``BenchError`` if bytes that were read are not those at this place of the file.
    static func check(_ bytes: [UInt8], at place: Int) throws {
        var offset = 0
        while offset < bytes.count {
            let (number, start) = (place + offset).quotientAndRemainder(dividingBy: pieceBytes)
            let length = min(bytes.count - offset, pieceBytes - start)
            guard piece(number)[start..<start + length].elementsEqual(bytes[offset..<offset + length]) else {
                throw BenchError("the file is not the one that was attached")
            }
            offset += length
        }
    }

    /// Attaches the file to a document; returns the id of the attachment.
    func attach(to document: RecordID, at node: BenchNode) async throws -> String {
        let next = Mutex(0)
        let answer = try await node.client.attach(
            to: document.description, name: "report.bin", mediaType: nil, size: Int64(bytes)
        ) {
            next.withLock { number in
                guard number < pieces else { return nil }
                defer { number += 1 }
                return Self.piece(number)
            }
        }
        return answer.document.id
    }
}
