// A disk that fails when a test says so: an SQLite file system over the real one, in which the n-th writing, truncating
// or flushing of a database's files fails. Where no test says anything it changes nothing, so it may be the default of
// the whole process.

import Foundation
import GRDBSQLite
import Synchronization

/// The files of a database on a disk that fails.
final class FaultyDisk: Sendable {
    private let path: String

    /// Takes over the files of a database that is opened from now on.
    init(path: String) {
        precondition(isInstalled, "The file system cannot be registered.")
        self.path = path
        plans.withLock { $0[path] = Plan() }
    }

    deinit { plans.withLock { $0[path] = nil } }

    /// Lets the operation after the next `count` fail with this code, and all that come after it.
    func fail(after count: Int, with code: Int32) {
        plans.withLock { $0[path] = Plan(isFailing: true, remaining: count, code: code) }
    }

    /// Lets everything work again.
    func heal() { plans.withLock { $0[path] = Plan() } }

    /// Whether something has failed since the last ``fail(after:with:)``.
    var hasFailed: Bool { plans.withLock { $0[path]?.hasFailed ?? false } }
}

private struct Plan {
    var isFailing = false
    var remaining = 0
    var code = SQLITE_OK
    var hasFailed = false

    mutating func next() -> Int32 {
        guard isFailing else { return SQLITE_OK }
        guard remaining <= 0 else {
            remaining -= 1
            return SQLITE_OK
        }
        hasFailed = true
        return code
    }
}

private let plans = Mutex<[String: Plan]>([:])

// MARK: The file system

/// A file as SQLite sees it; that of the real file system follows ``realOffset`` bytes after its beginning.
private struct FaultyFile {
    var base: sqlite3_file
    /// The path, as one retained object; nil for files without a name.
    var name: UnsafeMutableRawPointer?
}

private final class Name: Sendable {
    let path: String
    init(_ path: String) { self.path = path }
}

private let realOffset = 64

private func real(_ file: UnsafeMutablePointer<sqlite3_file>?) -> UnsafeMutablePointer<sqlite3_file> {
    (UnsafeMutableRawPointer(file!) + realOffset).assumingMemoryBound(to: sqlite3_file.self)
}

private func realMethods(_ file: UnsafeMutablePointer<sqlite3_file>?) -> sqlite3_io_methods {
    real(file).pointee.pMethods.pointee
}

/// Counts an operation and says whether it fails.
private func verdict(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    let name = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultyFile.self).pointee.name
    guard let name else { return SQLITE_OK }
    let path = Unmanaged<Name>.fromOpaque(name).takeUnretainedValue().path
    return plans.withLock { $0[path]?.next() ?? SQLITE_OK }
}

private nonisolated(unsafe) let original = sqlite3_vfs_find(nil)!

private nonisolated(unsafe) let faultyMethods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: sqlite3_io_methods())
    methods.pointee.iVersion = 2
    methods.pointee.xClose = { file in
        let faulty = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultyFile.self)
        if let name = faulty.pointee.name { Unmanaged<Name>.fromOpaque(name).release() }
        faulty.pointee.name = nil
        return realMethods(file).xClose(real(file))
    }
    methods.pointee.xRead = { realMethods($0).xRead(real($0), $1, $2, $3) }
    methods.pointee.xWrite = { file, bytes, count, offset in
        let failure = verdict(file)
        guard failure == SQLITE_OK else { return failure }
        return realMethods(file).xWrite(real(file), bytes, count, offset)
    }
    methods.pointee.xTruncate = { file, size in
        let failure = verdict(file)
        return failure == SQLITE_OK ? realMethods(file).xTruncate(real(file), size) : failure
    }
    methods.pointee.xSync = { file, flags in
        let failure = verdict(file)
        return failure == SQLITE_OK ? realMethods(file).xSync(real(file), flags) : failure
    }
    methods.pointee.xFileSize = { realMethods($0).xFileSize(real($0), $1) }
    methods.pointee.xLock = { realMethods($0).xLock(real($0), $1) }
    methods.pointee.xUnlock = { realMethods($0).xUnlock(real($0), $1) }
    methods.pointee.xCheckReservedLock = { realMethods($0).xCheckReservedLock(real($0), $1) }
    methods.pointee.xFileControl = { realMethods($0).xFileControl(real($0), $1, $2) }
    methods.pointee.xSectorSize = { realMethods($0).xSectorSize(real($0)) }
    methods.pointee.xDeviceCharacteristics = { realMethods($0).xDeviceCharacteristics(real($0)) }
    methods.pointee.xShmMap = { realMethods($0).xShmMap(real($0), $1, $2, $3, $4) }
    methods.pointee.xShmLock = { realMethods($0).xShmLock(real($0), $1, $2, $3) }
    methods.pointee.xShmBarrier = { realMethods($0).xShmBarrier(real($0)) }
    methods.pointee.xShmUnmap = { realMethods($0).xShmUnmap(real($0), $1) }
    return methods
}()

private let isInstalled: Bool = {
    let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    vfs.initialize(to: original.pointee)
    vfs.pointee.pNext = nil
    vfs.pointee.zName = UnsafePointer(strdup("faulty"))
    vfs.pointee.szOsFile = original.pointee.szOsFile + Int32(realOffset)
    vfs.pointee.xOpen = { _, name, file, flags, outFlags in
        let faulty = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultyFile.self)
        faulty.initialize(to: FaultyFile(base: sqlite3_file(), name: nil))
        let code = original.pointee.xOpen(original, name, real(file), flags, outFlags)
        guard code == SQLITE_OK else { return code }
        if let name {
            let path = String(cString: name)
            let database = path.hasSuffix("-wal") ? String(path.dropLast(4)) : path
            faulty.pointee.name = Unmanaged.passRetained(Name(database)).toOpaque()
        }
        faulty.pointee.base.pMethods = UnsafePointer(faultyMethods)
        return code
    }
    return sqlite3_vfs_register(vfs, 1) == SQLITE_OK
}()
