// A text while somebody edits it: a file of its own that nobody else may read.

import ConcordModel
import Glibc

/// A new private file with a text, to be given to an editor.
struct DraftFile {
    /// Where it is.
    let path: String
    private let original: [UInt8]

    /// Writes a text to a new file in `$TMPDIR`, or `/tmp`.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-5004.
    init(_ text: String) throws {
        let folder = Caller.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        original = Array(text.utf8)
        var template = Array("\(folder)/concord-XXXXXX.md".utf8CString)
        // Mode 0600, whatever the umask.
        let descriptor = mkstemps(&template, 3)
        guard descriptor >= 0 else { throw LocalFile.refusal("no file can be made in \(folder)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { close(descriptor) }
        do {
            try LocalFile.writeAll(original, to: descriptor, path: path)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Whether something else stands in it now. A file that is gone or cannot be read has nothing to be kept.
    var isChanged: Bool {
        guard let bytes = try? LocalFile.read(path) else { return access(path, F_OK) == 0 }
        return bytes != original
    }

    /// Removes it.
    func remove() { unlink(path) }
}
