// The files that bundles go into: readable by the person alone, and under their names only when they are whole.

import ArgumentParser
import ConcordClient
import ConcordModel
import Glibc

/// A file that a volume is written to.
final class VolumeTarget: Sendable {
    private let path: String
    private let draft: String
    private let descriptor: Int32

    /// Begins a file.
    ///
    /// - Throws: ``ConcordError`` E-1014 if it exists, E-1010 if it cannot be written.
    init(_ path: String) throws {
        self.path = path
        guard !LocalFile.exists(path) else {
            throw ConcordError(.fileExists, "\(path) exists already and is not overwritten")
        }
        draft = "\(path).\(getpid()).new"
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LocalFile.refusal("\(path) cannot be written") }
    }

    deinit { close(descriptor) }

    /// Writes the next piece.
    func take(_ piece: [UInt8]) throws { try LocalFile.writeAll(piece, to: descriptor, path: path) }

    /// Gives the file its name. It is on the medium when this returns, so that a stick may be pulled out.
    ///
    /// - Throws: ``ConcordError`` E-1014 if the name was taken meanwhile.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw LocalFile.refusal("\(path) cannot be made durable") }
        // Sticks have file systems without links: there the file is renamed.
        if link(draft, path) == 0 {
            unlink(draft)
            return
        }
        guard errno != EEXIST, !LocalFile.exists(path) else {
            throw ConcordError(.fileExists, "\(path) exists already and is not overwritten")
        }
        guard rename(draft, path) == 0 else { throw LocalFile.refusal("\(path) cannot be written") }
    }

    /// Throws away what was written.
    func abandon() { unlink(draft) }
}

/// A number of bytes as people type it: `64MiB`, `700MB`, `4194304`.
struct TypedBytes: ExpressibleByArgument {
    let count: Int64

    private static let units: [(String, Int64)] = [
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("kb", 1000), ("mb", 1_000_000),
        ("gb", 1_000_000_000), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.lowercased()
        for (unit, factor) in Self.units where text.hasSuffix(unit) {
            guard let number = Int64(text.dropLast(unit.count)), number > 0 else { continue }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: factor)
            guard !isTooLarge else { return nil }
            count = product
            return
        }
        return nil
    }
}
