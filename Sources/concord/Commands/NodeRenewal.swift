// `concord node install` and `concord node renew`: certificates into the home, of a running daemon or a stopped one.
// A daemon puts them in place itself, since it may run as another user, and presents them without a restart.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode

extension Node {
    /// Installs certificates.
    struct Install: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "install",
            abstract: "Put the certificates that the authority issued in their place.",
            discussion: """
                They must be for this node's keys and by its authority. A running daemon presents them from \
                the next connection on; what goes on is not interrupted.
                """)

        @Argument(help: "The file that `concord node certify` wrote.") var file: String
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let certificates = try NodeCertificates(pem: try LocalFile.readText(file), place: file)
            try await common.install(certificates)
        }
    }

    /// Renews certificates.
    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "renew", abstract: "Renew the certificates of this node's keys.",
            discussion: """
                Where the authority is at hand, new certificates are issued and installed at once. Where it is \
                kept elsewhere, --out FILE writes a request for `concord node certify`.
                """)

        @Option(help: ArgumentHelp("Write a request to this file instead.", valueName: "file")) var out:
            String?
        @OptionGroup var lifetime: LifetimeOption
        @OptionGroup var authority: AuthorityOptions
        @OptionGroup var common: CommonOptions

        func validate() throws {
            if out != nil, authority.authority != nil || lifetime.valid != nil {
                throw ValidationError("--out makes a request only: leave out --authority and --valid")
            }
        }

        func run() async throws {
            if let out {
                return try NodeReport.hand(over: try await common.renewalRequest(), to: out, common.output)
            }
            let identity = try await common.identity()
            let folder = authority.folder(code: identity.member)
            guard folder.exists else {
                throw ConcordError(
                    .unreadableFile, "\(folder.path) holds no authority",
                    action:
                        "give the right --authority DIR, or --out FILE for a request if it is kept elsewhere")
            }
            let key = try authority.key(in: folder, member: try identity.memberID)
            let certificates = try NodeCertificates.issue(
                node: identity.node, signing: try Certificate(pem: identity.certificate).publicKey,
                agreement: try Certificate(pem: identity.agreement).publicKey,
                authority: try folder.certificate(), authorityKey: key,
                founding: try folder.founding(), lifetime: lifetime.milliseconds)
            try await common.install(certificates)
        }
    }
}

extension CommonOptions {
    /// Where this home's keys are found.
    var keySources: KeySources {
        get throws {
            try ConcordNode.Configuration.load(
                path: nodeHome.configuration, environment: Caller.environment
            ).keys
        }
    }

    /// A request for new certificates: from the daemon, to which alone the keys may have been handed, else by the
    /// home's keys.
    fileprivate func renewalRequest() async throws -> CertificateRequestDocument {
        do {
            return try await daemon.certificateRequest().document
        } catch let error as ConcordError where error.code == .daemonUnreachable && nodeHome.hasIdentity {
            return try CertificateRequestDocument(try nodeHome.renewalRequest(try keySources))
        }
    }

    /// Puts certificates in their place and says so.
    fileprivate func install(_ certificates: NodeCertificates) async throws {
        let home = nodeHome
        if home.hasIdentity || !home.hasRequest {
            do {
                let answer = try await daemon.installCertificates(pem: try certificates.pem())
                output.answer(answer) {
                    NodeReport.lines($0) + ["The daemon presents them from the next connection on."]
                }
                return
            } catch let error as ConcordError where error.code == .daemonUnreachable {
                guard home.hasIdentity else { throw error }
            }
        }
        let isFirst = !home.hasIdentity
        // Nobody starts a daemon, or changes the same files, in the middle of it.
        let lock = try home.lock()
        defer { lock.release() }
        let identity = try home.install(certificates)
        let document = CertificatesDocument(identity.certificates)
        var lines = NodeReport.lines(document) + ["They are in place."]
        if isFirst {
            lines.append("Compare the authority's fingerprint by another road, say by telephone.")
        }
        lines.append(TerminalText.escaped("Next: concordd --home \(home.path)"))
        output.result(document, lines)
    }
}
