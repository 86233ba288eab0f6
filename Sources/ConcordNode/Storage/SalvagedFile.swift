// The file of a home in which salvaged changes wait that lack something. What stands in it may stand nowhere else: it is
// replaced by what holds more, and goes only when all of it is in the database.

import ConcordModel
import ConcordStore
import Glibc

/// The file of waiting changes.
struct SalvagedFile {
    let path: String

    /// What waits; nothing if there is no file.
    ///
    /// - Throws: ``ConcordError`` E-1010 if it cannot be read or is something else.
    func runs() throws -> [SalvagedRun] {
        guard FileSystem.exists(path) else { return [] }
        do {
            return try SalvagedRun.decoded(try FileSystem.readWhole(path))
        } catch {
            let error = ConcordError(wrapping: error)
            throw ConcordError(
                error.code, "the salvaged changes in \(path) cannot be read: \(error.message)",
                action: "move the file elsewhere, keep it and report it")
        }
    }

    /// Puts these in its place; without any the file goes.
    func replace(with runs: [SalvagedRun]) throws {
        guard !runs.isEmpty else {
            unlink(path)
            return
        }
        try FileSystem.replaceAtomically(
            path, bytes: SalvagedRun.encoded(runs), mode: 0o640, failure: .unwritableHome)
    }

    /// Adds what must not be lost. A file that cannot be read is kept under another name.
    func add(_ found: [SalvagedRun]) throws {
        guard !found.isEmpty else { return }
        var known: [SalvagedRun] = []
        do {
            known = try runs()
        } catch {
            guard rename(path, path + ".unreadable") == 0 else { throw error }
        }
        let before = Set(known)
        try replace(with: known + found.filter { !before.contains($0) })
    }
}
