// Where the files of blobs lie. A file under its blob's name is whole, verified and durable, with its manifest beside
// it; everything else lies in folders of its own, whose names are no beginnings of a hash:
//
//     ab/cdef…            a whole file          ab/cdef….manifest    its manifest
//     partial/abcdef…     what has come so far  partial/….manifest   partial/….state
//     incoming/…          a file that is being attached here
//     damaged/…           a file that did not verify any more

import ConcordModel
import Glibc

/// The folder `HOME/blobs`.
struct BlobFolder: Sendable {
    let path: String

    static let partial = "partial"
    static let incoming = "incoming"
    static let damaged = "damaged"
    static let manifestSuffix = ".manifest"
    static let stateSuffix = ".state"

    /// The folder of a whole file.
    func shelf(of blob: BlobID) -> String { "\(path)/\(blob.description.prefix(2))" }

    /// A whole file.
    func file(_ blob: BlobID) -> String { "\(shelf(of: blob))/\(blob.description.dropFirst(2))" }

    /// A whole file's manifest.
    func manifest(_ blob: BlobID) -> String { file(blob) + Self.manifestSuffix }

    /// A file of which parts are missing.
    func partialFile(_ blob: BlobID) -> String { "\(path)/\(Self.partial)/\(blob)" }

    /// Makes the folders that every store has.
    func prepare() throws {
        for folder in [path, "\(path)/\(Self.partial)", "\(path)/\(Self.incoming)"] {
            try Self.makeFolder(folder)
        }
    }

    /// Makes a folder (0750) unless it is there.
    static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
            throw BlobFile.refusal(.unwritableHome, "\(path) cannot be made")
        }
    }

    /// Makes the names in a folder durable.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlobFile.refusal(.unwritableHome, "\(path) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw BlobFile.refusal(.unwritableHome, "\(path) cannot be made durable")
        }
    }

    /// Writes a small file in place of what has its name, whole or not at all, and durable.
    static func replace(_ path: String, _ bytes: [UInt8]) throws {
        let draft = path + ".new"
        unlink(draft)
        let file = try BlobFile.writing(draft)
        do {
            try file.write(bytes, at: 0)
            try file.synchronize()
            try rename(draft, to: path)
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Gives a file another name.
    static func rename(_ path: String, to target: String) throws {
        guard Glibc.rename(path, target) == 0 else {
            throw BlobFile.refusal(.unwritableHome, "\(path) cannot be moved to \(target)")
        }
    }

    /// The names in a folder, ascending; none if there is no such folder.
    static func names(_ path: String) throws -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw BlobFile.refusal(.storeFailure, "\(path) cannot be read")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Bytes of a file; nil if there is none.
    static func size(_ path: String) -> Int64? {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(information.st_size)
    }
}
