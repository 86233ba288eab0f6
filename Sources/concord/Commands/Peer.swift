// `concord peer`: with whom this node exchanges, and where it finds them.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordNode

/// The family of `peer`.
struct Peer: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "peer", abstract: "Show and steer with whom this node exchanges.",
        subcommands: [List.self, Add.self, Remove.self, Pause.self, Resume.self])

    /// Lists the peers.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the peers.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            let now = Timestamp.text(milliseconds: WallClock.milliseconds())
            output.answer(try await common.daemon.peers()) {
                PeersView.lines($0, now: now, style: output.style)
            }
        }
    }

    /// Dials an address.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Dial an address from now on.")
        @Argument(help: ArgumentHelp("The address.", valueName: "host:port")) var address: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let address = try NodeAddress(parsing: address).description
            common.output.answer(try await common.daemon.addPeer(address: address)) { _ in
                [TerminalText.escaped("\(address) is dialled from now on.")]
            }
        }
    }

    /// Forgets an address.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Forget an address that was added by hand.")
        @Argument(help: ArgumentHelp("The address.", valueName: "host:port")) var address: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let address = try NodeAddress(parsing: address).description
            common.output.answer(try await common.daemon.removePeer(address: address)) { _ in
                [TerminalText.escaped("\(address) is no longer dialled by hand.")]
            }
        }
    }

    /// Pauses exchange.
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Stop exchanging with a member, or with everybody.")
        @Argument(help: "The member's code (default: everybody).") var member: String?
        @OptionGroup var common: CommonOptions

        func run() async throws {
            common.output.answer(try await common.daemon.pause(member: member)) { _ in
                [TerminalText.escaped("Exchange with \(member ?? "everybody") is paused.")]
            }
        }
    }

    /// Resumes exchange.
    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Take up exchange again with a member, or with everybody.")
        @Argument(help: "The member's code (default: everybody).") var member: String?
        @OptionGroup var common: CommonOptions

        func run() async throws {
            common.output.answer(try await common.daemon.resume(member: member)) { _ in
                [TerminalText.escaped("Exchange with \(member ?? "everybody") is taken up again.")]
            }
        }
    }
}
