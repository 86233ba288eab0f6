// Whether the files of a home can be read or changed by others than they should: keys by their owner alone, the rest by
// the daemon's group at most, and never the authority's key.

import ConcordAPI
import ConcordModel
import Glibc

/// The modes of a home's files.
public enum HomeModes {
    /// A check for each file that is not as it should be, or one that says that all are.
    public static func check(_ home: NodeHome) -> [DoctorDocument.Check] {
        var checks: [DoctorDocument.Check] = []
        let files = home.identityFiles
        let wanted: [(path: String, others: mode_t, mode: String)] = [
            // Whoever cannot enter the home cannot touch what is in it: of that only the group's bits matter.
            (files.nodeKey, 0o077, "600"), (files.agreementKey, 0o077, "600"), (home.path, 0o027, "750"),
            (home.identityFolder, 0o027, "750"), (home.database, 0o020, "640"),
            ("\(home.database)-wal", 0o020, "640"), (home.configuration, 0o022, "644"),
        ]
        for (path, others, mode) in wanted {
            guard let found = self.mode(of: path), found & others != 0 else { continue }
            checks.append(
                DoctorDocument.Check(
                    check: "files", state: .person,
                    message: "\(path) has mode \(String(found, radix: 8)), so others may touch it",
                    code: ErrorCode.insecureFileMode.rawValue, action: "chmod \(mode) \(path)"))
        }
        for path in ["\(home.path)/authority.key", "\(files.folder)/authority.key"]
        where self.mode(of: path) != nil {
            checks.append(
                DoctorDocument.Check(
                    check: "files", state: .person,
                    message: "\(path) is the authority's key, which does not belong on a node",
                    action: "move it to a safe place and keep a copy"))
        }
        guard checks.isEmpty else { return checks }
        return [
            DoctorDocument.Check(
                check: "files", state: .good, message: "nobody else can touch keys and files in \(home.path)")
        ]
    }

    /// The permission bits; nil if there is no such file or it cannot be looked at.
    private static func mode(of path: String) -> mode_t? {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        return information.st_mode & 0o777
    }
}
