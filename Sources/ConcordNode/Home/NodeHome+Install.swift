// How certificates come into a home: as the first ones of a node that asked for them, or in place of those that it
// has. Either way all three change at one stroke: whoever looks finds the old ones or the new, never a mixture.

import ConcordCrypto
import ConcordModel
import Glibc

extension NodeHome {
    /// Puts certificates in their place. No private key is opened for it.
    ///
    /// - Parameters:
    ///   - now: Milliseconds since 1970.
    ///   - isOurs: Whether another key than that of the present authority is the member's, too. Only a roster
    ///     tells.
    /// - Throws: ``ConcordError`` E-2010 if they do not fit the keys or the authority of this node or are not
    ///   valid now, E-2005 if there is nothing here that they could be for, E-5005 if the home cannot be written.
    public func install(
        _ certificates: NodeCertificates, now: Int64 = WallClock.milliseconds(),
        isOurs: (Certificate) throws -> Bool = { _ in false }
    ) throws -> NodeIdentity {
        if hasIdentity {
            let identity = try self.certificates()
            try certificates.require(at: now, toRenew: identity.certificates, isOurs: isOurs)
            try replace(with: certificates)
        } else {
            let request = try pendingRequest()
            try certificates.require(at: now, toAnswer: request)
            try installFirst(certificates)
        }
        return try self.certificates()
    }

    /// Lets the identity's folder and a new one change places.
    func replace(with certificates: NodeCertificates) throws {
        try fill { draft in
            try draft.adoptKeys(of: identityFiles)
            try draft.write(certificates)
            try FileSystem.give(
                draft.all.filter { $0.hasSuffix(".pem") } + [draft.folder], toOwnerOf: identityFolder,
                failure: .unwritableHome)
            try FileSystem.exchange(draft.folder, identityFolder, failure: .unwritableHome)
            draft.remove()
        }
    }

    private func installFirst(_ certificates: NodeCertificates) throws {
        try fill { draft in
            try draft.adoptKeys(of: requestFiles)
            try draft.write(certificates)
            try FileSystem.give(
                draft.all.filter { $0.hasSuffix(".pem") } + [draft.folder], toOwnerOf: requestFolder,
                failure: .unwritableHome)
            guard rename(draft.folder, identityFolder) == 0 else {
                throw FileSystem.refusal(.unwritableHome, "\(identityFolder) cannot be made")
            }
            try FileSystem.synchronize(folder: path, failure: .unwritableHome)
            requestFiles.remove()
        }
    }

    private func fill(_ work: (IdentityFiles) throws -> Void) throws {
        let draft = IdentityFiles(folder: "\(path)/identity.\(getpid()).new")
        draft.remove()
        try FileSystem.makeFolder(draft.folder, mode: 0o700, failure: .unwritableHome)
        do {
            try work(draft)
        } catch {
            draft.remove()
            throw error
        }
    }
}

extension NodeCertificates {
    /// Throws E-2010 unless these certify the same keys by the authority of the same member, and are valid now.
    func require(
        at now: Int64, toRenew present: NodeCertificates, isOurs: (Certificate) throws -> Bool
    ) throws {
        try requireKeys(present.node.publicKey, present.agreement.publicKey)
        guard memberID == present.memberID,
            try authority.publicKey == present.authority.publicKey || isOurs(authority)
        else {
            throw ConcordError(
                .certificateMismatch,
                "the authority with the fingerprint \(authority.publicKey.fingerprint) is not known as that of "
                    + "this node's member",
                action:
                    "have them issued by the authority of \(present.authority.subject.memberCode); if its key "
                    + "was replaced, install them while the daemon runs, which knows the roster")
        }
        try require(at: now)
    }

    /// Throws E-2010 unless these certify what was asked for, and are valid now.
    func require(at now: Int64, toAnswer request: NodeRequest) throws {
        try requireKeys(request.signing.publicKey, request.agreement.publicKey)
        guard authority.subject.isMember(of: request.subject) else {
            throw ConcordError(
                .certificateMismatch,
                "the certificates are those of a node of \(authority.subject.memberCode) "
                    + "\(authority.subject.memberName), the request was made for \(request.subject.memberCode) "
                    + request.subject.memberName)
        }
        try require(at: now)
    }

    private func requireKeys(_ signing: PublicKey, _ agreementKey: PublicKey) throws {
        guard node.publicKey == signing, agreement.publicKey == agreementKey else {
            throw ConcordError(
                .certificateMismatch, "the certificates are not for the keys of this node",
                action: "install the file that was made from this node's own request")
        }
    }

    private func require(at now: Int64) throws {
        guard (notBefore...notAfter).contains(now / 1000) else {
            throw ConcordError(
                .certificateMismatch,
                now / 1000 > notAfter
                    ? "the certificates have expired" : "the certificates are not valid yet",
                action: "have them issued anew, and check the clocks of both machines")
        }
    }
}
