// `concord node`: several nodes of one member, and their certificates. Where the authority is kept elsewhere, the node
// asks for its certificates by a file that holds no secret, and gets them by another.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode
import Glibc

/// The family of `node`.
struct Node: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Ask for, issue, install and renew a node's certificates; revoke a node.",
        subcommands: [Request.self, Certify.self, Install.self, Renew.self, Revoke.self])

    /// Asks for the certificates of a new node.
    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "request", abstract: "Make the keys of a new node and ask for their certificates.",
            discussion: """
                For a machine to which the member's authority does not come. The keys stay in the home; the \
                file that is written holds no secret. Names must be those that stand on the authority. If \
                concord.yaml is in the home already, keys are used from where it says. Asking again asks for \
                the same keys.
                """)

        @Option(help: ArgumentHelp("The member's code, such as ESP.", valueName: "code")) var member: String
        @Option(help: "The member's name, such as Spain.") var name: String
        @Option(help: ArgumentHelp("The node's name, such as field-1.", valueName: "name")) var node: String
        @Option(
            help: ArgumentHelp(
                "Where the node listens; repeatable (default: 0.0.0.0:7443).", valueName: "host:port"))
        var listen: [String] = []
        @Option(help: ArgumentHelp("Where peers reach the node; repeatable.", valueName: "host:port"))
        var address: [String] = []
        @Option(
            help: ArgumentHelp(
                "A file with a passphrase for the node's keys; the daemon reads it there, too.",
                valueName: "file"))
        var passphraseFile: String?
        @Option(help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
        var out: String?
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let home = common.nodeHome
            let hasConfiguration = LocalFile.exists(home.configuration)
            guard !hasConfiguration || listen.isEmpty && address.isEmpty && passphraseFile == nil else {
                throw ConcordError(
                    .fileExists, "\(home.configuration) exists already and says where the node listens",
                    action: "leave out --listen, --address and --passphrase-file, or edit that file")
            }
            let listening = listen.isEmpty ? ["0.0.0.0:7443"] : listen
            var sources = try common.keySources
            if let passphraseFile { sources.passphraseFile = NodeHome.absolute(passphraseFile) }
            let request = try home.request(
                member: member, name: name, node: node,
                listen: try listening.map { try NodeAddress(parsing: $0, allowingAnyPort: true) },
                addresses: try address.map { try NodeAddress(parsing: $0) }, sources: sources)
            try NodeReport.hand(over: try CertificateRequestDocument(request), to: out, common.output)
        }
    }

    /// Issues certificates.
    struct Certify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "certify",
            abstract: "Issue the certificates that a node asks for, with the authority's key.",
            discussion: """
                Shows first what is certified. Compare the request's fingerprint with whoever made it, by \
                another road: it covers both of the node's keys. A request of another member is refused.
                """)

        @Argument(help: "The file that `concord node request` or `concord node renew --out` wrote.") var file:
            String
        @Option(help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
        var out: String?
        @OptionGroup var lifetime: LifetimeOption
        @OptionGroup var authority: AuthorityOptions
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let request = try NodeRequest(pem: try LocalFile.readText(file), place: file)
            let folder = authority.folder(code: request.subject.memberCode)
            let certificate = try folder.certificate()
            try request.requireMember(of: certificate)
            if let out, LocalFile.exists(out) {
                throw ConcordError(.fileExists, "\(out) exists already and is not overwritten")
            }
            // Before the passphrase is asked for, so that who types it knows what for.
            for line in NodeReport.lines(try CertificateRequestDocument(request)) {
                common.output.remark(line)
            }
            let certificates = try NodeCertificates.issue(
                for: request, authority: certificate, authorityKey: try authority.key(in: folder),
                founding: try folder.founding(), lifetime: lifetime.milliseconds)
            let pem = try certificates.pem()
            if let out { try LocalFile.create(out, Array(pem.utf8)) }
            NodeReport.issued(certificates, pem: pem, to: out, common.output)
        }
    }
}

/// `--valid`.
struct LifetimeOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long the certificates are valid, such as 90d (default: 3 years).", valueName: "span"))
    var valid: TypedSpan?

    /// In milliseconds.
    var milliseconds: Int64 { valid?.milliseconds ?? Validity.nodeMilliseconds }

    func validate() throws {
        guard milliseconds >= 1000 else { throw ValidationError("--valid must be a second or more") }
    }
}

/// What the commands about certificates print.
enum NodeReport {
    private struct Asked: Encodable {
        var request: CertificateRequestDocument
        var file: String?
    }

    private struct Issued: Encodable {
        var issued: CertificatesDocument
        var certificates: String
        var file: String?
    }

    /// Who asks, for people.
    static func lines(_ request: CertificateRequestDocument) -> [String] {
        [
            "member       \(request.member) \(request.memberName)",
            "node         \(request.node)",
            "node id      \(request.nodeId)",
            "agreement    \(request.agreementFingerprint)",
            "fingerprint  \(Quantity.fingerprint(request.fingerprint))",
        ].map(TerminalText.escaped)
    }

    /// What was certified, for people.
    static func lines(_ certificates: CertificatesDocument) -> [String] {
        [
            "member       \(certificates.member) \(certificates.memberName)",
            "authority    \(Quantity.fingerprint(certificates.memberId))",
            "node         \(certificates.node)",
            "node id      \(certificates.nodeId)",
            "valid        \(certificates.validFrom.prefix(10)) to \(certificates.validUntil.prefix(10))",
        ].map(TerminalText.escaped)
    }

    /// Writes a request to a file, or prints it.
    static func hand(over request: CertificateRequestDocument, to file: String?, _ output: Output) throws {
        if let file { try LocalFile.create(file, Array(request.request.utf8)) }
        let asked = Asked(request: request, file: file)
        guard let file else {
            output.result(asked, request.request.split(separator: "\n").map(String.init))
            return
        }
        output.result(
            asked,
            lines(request) + [
                TerminalText.escaped("The request is in \(file). It holds no secret."),
                "Whoever certifies it should compare the fingerprint by another road, say by telephone.",
                TerminalText.escaped("Next, where the authority is: concord node certify \(file) --out FILE"),
            ])
    }

    /// Says what was issued, or prints it.
    static func issued(_ certificates: NodeCertificates, pem: String, to file: String?, _ output: Output) {
        let document = CertificatesDocument(certificates)
        let issued = Issued(issued: document, certificates: pem, file: file)
        guard let file else {
            output.result(issued, pem.split(separator: "\n").map(String.init))
            return
        }
        output.result(
            issued,
            lines(document) + [
                TerminalText.escaped("The certificates are in \(file). They hold no secret."),
                TerminalText.escaped("Next, on the node's machine: concord node install \(file)"),
            ])
    }
}

extension LocalFile {
    /// Whether something has this name.
    static func exists(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0
    }
}
