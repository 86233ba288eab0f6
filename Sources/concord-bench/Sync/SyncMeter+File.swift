// The file of an attachment on its way from one node to the other.

import ConcordCrypto
import Foundation
import Glibc
import Synchronization

extension SyncMeter {
    private static let pieceBytes = 1 << 20

    /// Attaches a file on Madrid and has Berlin fetch it.
    func file() async throws -> SyncMeasurement.File {
        let (madrid, berlin) = (scene.madrid.client, scene.berlin.client)
        let document = try await scene.madrid.importRecords("document", [["title": "Report"]]).ids[0]
        try await scene.verify()
        let pieces = sizes.fileBytes / Self.pieceBytes
        let next = Mutex(0)
        let (attached, answer) = try await Stopwatch.measureAsync {
            try await madrid.attach(
                to: document.description, name: "report.bin", mediaType: nil, size: Int64(sizes.fileBytes)
            ) {
                next.withLock { number in
                    guard number < pieces else { return nil }
                    defer { number += 1 }
                    return Self.piece(number)
                }
            }
        }
        let id = answer.document.id
        try await scene.verify()
        let start = ContinuousClock.now
        _ = try await berlin.fetchAttachment(id)
        var fetched = 0.0
        try await eventually("the file is fetched", seconds: 600) {
            let found = try await berlin.attachments(of: id).document.attachments.first
            fetched = start.milliseconds
            return found?.state == .here
        }
        // Every byte is read back on the node that fetched it.
        let count = Mutex(0)
        try await berlin.content(of: id) { bytes in
            let place = count.withLock { count in
                defer { count += bytes.count }
                return count
            }
            try Self.check(bytes, at: place)
        }
        guard count.withLock({ $0 }) == sizes.fileBytes else { throw BenchError("the file is not whole") }
        return SyncMeasurement.File(
            bytes: sizes.fileBytes, attachedMilliseconds: attached, fetchedMilliseconds: fetched,
            bareTLSMilliseconds: try await BareTLS.transfer(bytes: sizes.fileBytes).milliseconds,
            plainFileMilliseconds: try plainFile(pieces))
    }

    /// A piece of the file: bytes that repeat nowhere within it.
    private static func piece(_ number: Int) -> [UInt8] {
        var random = SplitMix(state: UInt64(number))
        return [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, count in
            let words = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: UInt64.self)
            for index in words.indices { words[index] = random.next() }
            count = pieceBytes
        }
    }

    private static func check(_ bytes: [UInt8], at place: Int) throws {
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

    /// Hashes as many bytes and writes them to a file, durably.
    private func plainFile(_ pieces: Int) throws -> Double {
        let content = (0..<min(pieces, 16)).map(Self.piece)
        let path = scene.network.folder + "/plain-file"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw BenchError("\(path) cannot be written") }
        defer {
            close(descriptor)
            unlink(path)
        }
        return try Stopwatch.measure {
            for number in 0..<pieces {
                let piece = content[number % content.count]
                guard SHA256.hash(piece) != SHA256.hash([]),
                    write(descriptor, piece, piece.count) == piece.count
                else { throw BenchError("\(path) cannot be written") }
            }
            guard fsync(descriptor) == 0 else { throw BenchError("\(path) cannot be made durable") }
        }.milliseconds
    }
}
