// How a home gets its identity. All keys and certificates are made in a folder of another name, flushed, and
// take their place by one rename: there is never half an identity, and never a second one over a first.

import ConcordCrypto
import ConcordModel
import Glibc

extension NodeHome {
    /// Years for which a node's certificates are valid.
    public static let certificateYears: Int64 = 3

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
        let files = try Self.makeFiles(node: node, authority: authority, authorityKey: authorityKey, now: now)
        try prepare()
        let draft = IdentityFiles(folder: "\(path)/identity.\(getpid()).new")
        try FileSystem.makeFolder(draft.folder, mode: 0o700, failure: .unwritableHome)
        do {
            try files.write(to: draft)
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

    /// What stands in an identity folder.
    private struct Contents {
        let nodeKey: String
        let nodeCertificate: String
        let agreementKey: String
        let agreementCertificate: String
        let authorityCertificate: String

        func write(to files: IdentityFiles) throws {
            func put(_ path: String, _ text: String, _ mode: mode_t) throws {
                try FileSystem.create(path, bytes: Array(text.utf8), mode: mode, failure: .unwritableHome)
            }
            try put(files.nodeKey, nodeKey, 0o600)
            try put(files.nodeCertificate, nodeCertificate, 0o644)
            try put(files.agreementKey, agreementKey, 0o600)
            try put(files.agreementCertificate, agreementCertificate, 0o644)
            try put(files.authorityCertificate, authorityCertificate, 0o644)
            try FileSystem.synchronize(folder: files.folder, failure: .unwritableHome)
        }
    }

    private static func makeFiles(
        node: String, authority: Certificate, authorityKey: PrivateKey, now: Int64
    ) throws -> Contents {
        try ConcordError.mappingCrypto("the certificates of node \(node)") {
            func issue(_ key: PrivateKey, _ purpose: CertificateIssuer.NodePurpose) throws -> Certificate {
                try CertificateIssuer.node(
                    commonName: node, publicKey: key.publicKey, purpose: purpose, issuer: authority,
                    issuerKey: authorityKey, notBefore: max(Validity.start(now), authority.notBefore),
                    notAfter: min(Validity.end(now, years: certificateYears), authority.notAfter))
            }
            let (signing, agreement) = (try PrivateKey.generate(), try PrivateKey.generate())
            return Contents(
                nodeKey: try signing.pem(passphrase: nil),
                nodeCertificate: try issue(signing, .signing).pem(),
                agreementKey: try agreement.pem(passphrase: nil),
                agreementCertificate: try issue(agreement, .agreement).pem(),
                authorityCertificate: try authority.pem())
        }
    }
}

extension NodeHome.IdentityFiles {
    /// Takes away a folder that did not become an identity.
    fileprivate func remove() {
        for file in [nodeKey, nodeCertificate, agreementKey, agreementCertificate, authorityCertificate] {
            unlink(file)
        }
        rmdir(folder)
    }
}
