// The daemon's program: options in, one clear sentence out if it cannot start.

import ArgumentParser
import ConcordModel
import ConcordNode
import Foundation
import Logging

@main
struct Concordd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concordd",
        abstract: "Runs a Concord node in the foreground.",
        discussion: "Logs go to standard error. SIGTERM and SIGINT stop it in good order.",
        version: NodeVersion.text)

    @Option(help: "The home folder (default $CONCORD_HOME, /var/lib/concord, ~/.concord/home).")
    var home: String?

    func run() async throws {
        // A file that reaches a limit of its size is an error of writing like others, not the end.
        signal(SIGXFSZ, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let home = NodeHome.resolve(option: home, environment: environment)
        do {
            let configuration = try ConcordNode.Configuration.load(
                path: home.configuration, environment: environment)
            LogOutput.bootstrap(format: configuration.logFormat, level: configuration.logLevel)
            let daemon = try Daemon(
                home: home, configuration: configuration, logger: Logger(label: "concordd"))
            try await daemon.run()
        } catch let error as ConcordError {
            FileHandle.standardError.write(Data("concordd: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}
