// `concord member`: the roster, and the signing of acts that wait for signatures. What drafts acts stands in
// MemberProcedures.swift and MemberOwnActs.swift.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

/// The family of `member`.
struct Member: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Show the roster of a space and change it by written procedure.",
        discussion: """
            An act that several members must sign waits until enough have. Whoever agrees types the same \
            command, or `concord member sign HASH` as `concord member list` shows it: the same bytes are signed. \
            Acts are signed here, with the authority's key, and never by the daemon.
            """,
        subcommands: [
            List.self, Sign.self, Admit.self, Suspend.self, Reinstate.self, Appoint.self, Leave.self,
            Rotate.self,
        ])

    /// Lists the roster.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show who belongs to a space, who is suspended, and what waits for signatures.")
        @Argument(help: "The space: its name, id or a prefix of the id.") var spaceName: String?
        @OptionGroup var space: SpaceOption
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            output.answer(try await common.daemon.members(space: spaceName ?? space.name)) {
                MembershipView.members($0, style: output.style)
            }
        }
    }

    /// Signs an act that waits.
    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign an act that waits for signatures.")
        @Argument(help: "The beginning of the act's hash, as `concord member list` shows it.") var act: String
        @OptionGroup var options: ActOptions

        func run() async throws {
            let flow = try await ActFlow(options)
            try await flow.finish(try flow.guide.pending(hash: act))
        }
    }
}

extension IdentityDocument {
    /// The member's id.
    var memberID: MemberID {
        get throws {
            guard let digest = ConcordCrypto.Digest(hex: memberId) else {
                throw ConcordError(.internalError, "the daemon's member id is not one: \(memberId)")
            }
            return MemberID(digest)
        }
    }
}
