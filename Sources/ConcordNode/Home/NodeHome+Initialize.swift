// How a home gets its identity. All keys and certificates are made in a folder of another name, flushed, and
// take their place by one rename: there is never half an identity, and never a second one over a first.

import ConcordCrypto
import ConcordModel
import Glibc

extension NodeHome {
    /// Makes a node: `identity/` with a signing and an agreement key and their certificates, and
    /// `concord.yaml`. A home that holds a replica but no identity, as after restoring a backup, gets a new
    /// identity beside it.
    ///
    /// - Parameters:
    ///   - member: The member's code, which must be the authority's.
    ///   - name: The member's name, which must be the authority's.
    ///   - node: The node's name, such as `madrid`.
    ///   - authority: The member's authority certificate.
    ///   - authorityKey: Its key, used here and not kept.
    ///   - listen: Where the node listens; empty for one that only dials out.
    ///   - addresses: Where peers reach it.
    ///   - now: Milliseconds since 1970.
    /// - Throws: ``ConcordError`` E-2006 if an identity is here, E-1014 if a configuration is, E-4011 if the
    ///   authority is another member's, E-5005 if the folder cannot be written. Nothing is left behind then.
    @discardableResult
    public func initialize(
        member: String, name: String, node: String, authority: Certificate, authorityKey: PrivateKey,
        listen: [NodeAddress], addresses: [NodeAddress], now: Int64 = WallClock.milliseconds()
    ) throws -> NodeIdentity {
        guard !hasIdentity else {
            throw ConcordError(.identityExists, "\(path) holds an identity already, which is not overwritten")
        }
        guard !FileSystem.exists(configuration) else {
            throw ConcordError(.fileExists, "\(configuration) exists already")
        }
        guard authority.subject.memberCode == member, authority.subject.memberName == name else {
            throw ConcordError(
                .wrongAuthority,
                "the authority is that of \(authority.subject.memberCode) \(authority.subject.memberName), "
                    + "not of \(member) \(name)")
        }
        let keys = NodeKeys(
            signing: try ConcordError.mappingCrypto("a new key") { try PrivateKey.generate() },
            agreement: try ConcordError.mappingCrypto("a new key") { try PrivateKey.generate() })
        let certificates = try NodeCertificates.issue(
            node: node, signing: keys.signing.publicKey, agreement: keys.agreement.publicKey,
            authority: authority, authorityKey: authorityKey, now: now)
        try prepare()
        let draft = IdentityFiles(folder: "\(path)/identity.\(getpid()).new")
        try FileSystem.makeFolder(draft.folder, mode: 0o700, failure: .unwritableHome)
        do {
            try draft.write(.signing, keys.signing, passphrase: nil)
            try draft.write(.agreement, keys.agreement, passphrase: nil)
            try draft.write(certificates)
            try FileSystem.createAtomically(
                configuration, bytes: Array(Configuration.sample(listen: listen, addresses: addresses).utf8),
                mode: 0o640, failure: .unwritableHome)
            try place(draft)
        } catch {
            draft.remove()
            throw error
        }
        return try identity()
    }

    private func place(_ draft: IdentityFiles) throws {
        guard rename(draft.folder, identityFolder) == 0 else {
            let refusal =
                errno == ENOTEMPTY || errno == EEXIST
                ? ConcordError(.identityExists, "\(path) holds an identity already, which is not overwritten")
                : FileSystem.refusal(.unwritableHome, "\(identityFolder) cannot be made")
            unlink(configuration)
            throw refusal
        }
        try FileSystem.synchronize(folder: path, failure: .unwritableHome)
    }
}
