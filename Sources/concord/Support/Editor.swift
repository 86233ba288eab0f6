// The caller's own editor, which has the terminal until it ends: it runs in this program's process group, with this
// program's standard streams, and what is typed to interrupt goes to it alone.

import ConcordModel
import Glibc

/// The program with which the caller edits text.
struct Editor {
    /// As the caller named it, arguments included.
    let command: String
    private let environment: [String: String]

    /// `$VISUAL`, `$EDITOR` or `vi`.
    init(environment: [String: String]) {
        self.environment = environment
        command = ["VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? "vi"
    }

    /// Runs it on a file and waits for its end.
    ///
    /// - Throws: ``ConcordError`` E-1010 if it cannot be run, or ends with another status than 0.
    func run(on path: String) throws {
        // A shell takes the command apart, since it may have arguments and quotes; the path is no part of its text.
        let arguments = ["/bin/sh", "-c", "\(command) \"$1\"", "concord", path]
        let interrupt = signal(SIGINT, SIG_IGN)
        let quit = signal(SIGQUIT, SIG_IGN)
        defer {
            signal(SIGINT, interrupt)
            signal(SIGQUIT, quit)
        }
        var process = pid_t()
        let failure = withStrings(arguments) { arguments in
            withStrings(environment.map { "\($0.key)=\($0.value)" }) { environment in
                withSpawnSettings { actions, attributes in
                    posix_spawn(&process, "/bin/sh", actions, attributes, arguments, environment)
                }
            }
        }
        guard failure == 0 else { throw refusal("cannot be run: \(String(cString: strerror(failure)))") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw refusal("is lost: \(String(cString: strerror(errno)))") }
        }
        let end = status & 0x7f
        guard end == 0 else { throw refusal("was ended by signal \(end)") }
        let code = (status >> 8) & 0xff
        guard code == 0 else { throw refusal("ended with status \(code)") }
    }

    private func refusal(_ reason: String) -> ConcordError {
        ConcordError(
            .unreadableFile, "the editor “\(command)” \(reason); nothing was written",
            action: "set $VISUAL or $EDITOR to an editor that waits until the file is closed")
    }

    /// The signals as a program expects them; and its output on the terminal, where standard output is a result's.
    private func withSpawnSettings(
        _ body: (UnsafePointer<posix_spawn_file_actions_t>, UnsafePointer<posix_spawnattr_t>) -> Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if isatty(STDOUT_FILENO) == 0 {
            posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGQUIT, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return body(&actions, &attributes)
    }

    private func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
