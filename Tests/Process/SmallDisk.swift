// Trouble with disks that a test can make: a limit on the files of a running daemon, and a disk that is soon full.

import Foundation
import Testing

/// The limit of the size of files that a daemon writes.
struct FileLimit {
    private let process: String
    private let user: OtherUser?

    /// - Parameter user: as whom the daemon runs; nil for whoever runs the tests.
    init(of node: Node, as user: OtherUser? = nil) throws {
        try #require(
            FileManager.default.isExecutableFile(atPath: "/usr/bin/prlimit"),
            "prlimit of util-linux is needed")
        process = String(node.identifier)
        self.user = user
    }

    func set(_ bytes: Int) throws { try call("--fsize=\(bytes):unlimited") }
    func lift() throws { try call("--fsize=unlimited:unlimited") }

    private func call(_ limit: String) throws {
        let program = Process()
        let command = ["/usr/bin/prlimit", "--pid", process, limit]
        let words = user?.command(command) ?? command
        program.executableURL = URL(fileURLWithPath: words[0])
        program.arguments = Array(words.dropFirst())
        try program.run()
        program.waitUntilExit()
        try #require(program.terminationStatus == 0)
    }
}

/// A disk in memory, mounted at a folder as long as this lives, which can be filled. Only root can mount one,
/// and not in every container.
final class SmallDisk {
    /// Whether one can be mounted here.
    static let isPossible: Bool = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        guard mkdir(folder, 0o700) == 0 else { return false }
        defer { rmdir(folder) }
        guard mount("tmpfs", folder, "tmpfs", 0, "size=1048576") == 0 else { return false }
        return umount(folder) == 0
    }()

    private let path: String
    private var ballast: String { path + "/ballast" }

    init(at path: String, bytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try #require(
            mount("tmpfs", path, "tmpfs", 0, "size=\(bytes),mode=0700") == 0, "a tmpfs cannot be mounted")
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Writes a file until the disk is full, or so much is left.
    func fill(leaving rest: Int = 0) throws {
        let descriptor = open(ballast, O_WRONLY | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 7, count: 4096)
        while try free() > rest, write(descriptor, block, block.count) > 0 {}
    }

    func empty() throws { try FileManager.default.removeItem(atPath: ballast) }

    private func free() throws -> Int {
        var information = statvfs()
        try #require(statvfs(path, &information) == 0)
        return Int(information.f_bavail) * Int(information.f_frsize)
    }
}
