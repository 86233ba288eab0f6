// The tree of commands.

import ArgumentParser
import ConcordModel
import ConcordNode

/// The program.
struct Concord: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord",
        abstract: "Work with a Concord node: its records, its spaces, its peers.",
        discussion: """
            Every command takes --home DIR (default $CONCORD_HOME, then /var/lib/concord, then \
            ~/.concord/home) and --json; where several spaces are held, --space or $CONCORD_SPACE says which. \
            Exit codes: 0 done or in step, 1 refused or failed, 2 usage, \
            3 the daemon cannot be reached, 4 degraded, 5 needs a person, 6 integrity failure.
            """,
        version: "concord \(NodeVersion.text)",
        groupedSubcommands: [
            CommandGroup(
                name: "A node's life",
                subcommands: [
                    Initialize.self, Identity.self, Node.self, Space.self, Member.self, ActCommands.self,
                    Peer.self,
                ]),
            CommandGroup(
                name: "The work",
                subcommands: [
                    ContactCommands.self, MeetingCommands.self, DocumentCommands.self,
                    AttachmentCommands.self,
                    ProfileCommands.self,
                    Conflicts.self, Resolve.self, Search.self, Log.self, Import.self,
                ]),
            CommandGroup(
                name: "The administrator",
                subcommands: [
                    Status.self, Wait.self, DoctorCommand.self, Verify.self, BundleCommands.self, Backup.self,
                    Explain.self,
                ]),
        ])

    /// The names of the commands at the beginning of `arguments`, for `concord help …`.
    static func path(in arguments: [String]) -> [String] { walk(arguments).names }

    /// Whether `arguments` name a family of commands and nothing in it. A family has no options of its own.
    static func isFamily(_ arguments: [String]) -> Bool {
        let (names, command) = walk(arguments)
        return names.count == arguments.count && command is any CommandFamily.Type
    }

    private static func walk(_ arguments: [String]) -> (names: [String], command: any ParsableCommand.Type) {
        var names: [String] = []
        var command: any ParsableCommand.Type = Self.self
        for argument in arguments {
            let configuration = command.configuration
            let children = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
            let next = children.first {
                $0.configuration.commandName == argument || $0.configuration.aliases.contains(argument)
            }
            guard let next else { break }
            names.append(argument)
            command = next
        }
        return (names, command)
    }
}

/// A command that only holds others: it says which, if none is given.
protocol CommandFamily: AsyncParsableCommand {}

extension CommandFamily {
    mutating func run() async throws {
        let names = Self.configuration.subcommands.compactMap { $0.configuration.commandName }
        let family = Self.configuration.commandName ?? ""
        throw ConcordError(
            .usage, "`concord \(family)` needs to know what to do: \(names.joined(separator: ", "))",
            action: "see `concord help \(family)`")
    }
}
