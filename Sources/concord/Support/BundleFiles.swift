// The files that bundles go into: readable by the person alone, and under their names only when they are whole.

import ArgumentParser
import ConcordClient
import ConcordModel
import Dispatch
import Glibc
import Synchronization

/// The files that one run has made, finished or not.
final class WrittenFiles: Sendable {
    private let paths = Mutex<[String]>([])

    func add(_ path: String) { paths.withLock { $0.append(path) } }
    func replace(_ path: String, by other: String) {
        paths.withLock { $0 = $0.map { $0 == path ? other : $0 } }
    }

    /// Removes all of them.
    func remove() { for path in paths.withLock({ $0 }) { unlink(path) } }
}

/// Tidies up before the process ends because somebody interrupts it.
final class Interruption {
    private let source: any DispatchSourceSignal

    init(_ tidyUp: @escaping @Sendable () -> Void) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT)
        source.setEventHandler {
            tidyUp()
            exit(130)
        }
        source.resume()
    }

    /// From now on an interruption ends the process at once.
    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}

/// A file that a volume is written to.
final class VolumeTarget: Sendable {
    private let path: String
    private let draft: String
    private let folder: String
    private let descriptor: Int32
    private let written: WrittenFiles

    /// Begins a file, which is among `written` from now on.
    ///
    /// - Throws: ``ConcordError`` E-1014 if it exists, E-1010 if it cannot be written.
    init(_ path: String, in written: WrittenFiles) throws {
        self.path = path
        self.written = written
        guard !LocalFile.exists(path) else {
            throw ConcordError(.fileExists, "\(path) exists already and is not overwritten")
        }
        // Hidden, so that no pattern of names takes it for a volume.
        let cut = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        folder = cut == path.startIndex ? "." : String(path[..<cut])
        draft = "\(path[..<cut]).\(path[cut...]).\(getpid()).new"
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LocalFile.refusal("\(path) cannot be written") }
        written.add(draft)
    }

    deinit { close(descriptor) }

    /// Writes the next piece.
    func take(_ piece: [UInt8]) throws { try LocalFile.writeAll(piece, to: descriptor, path: path) }

    /// Gives the file its name. It is on the medium when this returns, so that a stick may be pulled out.
    ///
    /// - Throws: ``ConcordError`` E-1014 if the name was taken meanwhile.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw LocalFile.refusal("\(path) cannot be made durable") }
        try giveName()
        written.replace(draft, by: path)
        // Its name is durable only with the folder; a file system that cannot do that has none to lose.
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw LocalFile.refusal("\(path) cannot be made durable")
        }
    }

    private func giveName() throws {
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
