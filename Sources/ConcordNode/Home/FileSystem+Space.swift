// How much room is left where the replica lives.

import Glibc

extension FileSystem {
    /// The bytes that this process may still write on the disk of `path`; nil if the system does not say.
    static func freeBytes(_ path: String) -> Int64? {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { return nil }
        return Int64(clamping: UInt64(information.f_bavail) &* UInt64(information.f_frsize))
    }

    /// Has the system forget what it holds of a durable file in memory, so that who reads it reads the disk. Nothing happens
    /// where it does not do so.
    static func forgetCached(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        close(descriptor)
    }
}
