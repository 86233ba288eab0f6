// `concord backup list` and `concord backup salvage`.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import Foundation

extension Backup {
    /// Lists the automatic backups.
    struct ListAll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the backups that the daemon made by itself.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            let answer: Answer<BackupsDocument>
            do {
                answer = try await common.daemon.backups()
            } catch let error as ConcordError where error.code == .daemonUnreachable {
                answer = try Answer(encoding: try fromFiles())
            }
            output.answer(answer) { BackupsView.lines($0) }
        }

        /// What the folder says, where the daemon does not run.
        private func fromFiles() throws -> BackupsDocument {
            let home = common.nodeHome
            let configuration = try Configuration.load(
                path: home.configuration, environment: Caller.environment)
            let folder = BackupFolder(path: configuration.backup.folder(in: home))
            return BackupsDocument(
                folder: folder.path,
                backups: folder.items().map {
                    .init(path: $0.path, bytes: $0.bytes, at: Timestamp.text(milliseconds: $0.at))
                }, nextAt: nil)
        }
    }

    /// Makes a damaged replica anew.
    struct SalvageReplica: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "salvage",
            abstract:
                "Make the damaged replica of a stopped node anew, from a backup and what is still readable.",
            discussion: """
                The newest good automatic backup is taken, or the one that --from names, or none where there is none; to \
                it comes every change that can still be read from the damaged files and verifies. The damaged files are \
                moved to damaged/ in the home and kept. The node then takes a new replica id, and what is in none of its \
                files comes back from its peers.
                """)
        @Option(help: ArgumentHelp("Begin with this backup.", valueName: "file")) var from: String?
        @Flag(help: "Go on even if nothing is found wrong with the database.") var yes = false
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let home = common.nodeHome
            let configuration = try Configuration.load(
                path: home.configuration, environment: Caller.environment)
            let salvage = Salvage(home: home, policy: configuration.backup, now: WallClock.milliseconds())
            let document = try await salvage.run(from: from, isConfirmed: yes)
            common.output.result(document, SalvageView.lines(document))
        }
    }
}
