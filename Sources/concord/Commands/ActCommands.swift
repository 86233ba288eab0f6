// `concord act`: acts in files, which travel to a machine without a network to be signed there, and back. `show` and
// `sign` need neither a node nor a daemon.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode
import Foundation

/// The family of `act`.
struct ActCommands: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "act", abstract: "Show, sign and submit acts in files, also without a network.",
        subcommands: [Show.self, Sign.self, Submit.self])

    /// Shows an act.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show everything that stands in an act.",
            discussion: "Names are what the file says; fingerprints are what is signed.")
        @Argument(help: "The file.") var file: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let output = common.output
            let act = try ActFile(encoded: try LocalFile.read(file))
            output.result(ActFileResult(act, path: file), ActView.lines(act, style: output.style))
        }
    }

    /// Signs an act.
    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign an act with an authority's key.",
            discussion: "Works without a node and without a network. Shows the act and asks first.")
        @Argument(help: "The file.") var file: String
        @Option(help: ArgumentHelp("The file to write (default: the same).", valueName: "file")) var out:
            String?
        @Flag(help: "Sign without being asked.") var yes = false
        @OptionGroup var authority: AuthorityOptions
        @OptionGroup var common: CommonOptions

        func validate() throws {
            if authority.authority == nil {
                throw ValidationError("Say with whose authority to sign, with --authority")
            }
        }

        func run() async throws {
            let output = common.output
            var act = try ActFile(encoded: try LocalFile.read(file))
            for line in ActView.lines(act) { output.remark(line) }
            let folder = authority.folder(code: "")
            let signer = try folder.memberID()
            let who = try folder.certificate().subject
            guard
                yes
                    || Terminal.answer("Sign this as \(who.memberCode) \(who.memberName)? Type yes: ")
                        == "yes"
            else {
                throw ConcordError(
                    .notConfirmed, "the act was not signed", action: "repeat with --yes once you have read it"
                )
            }
            let key = try authority.key(in: folder)
            try act.add(try SignedAct(act: act.bytes, signer: signer, key: key))
            act.add(
                ActFile.Name(member: signer, code: UTF8Text(who.memberCode), name: UTF8Text(who.memberName)))
            let target = out ?? file
            if out == nil {
                try LocalFile.replace(file, act.encoded)
            } else {
                try LocalFile.create(target, act.encoded)
            }
            output.written(act, path: target)
        }
    }

    /// Hands an act with its signatures to the daemon.
    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "submit",
            abstract: "Hand a signed act to this node, which carries it into the space.")
        @Argument(help: "The file.") var file: String
        @OptionGroup var common: CommonOptions

        private struct Submitted: Encodable {
            struct Refused: Encodable {
                var signer: String
                var code: String
                var message: String
            }

            var space: String
            var acts: [ActDocument]
            var refused: [Refused]
        }

        func run() async throws {
            let output = common.output
            let act = try ActFile(encoded: try LocalFile.read(file))
            guard !act.signatures.isEmpty else {
                throw ConcordError(
                    .malformedAct, "the act in \(file) is not signed yet",
                    action: "sign it: concord act sign \(file) --authority DIR")
            }
            let space = act.act.space.description
            var submitted = Submitted(space: space, acts: [], refused: [])
            var first: ConcordError?
            // One signature more may put the act into force, and then the others are not needed.
            for signed in act.signatures {
                do {
                    submitted.acts.append(try await common.daemon.endorse(signed, in: space).document)
                } catch let error as ConcordError where error.code != .daemonUnreachable {
                    first = first ?? error
                    submitted.refused.append(
                        .init(
                            signer: signed.signer.description, code: error.code.rawValue,
                            message: error.message))
                }
            }
            guard let last = submitted.acts.last else {
                throw first ?? ConcordError(.malformedAct, "nothing was taken")
            }
            output.result(
                submitted,
                MembershipView.signed(last, style: output.style)
                    + submitted.refused.map {
                        TerminalText.escaped(
                            "Not taken, of \($0.signer.prefix(16)): \($0.message) (\($0.code)).")
                    })
        }
    }
}
