// A new key for a member's authority, beside the old one until the roster knows it. Nothing is ever deleted: the old
// key stays in the folder under its fingerprint, since what it signed is verified with it for ever.
//
//     DIR/next/authority.{key,pem}             the new key, until it takes the old one's place
//     DIR/authority-FINGERPRINT.{key,pem}      the keys that were replaced
//     DIR/member.id                            the member's id, which is the fingerprint of its founding key

import ConcordClient
import ConcordCrypto
import ConcordModel
import ConcordNode
import Glibc

/// The change of an authority's key in its folder.
struct AuthorityRotation {
    /// The folder of the authority.
    let folder: AuthorityFolder

    /// Where the new key stands until it takes the old one's place.
    var next: AuthorityFolder { AuthorityFolder(path: "\(folder.path)/next") }

    /// The certificate of the new key, which is made if there is none yet.
    ///
    /// - Parameter passphrase: asked for only if a key is made.
    func prepare(passphrase: () throws -> [UInt8]?) throws -> Certificate {
        if next.exists { return try next.certificate() }
        let subject = try folder.certificate().subject
        return try next.create(
            code: subject.memberCode, name: subject.memberName, passphrase: try passphrase())
    }

    /// Puts the new key into the old one's place. Where it was interrupted it goes on.
    ///
    /// - Throws: ``ConcordError`` E-1010 if there is no new key or a file cannot be moved.
    func finish(member: MemberID) throws {
        guard next.exists else {
            throw ConcordError(
                .unreadableFile, "\(next.path) holds no new authority",
                action: "make one with `concord member rotate`")
        }
        if access(folder.memberPath, F_OK) != 0 {
            try LocalFile.create(folder.memberPath, Array("\(member)\n".utf8))
        }
        if access(folder.certificatePath, F_OK) == 0 {
            let old =
                "\(folder.path)/authority-\(try folder.certificate().publicKey.fingerprint.description.prefix(16))"
            if access(folder.keyPath, F_OK) == 0 { try move(folder.keyPath, "\(old).key") }
            if access(folder.uriPath, F_OK) == 0 { try move(folder.uriPath, "\(old).uri") }
            try move(folder.certificatePath, "\(old).pem")
        }
        // The certificate moves last: as long as it stands in `next`, the change is not complete.
        if access(next.keyPath, F_OK) == 0 { try move(next.keyPath, folder.keyPath) }
        try move(next.certificatePath, folder.certificatePath)
        rmdir(next.path)
    }

    private func move(_ from: String, _ to: String) throws {
        guard rename(from, to) == 0 else {
            throw ConcordError(
                .unreadableFile, "\(from) cannot be renamed to \(to): \(String(cString: strerror(errno)))")
        }
    }
}
