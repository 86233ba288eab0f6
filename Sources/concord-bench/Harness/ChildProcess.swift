// Programs that a measurement runs. They are started by posix_spawn, with nothing but standard output and error, each
// into a file: no reader can hold them up, and no thread waits for them.

import Foundation
import Glibc

/// A program that was started. It is ended, if it still runs, when nobody refers to it any more.
final class ChildProcess {
    let identifier: pid_t
    private var status: Int32?

    /// Starts a program; what it prints is added to the two files.
    ///
    /// - Throws: ``BenchError`` if it cannot be started.
    init(_ program: String, _ arguments: [String], output: String, error: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, error, flags, 0o600)
        var words = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var identifier: pid_t = 0
        let result = posix_spawn(&identifier, program, &actions, nil, words, environ)
        guard result == 0 else {
            throw BenchError("\(program) cannot be run: \(String(cString: strerror(result)))")
        }
        self.identifier = identifier
    }

    deinit {
        guard status == nil else { return }
        kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    /// Whether it has not ended.
    var isRunning: Bool {
        guard status == nil else { return false }
        var found: Int32 = 0
        guard waitpid(identifier, &found, WNOHANG) == identifier else { return true }
        // The exit status, or the number of the signal that ended it with 128 added, as shells have it.
        status = found & 0x7f == 0 ? found >> 8 & 0xff : 128 + found & 0x7f
        return false
    }

    /// Asks it to stop as an operator would.
    func terminate() { if isRunning { kill(identifier, SIGTERM) } }

    /// Waits for its end and returns its exit status.
    ///
    /// - Throws: ``BenchError`` if it does not end within `limit`.
    func waitForEnd(atMost limit: Duration) async throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            guard ContinuousClock.now < deadline else {
                throw BenchError("process \(identifier) does not end within \(limit)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        return status ?? 0
    }
}
