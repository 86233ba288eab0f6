// Users and groups of the machine, as the system's account database names them.

import Glibc

/// A user of the machine.
struct UserAccount: Hashable, Sendable {
    let name: String
    let home: String
    /// The primary group.
    let group: gid_t

    /// The account with this number; nil if the database has none.
    static func of(_ uid: uid_t) -> UserAccount? {
        lookUp { entry, buffer, count, found in getpwuid_r(uid, entry, buffer, count, found) }
    }

    /// The account of this name; nil if the database has none.
    static func named(_ name: String) -> UserAccount? {
        lookUp { entry, buffer, count, found in getpwnam_r(name, entry, buffer, count, found) }
    }

    /// All groups of the user, the primary one and others.
    func groups() -> Set<gid_t> {
        var groups = [gid_t](repeating: 0, count: 64)
        while true {
            var count = Int32(groups.count)
            if getgrouplist(name, group, &groups, &count) >= 0 { return Set(groups.prefix(Int(count))) }
            guard Int(count) > groups.count, count <= 1 << 16 else { return [group] }
            groups = [gid_t](repeating: 0, count: Int(count))
        }
    }

    private typealias Question = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func lookUp(_ ask: Question) -> UserAccount? {
        var buffer = [CChar](repeating: 0, count: 1 << 10)
        while true {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let status = ask(&entry, &buffer, buffer.count, &found)
            if status == ERANGE, buffer.count < 1 << 20 {
                buffer = [CChar](repeating: 0, count: buffer.count * 2)
                continue
            }
            guard status == 0, found != nil, let name = entry.pw_name, let home = entry.pw_dir else {
                return nil
            }
            return UserAccount(
                name: String(cString: name), home: String(cString: home), group: entry.pw_gid)
        }
    }
}

/// A group of the machine.
enum UserGroup {
    /// The number of the group of this name; nil if the database has none.
    static func number(named name: String) -> gid_t? {
        var buffer = [CChar](repeating: 0, count: 1 << 12)
        while true {
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            let status = getgrnam_r(name, &entry, &buffer, buffer.count, &found)
            if status == ERANGE, buffer.count < 1 << 22 {
                buffer = [CChar](repeating: 0, count: buffer.count * 2)
                continue
            }
            return status == 0 && found != nil ? entry.gr_gid : nil
        }
    }
}
