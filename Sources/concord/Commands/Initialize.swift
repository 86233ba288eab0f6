// `concord init`: makes a node, and the member's authority if there is none yet.

import ArgumentParser
import ConcordCrypto
import ConcordModel
import ConcordNode
import Foundation

/// Makes a node in a home folder.
struct Initialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a node, and its member's authority if there is none yet.",
        discussion: """
            The authority's key founds the member's identity: it certifies nodes and signs formal acts. It \
            is kept outside the node's home; keep a copy in a safe. If the folder holds an authority \
            already, the new node is certified by that one, so that one member can have several nodes.
            """)

    @Option(help: ArgumentHelp("The member's code, such as ESP.", valueName: "code")) var member: String
    @Option(help: "The member's name, such as Spain.") var name: String
    @Option(help: ArgumentHelp("The node's name, such as madrid.", valueName: "name")) var node: String
    @Option(
        help: ArgumentHelp(
            "Where the node listens; repeatable (default: 0.0.0.0:7443).", valueName: "host:port"))
    var listen: [String] = []
    @Option(help: ArgumentHelp("Where peers reach the node; repeatable.", valueName: "host:port"))
    var address: [String] = []
    @Flag(help: "Leave a new authority's key unencrypted.") var noPassphrase = false
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var common: CommonOptions

    private struct Made: Encodable {
        var member: String
        var memberName: String
        var memberId: String
        var node: String
        var nodeId: String
        var home: String
        var authority: String
        var authorityCreated: Bool
    }

    func validate() throws {
        if noPassphrase, authority.passphraseFile != nil {
            throw ValidationError("--no-passphrase and --passphrase-file exclude each other")
        }
    }

    func run() async throws {
        let home = common.nodeHome
        guard !home.hasIdentity else {
            throw ConcordError(
                .identityExists, "\(home.path) holds an identity already, which is not overwritten")
        }
        let listening = listen.isEmpty ? ["0.0.0.0:7443"] : listen
        let places = try listening.map { try NodeAddress(parsing: $0, allowingAnyPort: true) }
        let addresses = try address.map { try NodeAddress(parsing: $0) }
        let folder = authority.folder(code: member)
        let isNew = !folder.exists
        // Everything that can be asked or refused comes before anything is written.
        let existing = isNew ? nil : try authority.key(in: folder)
        let passphrase = isNew && !noPassphrase ? try authority.newPassphrase() : nil
        let isNewHome = !FileManager.default.fileExists(atPath: home.path)
        var hasCreated = false
        let identity: NodeIdentity
        do {
            try home.prepare()
            if isNew { try folder.create(code: member, name: name, passphrase: passphrase) }
            hasCreated = isNew
            identity = try home.initialize(
                member: member, name: name, node: node, authority: try folder.certificate(),
                authorityKey: try existing ?? folder.key(passphrase: passphrase), listen: places,
                addresses: addresses)
        } catch {
            if hasCreated, !home.hasIdentity { remove(folder) }
            if isNewHome { remove(home) }
            throw error
        }
        report(identity, home: home, folder: folder, isNew: isNew)
    }

    /// An authority that was made just now and certified nothing is no loss; leaving it would make the next
    /// attempt ask for its passphrase.
    private func remove(_ folder: AuthorityFolder) {
        unlink(folder.keyPath)
        unlink(folder.certificatePath)
        rmdir(folder.path)
    }

    /// Takes away the folders that were made, if they are empty.
    private func remove(_ home: NodeHome) {
        rmdir(home.blobs)
        rmdir(home.path)
    }

    private func report(_ identity: NodeIdentity, home: NodeHome, folder: AuthorityFolder, isNew: Bool) {
        let made = Made(
            member: identity.memberCode, memberName: identity.memberName,
            memberId: identity.memberID.description, node: identity.nodeName,
            nodeId: identity.nodeID.description, home: home.path, authority: folder.path,
            authorityCreated: isNew)
        var lines = ["Node \(made.node) of \(made.member) \(made.memberName) is set up in \(home.path)."]
        if isNew {
            lines.append(
                "The authority of \(made.member) is in \(folder.path): keep a copy of that folder in a safe.")
            if noPassphrase {
                lines.append("Its key is not encrypted: whoever reads it can act as \(made.member).")
            }
        } else {
            lines.append("It is certified by the authority in \(folder.path).")
        }
        lines.append("Next: concordd --home \(home.path)")
        common.output.result(made, lines)
    }
}
