// How much room is left where the replica lives.

import Glibc

extension FileSystem {
    /// The bytes that this process may still write on the disk of `path`; nil if the system does not say.
    static func freeBytes(_ path: String) -> Int64? {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { return nil }
        return Int64(clamping: UInt64(information.f_bavail) &* UInt64(information.f_frsize))
    }
}
