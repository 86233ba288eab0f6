// `concord verify`, `concord backup` and `concord explain`.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import ConcordStore
import Foundation

/// Verifies the whole log and the visible state.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Check signatures and chains of the whole log, and recompute the visible state.",
        discussion: "Where the daemon does not run, the database in the home folder is read and verified.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let output = common.output
        let answer: Answer<VerifyDocument>
        do {
            answer = try await common.daemon.verify()
        } catch let error as ConcordError where error.code == .daemonUnreachable {
            guard FileManager.default.fileExists(atPath: common.nodeHome.database) else { throw error }
            output.remark(
                "The daemon is not running: the database in \(common.nodeHome.path) is verified, the files of attachments "
                    + "are not hashed again.")
            answer = try await verifyFile()
        }
        output.answer(answer) { VerifyView.lines($0, style: output.style) }
        if !answer.document.problems.isEmpty { throw ExitCode(6) }
    }

    private func verifyFile() async throws -> Answer<VerifyDocument> {
        let store = try ReplicaStore(path: common.nodeHome.database, options: .init(readOnly: true))
        let report = try await store.verify()
        try store.close()
        return try Answer(encoding: VerifyDocument(report))
    }
}

/// The family of `backup`.
struct Backup: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Make, check and restore backups. A backup holds no keys.",
        subcommands: [Create.self, ListAll.self, VerifyFile.self, Restore.self, SalvageReplica.self])

    /// Makes a backup.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Write a backup while the node runs.")
        @Argument(help: "The file to write; the daemon writes it.") var file: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            common.output.answer(try await common.daemon.backup(path: NodeHome.absolute(file))) { backup in
                [
                    TerminalText.escaped(
                        "The backup is in \(backup.path), \(Quantity.bytes(backup.bytes)), read back and verified."
                    )
                ]
            }
        }
    }

    /// Checks a backup.
    struct VerifyFile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Check that a backup is whole and verifies.")
        @Argument(help: "The backup.") var file: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            let answer = try Answer(encoding: VerifyDocument(try await ReplicaStore.verifyBackup(file)))
            output.answer(answer) { VerifyView.lines($0, style: output.style) }
            if !answer.document.problems.isEmpty { throw ExitCode(6) }
        }
    }

    /// Restores a backup into a home.
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Restore a backup into a new home.",
            discussion: """
                The restored replica takes a new replica id when it first writes. A backup holds no keys: \
                make an identity with `concord init` in the same home, before or after.
                """)
        @Argument(help: "The backup.") var file: String
        @OptionGroup var common: CommonOptions

        private struct Restored: Encodable {
            var home: String
            var changes: Int64
            var records: Int64
            var hasIdentity: Bool
            var setAside: String?
        }

        func validate() throws {
            if common.home == nil { throw ValidationError("Say into which home to restore, with --home") }
        }

        func run() async throws {
            let report = try await ReplicaStore.verifyBackup(file)
            if let problem = report.problems.first {
                throw ConcordError(
                    .verificationFailed, "the backup does not verify: \(problem.message)",
                    action: "use another backup; `concord backup verify FILE` lists every problem")
            }
            let home = common.nodeHome
            let aside = try await home.restore(file, now: WallClock.milliseconds())
            let next =
                home.hasIdentity
                ? "concordd --home \(home.path)"
                : "concord init --home \(home.path) --member CODE --name NAME --node NAME, then concordd"
            common.output.result(
                Restored(
                    home: home.path, changes: report.changes, records: report.records,
                    hasIdentity: home.hasIdentity, setAside: aside),
                [
                    "Restored \(Quantity.plural(report.changes, "change", "changes")) into \(home.path).",
                    aside.map { "What was left of an earlier replica is in \($0)." },
                    "Next: \(next)",
                ].compactMap { $0 })
        }
    }
}

/// Explains an error code.
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain an error code and say what to do.")
    @Argument(help: "The code, such as E-2041.") var code: String
    @OptionGroup var common: CommonOptions

    private struct Explanation: Encodable {
        var code: String
        var summary: String
        var action: String?
    }

    func run() async throws {
        let digits = code.uppercased()
        guard let code = ErrorCode(rawValue: digits) ?? ErrorCode(rawValue: "E-" + digits) else {
            throw ConcordError(
                .usage, "there is no error code “\(code)”",
                action: "give a code such as E-2041, as messages show it")
        }
        let (summary, action) = code.entry
        common.output.result(
            Explanation(code: code.rawValue, summary: summary, action: action),
            ["\(code.rawValue)  \(summary)"] + (action.map { ["Next: \($0)"] } ?? []))
    }
}
