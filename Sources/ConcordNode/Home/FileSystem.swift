// Files as keys and configuration need them: made whole or not at all, durable before anything relies on
// them, never written over, and readable by whom they are meant for from the first moment.

import ConcordModel
import Glibc

/// Small durable files.
enum FileSystem {
    /// The largest file that is read whole: keys, certificates and the configuration are a few kilobytes.
    static let maximumBytes = 1 << 20

    /// Writes a file that must not exist yet, with this mode whatever the umask, and flushes it to the disk.
    ///
    /// - Throws: ``ConcordError`` E-1014 if it exists, E-5004 if the disk is full, else `failure` with the
    ///   reason.
    static func create(
        _ path: String, bytes: some Collection<UInt8>, mode: mode_t, failure: ErrorCode = .unreadableFile
    ) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw ConcordError(.fileExists, "\(path) exists already") }
            throw refusal(failure, "\(path) cannot be written")
        }
        do {
            guard fchmod(descriptor, mode) == 0 else {
                throw refusal(failure, "the mode of \(path) cannot be set")
            }
            try write(Array(bytes), to: descriptor, path: path, failure: failure)
            guard fsync(descriptor) == 0 else { throw refusal(failure, "\(path) cannot be made durable") }
        } catch {
            close(descriptor)
            unlink(path)
            throw error
        }
        guard close(descriptor) == 0 else { throw refusal(failure, "\(path) cannot be made durable") }
    }

    /// Writes a file that must not exist yet, so that at every moment either nothing or all of it is there.
    static func createAtomically(
        _ path: String, bytes: some Collection<UInt8>, mode: mode_t, failure: ErrorCode = .unreadableFile
    ) throws {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        try create(draft, bytes: bytes, mode: mode, failure: failure)
        defer { unlink(draft) }
        guard link(draft, path) == 0 else {
            if errno == EEXIST { throw ConcordError(.fileExists, "\(path) exists already") }
            throw refusal(failure, "\(path) cannot be written")
        }
        try synchronize(folder: parent(of: path), failure: failure)
    }

    /// Writes a file in place of one that may exist, so that at every moment either the old or the new is there.
    static func replaceAtomically(
        _ path: String, bytes: some Collection<UInt8>, mode: mode_t, failure: ErrorCode = .unreadableFile
    ) throws {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        try create(draft, bytes: bytes, mode: mode, failure: failure)
        guard rename(draft, path) == 0 else {
            let error = refusal(failure, "\(path) cannot be replaced")
            unlink(draft)
            throw error
        }
        try synchronize(folder: parent(of: path), failure: failure)
    }

    /// Lets two folders of one disk change places at one stroke.
    static func exchange(_ first: String, _ second: String, failure: ErrorCode) throws {
        // Glibc has renameat2(2) since 2.28; Swift's import of its headers leaves it out.
        typealias Rename =
            @convention(c) (
                Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
            ) -> Int32
        guard let symbol = dlsym(nil, "renameat2") else {
            preconditionFailure("the C library has no renameat2, which Concord's lowest system has")
        }
        let exchange: UInt32 = 2  // RENAME_EXCHANGE
        let rename = unsafeBitCast(symbol, to: Rename.self)
        guard rename(AT_FDCWD, first, AT_FDCWD, second, exchange) == 0 else {
            throw refusal(failure, "\(second) cannot be replaced")
        }
        try synchronize(folder: parent(of: second), failure: failure)
    }

    /// Gives files to the owner of another, where an administrator works on what belongs to the daemon's user.
    static func give(_ paths: [String], toOwnerOf model: String, failure: ErrorCode) throws {
        guard geteuid() == 0 else { return }
        var information = stat()
        guard stat(model, &information) == 0 else { throw refusal(failure, "\(model) cannot be read") }
        for path in paths where exists(path) {
            guard lchown(path, information.st_uid, information.st_gid) == 0 else {
                throw refusal(failure, "\(path) cannot be given to the owner of \(model)")
            }
        }
    }

    /// Makes a folder, and those above it, unless it is there; a folder that is made gets this mode.
    static func makeFolder(_ path: String, mode: mode_t, failure: ErrorCode) throws {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFDIR else {
                throw ConcordError(failure, "\(path) is not a folder")
            }
            return
        }
        let above = parent(of: path)
        if above != path { try makeFolder(above, mode: 0o755, failure: failure) }
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw refusal(failure, "\(path) cannot be made")
        }
        guard chmod(path, mode) == 0 else { throw refusal(failure, "the mode of \(path) cannot be set") }
        try synchronize(folder: above, failure: failure)
    }

    /// Flushes a folder, so that the names in it survive a power cut.
    static func synchronize(folder path: String, failure: ErrorCode) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal(failure, "\(path) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw refusal(failure, "\(path) cannot be made durable") }
    }

    /// Who besides its owner may touch a file that is read.
    enum Guard {
        /// Anybody.
        case none
        /// Nobody: mode 0600 or less.
        case ownerOnly
        /// Its group may read it, and nobody else touch it: so the modes of systemd's credentials look, which
        /// lie in a folder that only the service can enter, and are given to it by an access-control list.
        case credential

        var forbidden: mode_t {
            switch self {
            case .none: 0
            case .ownerOnly: 0o077
            case .credential: 0o037
            }
        }
    }

    /// The bytes of a file of at most ``maximumBytes``, unless others may touch it than `guarded` allows.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-2008.
    static func read(_ path: String, guarded: Guard = .none) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal(.unreadableFile, "\(path) cannot be read") }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw refusal(.unreadableFile, "\(path) cannot be read")
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw ConcordError(.unreadableFile, "\(path) is not a file")
        }
        if information.st_mode & guarded.forbidden != 0 {
            let mode = String(information.st_mode & 0o777, radix: 8)
            throw ConcordError(
                .insecureFileMode, "\(path) has mode \(mode), so others may touch it; only 600 is taken",
                action: "run `chmod 600 \(path)`")
        }
        guard information.st_size <= maximumBytes else {
            throw ConcordError(
                .unreadableFile, "\(path) has \(information.st_size) bytes, \(maximumBytes) are taken")
        }
        return try readAll(descriptor, path: path)
    }

    /// The text of a file; see ``read(_:guarded:)``.
    static func readText(_ path: String, guarded: Guard = .none) throws -> String {
        guard let text = String(validating: try read(path, guarded: guarded), as: UTF8.self) else {
            throw ConcordError(.unreadableFile, "\(path) is not text in UTF-8")
        }
        return text
    }

    /// The bytes of a file of this program's own, however large.
    static func readWhole(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw refusal(.unreadableFile, "\(path) cannot be read") }
        defer { close(descriptor) }
        return try readAll(descriptor, path: path, upTo: Int.max)
    }

    /// The names of what stands in a folder, ascending; none if it cannot be read.
    static func names(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    /// Whether something has this name.
    static func exists(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0
    }

    /// Whether a folder, or a link to one, has this name.
    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// The folder in which a path stands.
    static func parent(of path: String) -> String {
        let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    /// An error with the system's reason, read from `errno` at once.
    static func refusal(_ code: ErrorCode, _ message: String) -> ConcordError {
        let number = errno
        let reason = String(cString: strerror(number))
        return ConcordError(number == ENOSPC || number == EDQUOT ? .diskFull : code, "\(message): \(reason)")
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, path: String, failure: ErrorCode) throws
    {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw refusal(failure, "\(path) cannot be written") }
            offset += count
        }
    }

    private static func readAll(_ descriptor: Int32, path: String, upTo maximumBytes: Int = maximumBytes)
        throws
        -> [UInt8]
    {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while result.count <= maximumBytes {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw refusal(.unreadableFile, "\(path) cannot be read") }
            if count == 0 { return result }
            result += buffer[..<count]
        }
        throw ConcordError(.unreadableFile, "\(path) has more than \(maximumBytes) bytes")
    }
}
