// How a node gets its certificates from an authority that is elsewhere: it makes its keys, which never leave, and
// asks. Until the answer comes the keys wait in a folder of their own, so that nothing takes the home for a node's.

import ConcordCrypto
import ConcordModel
import Glibc

extension NodeHome {
    /// Makes the keys of a new node, unless they wait here already or are found elsewhere, and what asks for
    /// their certificates. `concord.yaml` is made unless it is there. Asking again asks for the same keys.
    ///
    /// - Parameters:
    ///   - member: The member's code, as on its authority.
    ///   - name: The member's name, as on its authority.
    ///   - node: The node's name, such as `field-1`.
    ///   - listen: Where the node will listen; empty for one that only dials out.
    ///   - addresses: Where peers will reach it.
    ///   - sources: Where keys are found. Those that would lie in the home are made there, encrypted if there is
    ///     a passphrase.
    /// - Throws: ``ConcordError`` E-2006 if an identity is here, E-1003 for names that cannot be certified, E-5005
    ///   if the home cannot be written, or what the keys cause.
    public func request(
        member: String, name: String, node: String, listen: [NodeAddress], addresses: [NodeAddress],
        sources: KeySources = KeySources()
    ) throws -> NodeRequest {
        guard !hasIdentity else {
            throw ConcordError(
                .identityExists, "\(path) holds an identity already",
                action: "ask for new certificates of the same keys with `concord node renew`")
        }
        // Names are checked before anything is written.
        _ = try NodeRequest(
            member: member, name: name, node: node,
            keys: NodeKeys(signing: try Self.newKey(), agreement: try Self.newKey()))
        try prepare()
        if !hasRequest { try makeRequestFolder(sources) }
        let files = requestFiles
        let request = try NodeRequest(
            member: member, name: name, node: node, keys: try NodeKeys(sources, files: files))
        try FileSystem.replaceAtomically(
            files.request, bytes: Array(try request.pem().utf8), mode: 0o644, failure: .unwritableHome)
        if !FileSystem.exists(configuration) {
            let text = Configuration.sample(
                listen: listen, addresses: addresses, passphraseFile: sources.passphraseFile)
            try FileSystem.createAtomically(
                configuration, bytes: Array(text.utf8), mode: 0o640, failure: .unwritableHome)
        }
        return request
    }

    /// Asks for new certificates of this node's keys, under its present names.
    ///
    /// - Throws: ``ConcordError`` as ``load(_:)``.
    public func renewalRequest(_ sources: KeySources = KeySources()) throws -> NodeRequest {
        let (identity, keys) = try load(sources)
        return try identity.renewalRequest(keys)
    }

    /// What waits here for its certificates.
    ///
    /// - Throws: ``ConcordError`` E-2005 if nothing does, E-2009 if it cannot be read.
    public func pendingRequest() throws -> NodeRequest {
        guard hasRequest else {
            throw ConcordError(
                .noIdentity, "\(path) holds no node identity, and no request for one",
                action: "run `concord node request --member CODE --name NAME --node NAME --out FILE` first")
        }
        let path = requestFiles.request
        return try NodeRequest(pem: try FileSystem.readText(path), place: path)
    }

    private func makeRequestFolder(_ sources: KeySources) throws {
        let passphrase = try sources.passphrase()
        let draft = IdentityFiles(folder: "\(path)/identity.request.\(getpid()).new")
        try FileSystem.makeFolder(draft.folder, mode: 0o700, failure: .unwritableHome)
        do {
            for role in KeyRole.allCases
            where sources.place(of: role, files: requestFiles) == .file(requestFiles.key(role)) {
                try draft.write(role, try Self.newKey(), passphrase: passphrase)
            }
            try FileSystem.synchronize(folder: draft.folder, failure: .unwritableHome)
            guard rename(draft.folder, requestFolder) == 0 else {
                throw FileSystem.refusal(.unwritableHome, "\(requestFolder) cannot be made")
            }
            try FileSystem.synchronize(folder: path, failure: .unwritableHome)
        } catch {
            draft.remove()
            throw error
        }
    }

    static func newKey() throws -> PrivateKey {
        try ConcordError.mappingCrypto("a new key") { try PrivateKey.generate() }
    }
}

extension NodeIdentity {
    /// Asks for new certificates of these keys, under the node's present names.
    func renewalRequest(_ keys: NodeKeys) throws -> NodeRequest {
        try NodeRequest(member: memberCode, name: memberName, node: nodeName, keys: keys)
    }
}
