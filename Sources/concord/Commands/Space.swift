// `concord space`: founding, inviting, joining. The charter is made and signed here, with the authority's
// key.

import ArgumentParser
import ConcordClient
import ConcordModel
import ConcordNode
import Foundation

/// The family of `space`.
struct Space: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "space", abstract: "Found, join and inspect spaces.",
        subcommands: [Create.self, List.self, Invite.self, Join.self, Digest.self])

    /// Founds a space.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Found a space.")
        @Argument(help: "The name of the space.") var name: String
        @Option(
            help: ArgumentHelp(
                "The authority certificate of another founding member; repeatable.", valueName: "file"))
        var founder: [String] = []
        @Option(help: ArgumentHelp("How many members must agree to admit one.", valueName: "number"))
        var admission: UInt64 = 1
        @Option(help: ArgumentHelp("How many members must agree to suspend one.", valueName: "number"))
        var suspension: UInt64 = 2
        @OptionGroup var authority: AuthorityOptions
        @OptionGroup var common: CommonOptions

        private struct Founded: Encodable {
            var id: String
            var name: String
            var founders: [String]
            var warning: String?
        }

        func run() async throws {
            let identity = try await common.identity()
            let folder = authority.folder(code: identity.member)
            let founders = try founder.map { try LocalFile.authority($0) }
            let key = try authority.key(in: folder, member: try identity.memberID)
            guard try folder.founding() == nil else {
                throw ConcordError(
                    .wrongAuthority,
                    "\(identity.member)'s authority key was replaced, and a charter takes the key by which a "
                        + "member is founded",
                    action: "have another member found the space")
            }
            let own = try MemberStatement(authority: try folder.certificate())
            let charter = try Charter(
                name: UTF8Text(name), timestamp: WallClock.milliseconds(), founders: [own] + founders,
                admissionThreshold: admission, suspensionThreshold: suspension)
            let founded = try await common.daemon.found(try SignedCharter(charter: charter, key: key))
                .document
            if let warning = charter.warning { common.output.remark("Warning: \(warning).") }
            let result = Founded(
                id: founded.id, name: founded.name, founders: charter.founders.map(\.code.string),
                warning: charter.warning)
            common.output.result(result, [TerminalText.escaped("\(founded.id)  \(founded.name)")])
        }
    }

    /// Lists the spaces.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the spaces held here.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            output.answer(try await common.daemon.spaces()) { MembershipView.spaces($0, style: output.style) }
        }
    }

    /// Writes an invite.
    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "invite", abstract: "Write an invite, with which a member that was admitted joins.")
        @Argument(help: "The space: its name, id or a prefix of the id.") var space: String?
        @OptionGroup var option: SpaceOption
        @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var out: String
        @OptionGroup var common: CommonOptions

        private struct Written: Encodable {
            var space: String
            var file: String
            var invite: String
        }

        func run() async throws {
            let space = try await common.space(space ?? option.name)
            let invite = try await common.daemon.invite(space: space.id).document.invite
            guard let bytes = Data(base64Encoded: invite) else {
                throw ConcordError(.malformedInvite, "the daemon's invite is not in base64")
            }
            try LocalFile.create(out, Array(bytes))
            common.output.result(
                Written(space: space.id, file: out, invite: invite),
                [TerminalText.escaped("The invite to “\(space.name)” is in \(out).")])
        }
    }

    /// Joins a space.
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "join", abstract: "Join a space with an invite.")
        @Argument(help: "The invite's file.") var file: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let answer = try await common.daemon.join(invite: try LocalFile.read(file))
            common.output.answer(answer) { joined in
                [
                    TerminalText.escaped("\(joined.id)  \(joined.name)"),
                    TerminalText.escaped("Invited by \(joined.inviter.code) \(joined.inviter.name)")
                        + "; compare its fingerprint by another road, such as the telephone:",
                    Quantity.fingerprint(joined.inviter.fingerprint),
                ]
            }
        }
    }

    /// Prints the digest of the visible state.
    struct Digest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "digest",
            abstract: "Print the digest of the visible state: equal on every node that is in step.")
        @Argument(help: "The space: its name, id or a prefix of the id.") var space: String?
        @OptionGroup var option: SpaceOption
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let space = try await common.space(space ?? option.name)
            common.output.answer(try await common.daemon.digest(space: space.id)) {
                [TerminalText.escaped($0.digest)]
            }
        }
    }
}
