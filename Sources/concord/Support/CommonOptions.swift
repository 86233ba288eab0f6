// The options of every command, and what follows from them: the home, the daemon's client, where results go.

import ArgumentParser
import ConcordAPI
import ConcordClient
import ConcordModel
import ConcordNode
import Foundation

/// `--home` and `--json`.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The node's home folder (default: $CONCORD_HOME, then /var/lib/concord, then ~/.concord/home).",
            valueName: "dir"))
    var home: String?

    @Flag(help: "Print exactly one JSON document.")
    var json = false

    /// The home that is meant.
    var nodeHome: NodeHome { NodeHome.resolve(option: home, environment: Caller.environment) }
    /// The daemon of that home.
    var daemon: DaemonClient { DaemonClient(socket: nodeHome.socket) }
    /// Where results go.
    var output: Output { Output(json: json) }

    /// Who the node is: from the daemon, or from the files of the home where it does not run.
    func identity() async throws -> IdentityDocument {
        do {
            return try await daemon.identity().document
        } catch let error as ConcordError where error.code == .daemonUnreachable && nodeHome.hasIdentity {
            return try identityFromFiles()
        }
    }

    private func identityFromFiles() throws -> IdentityDocument {
        let identity = try nodeHome.certificates()
        let configuration = try Configuration.load(
            path: nodeHome.configuration, environment: Caller.environment)
        return IdentityDocument(
            member: identity.memberCode, memberName: identity.memberName, node: identity.nodeName,
            nodeId: identity.nodeID.description, memberId: identity.memberID.description,
            authorityFingerprint: identity.memberID.description,
            certificate: try identity.nodeCertificate.pem(),
            agreement: try identity.agreementCertificate.pem(),
            authority: try identity.authorityCertificate.pem(),
            addresses: configuration.addresses.map(\.description))
    }

    /// The space that `name` means: its id, a unique prefix of it, or its name; the only one if `name` is
    /// nil.
    ///
    /// - Throws: ``ConcordError`` E-4001 or E-4010.
    func space(_ name: String?) async throws -> SpacesDocument.Space {
        let spaces = try await daemon.spaces().document.spaces
        let found =
            name.map { name in
                let exact = spaces.filter { $0.name == name || $0.id == name }
                return exact.isEmpty ? spaces.filter { $0.id.hasPrefix(name.lowercased()) } : exact
            } ?? spaces
        if found.count == 1 { return found[0] }
        let names = spaces.map { "“\($0.name)”" }.joined(separator: ", ")
        if found.isEmpty {
            throw ConcordError(
                .unknownSpace, name.map { "no space “\($0)” is held here" } ?? "no space is held here")
        }
        throw ConcordError(.ambiguousSpace, "several spaces are held here: \(names)")
    }
}

extension NodeHome {
    /// A path as the daemon, which runs in another folder, must be given it.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
