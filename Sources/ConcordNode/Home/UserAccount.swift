// Users of the machine, as the system's account database names them.

import Glibc

/// A user of the machine.
struct UserAccount: Hashable, Sendable {
    let name: String
    let home: String

    /// The account with this number; nil if the database has none.
    static func of(_ uid: uid_t) -> UserAccount? {
        var buffer = [CChar](repeating: 0, count: 1 << 10)
        while true {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let status = getpwuid_r(uid, &entry, &buffer, buffer.count, &found)
            if status == ERANGE, buffer.count < 1 << 20 {
                buffer = [CChar](repeating: 0, count: buffer.count * 2)
                continue
            }
            guard status == 0, found != nil, let name = entry.pw_name, let home = entry.pw_dir else {
                return nil
            }
            return UserAccount(name: String(cString: name), home: String(cString: home))
        }
    }
}
