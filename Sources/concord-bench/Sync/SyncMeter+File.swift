// The file of an attachment on its way from one node to the other.

import ConcordCrypto
import Foundation
import Glibc
import Synchronization

extension SyncMeter {
    /// Attaches a file on Madrid and has Berlin fetch it.
    func file() async throws -> SyncMeasurement.File {
        let berlin = scene.berlin.client
        let document = try await scene.madrid.importRecords("document", [["title": "Report"]]).ids[0]
        try await scene.verify()
        let file = SampleFile(bytes: sizes.fileBytes)
        let (attached, id) = try await Stopwatch.measureAsync {
            try await file.attach(to: document, at: scene.madrid)
        }
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
            try SampleFile.check(bytes, at: place)
        }
        guard count.withLock({ $0 }) == file.bytes else { throw BenchError("the file is not whole") }
        return SyncMeasurement.File(
            bytes: file.bytes, attachedMilliseconds: attached, fetchedMilliseconds: fetched,
            bareTLSMilliseconds: try await BareTLS.transfer(bytes: file.bytes).milliseconds,
            plainFileMilliseconds: try plainFile(file.pieces))
    }

    /// Hashes as many bytes and writes them to a file, durably.
    private func plainFile(_ pieces: Int) throws -> Double {
        let content = (0..<min(pieces, 16)).map(SampleFile.piece)
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
