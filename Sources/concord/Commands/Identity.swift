// `concord identity`: who this node is, and the certificate that other members admit.

import ArgumentParser
import ConcordClient
import ConcordCrypto
import ConcordModel

/// The family of `identity`.
struct Identity: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Show or export who this node is.",
        subcommands: [Show.self, Export.self])

    /// Shows the identity.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show who this node is.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let identity = try await common.identity()
            let addresses = identity.addresses.joined(separator: ", ")
            let until = try Certificate(pem: identity.certificate).notAfter
            common.output.result(
                identity,
                [
                    "member       \(identity.member) \(identity.memberName)",
                    "fingerprint  \(Quantity.fingerprint(identity.authorityFingerprint))",
                    "node         \(identity.node)",
                    "node id      \(identity.nodeId)",
                    "certificate  valid until \(Moment.day(seconds: until))",
                    "addresses    \(addresses.isEmpty ? "none given" : addresses)",
                ].map(TerminalText.escaped))
        }
    }

    /// Exports the authority's certificate.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write the authority certificate, which other members admit.")
        @Option(help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
        var out: String?
        @OptionGroup var common: CommonOptions

        private struct Exported: Encodable {
            var member: String
            var fingerprint: String
            var authority: String
            var file: String?
        }

        func run() async throws {
            let identity = try await common.identity()
            if let out { try LocalFile.create(out, Array(identity.authority.utf8)) }
            let exported = Exported(
                member: identity.member, fingerprint: identity.authorityFingerprint,
                authority: identity.authority, file: out)
            guard let out else {
                common.output.result(exported, identity.authority.split(separator: "\n").map(String.init))
                return
            }
            common.output.result(
                exported,
                [
                    TerminalText.escaped("The authority certificate of \(identity.member) is in \(out)."),
                    "Whoever admits it should compare this fingerprint by another road, say by telephone:",
                    Quantity.fingerprint(identity.authorityFingerprint),
                ])
        }
    }
}
