// A member's authority: the key that founds its identity, certifies its nodes and signs its formal acts. It
// stands outside every daemon's home, encrypted unless its keeper says otherwise, and only `concord` ever
// opens it. Where the key lies in a hardware module, `authority.uri` says how it is reached.

import ConcordCrypto
import ConcordModel
import Glibc

/// A folder with `authority.pem` and either `authority.key` (0600) or `authority.uri`.
public struct AuthorityFolder: Sendable {
    /// Years for which an authority's certificate is valid.
    public static let validityYears: Int64 = 20

    /// The folder.
    public let path: String

    /// The authority in this folder, which need not exist yet.
    public init(path: String) { self.path = path }

    /// Where an authority stands unless `--authority` says otherwise: `~/.concord/authority/CODE`.
    public static func defaultPath(code: String, environment: [String: String]) -> String {
        "\(NodeHome.personalFolder(environment: environment))/authority/\(code)"
    }

    /// The encrypted private key.
    public var keyPath: String { "\(path)/authority.key" }
    /// Says where the private key is, if it is not here.
    public var uriPath: String { "\(path)/authority.uri" }
    /// The certificate.
    public var certificatePath: String { "\(path)/authority.pem" }
    /// The member's id, where the member has replaced its authority's key; it is the founding key's fingerprint.
    public var memberPath: String { "\(path)/member.id" }
    /// Whether a key or certificate stands here.
    public var exists: Bool { [keyPath, uriPath, certificatePath].contains(where: FileSystem.exists) }

    /// Makes a new authority for a member. Nothing is ever overwritten.
    ///
    /// - Parameters:
    ///   - code: The member's code, such as `ESP`.
    ///   - name: The member's name.
    ///   - passphrase: What encrypts the key; nil leaves it in clear, which the caller must have been told to
    ///     do.
    ///   - now: Milliseconds since 1970.
    /// - Throws: ``ConcordError`` E-2006 if an authority is here, E-1003 for a code or name that cannot be
    ///   certified.
    @discardableResult
    public func create(
        code: String, name: String, passphrase: [UInt8]?, now: Int64 = WallClock.milliseconds()
    ) throws -> Certificate {
        guard !exists else {
            throw ConcordError(
                .identityExists, "\(path) holds an authority already, which is not overwritten",
                action: "choose another --authority folder")
        }
        try MemberCode.check(code)
        let (key, certificate) = try ConcordError.mappingCrypto("the authority of \(code)") {
            let key = try PrivateKey.generate()
            let subject = CertificateSubject(
                memberCode: code, memberName: name, commonName: "\(code) authority")
            return (
                key,
                try CertificateIssuer.authority(
                    subject: subject, key: key, notBefore: Validity.start(now),
                    notAfter: Validity.end(now, years: Self.validityYears))
            )
        }
        let (keyText, certificateText) = try ConcordError.mappingCrypto("the authority of \(code)") {
            (try key.pem(passphrase: passphrase), try certificate.pem())
        }
        try FileSystem.makeFolder(path, mode: 0o700, failure: .unreadableFile)
        guard chmod(path, 0o700) == 0 else {
            throw FileSystem.refusal(.unreadableFile, "the mode of \(path) cannot be set")
        }
        try FileSystem.createAtomically(keyPath, bytes: Array(keyText.utf8), mode: 0o600)
        do {
            try FileSystem.createAtomically(certificatePath, bytes: Array(certificateText.utf8), mode: 0o644)
        } catch {
            unlink(keyPath)
            throw error
        }
        return certificate
    }

    /// The authority's certificate.
    ///
    /// - Throws: ``ConcordError`` E-1010 or E-2004.
    public func certificate() throws -> Certificate { try certificate(at: certificatePath) }

    /// The member whose authority this is.
    ///
    /// - Throws: ``ConcordError`` E-1010, E-2003 or E-2004.
    public func memberID() throws -> MemberID {
        guard FileSystem.exists(memberPath) else { return MemberID(authority: try certificate()) }
        guard let digest = Digest(hex: try FileSystem.readText(memberPath).filter { !$0.isWhitespace }) else {
            throw ConcordError(
                .malformedKey, "\(memberPath) does not hold a member's id",
                action: "write the member's fingerprint into it, as `concord member list --json` shows it")
        }
        return MemberID(digest)
    }

    /// The founding authority's certificate, which stays beside the others under its fingerprint; nil if the
    /// member has had no other authority than this.
    ///
    /// - Throws: ``ConcordError`` E-1010, E-2003, E-2004, or E-4011 if it is another's.
    public func founding() throws -> Certificate? {
        let member = try memberID()
        guard member != MemberID(authority: try certificate()) else { return nil }
        let path = "\(path)/authority-\(member.description.prefix(16)).pem"
        let founding = try certificate(at: path)
        guard MemberID(authority: founding) == member else {
            throw ConcordError(.wrongAuthority, "\(path) is not the authority that \(memberPath) names")
        }
        return founding
    }

    private func certificate(at path: String) throws -> Certificate {
        let text = try FileSystem.readText(path)
        let certificate = try ConcordError.mappingCrypto(path) { try Certificate(pem: text) }
        guard certificate.isAuthority else {
            throw ConcordError(.malformedCertificate, "\(path) is not an authority's certificate")
        }
        return certificate
    }

    /// Opens the private key.
    ///
    /// - Throws: ``ConcordError`` E-2001, E-2002, E-2003, E-2008, E-2011 if it cannot be reached, or E-4011 if
    ///   it is not the certificate's.
    public func key(passphrase: [UInt8]?) throws -> PrivateKey {
        let isElsewhere = !FileSystem.exists(keyPath) && FileSystem.exists(uriPath)
        let key: PrivateKey
        if isElsewhere {
            let reference = try KeyReference(text: try FileSystem.readText(uriPath), file: uriPath)
            key = try ConcordError.mappingCrypto(uriPath) {
                try PrivateKey(uri: reference.uri, provider: reference.provider, passphrase: passphrase)
            }
        } else {
            let text = try FileSystem.readText(keyPath, guarded: .ownerOnly)
            key = try ConcordError.mappingCrypto(keyPath) {
                try PrivateKey(pem: text, passphrase: passphrase)
            }
        }
        guard key.publicKey == (try certificate()).publicKey else {
            throw ConcordError(
                .wrongAuthority, "\(isElsewhere ? uriPath : keyPath) is not the key of \(certificatePath)")
        }
        return key
    }
}

/// How long certificates are valid, in seconds since 1970.
public enum Validity {
    static let secondsOfYear: Int64 = 31_556_952
    /// Milliseconds for which a node's certificates are valid unless told otherwise: three years.
    public static let nodeMilliseconds = 3 * secondsOfYear * 1000

    /// A day before `now` (milliseconds), so that a peer whose clock lags takes a certificate made this
    /// minute.
    static func start(_ now: Int64) -> Int64 { now / 1000 - 86_400 }
    static func end(_ now: Int64, years: Int64) -> Int64 { now / 1000 + years * secondsOfYear }
}

/// The form of a member's code.
enum MemberCode {
    /// Throws E-1003 unless `code` is 2 to 16 upper-case letters and digits.
    static func check(_ code: String) throws {
        let isCode =
            (2...16).contains(code.utf8.count)
            && code.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
        guard isCode else {
            throw ConcordError(
                .malformedValue, "“\(code.prefix(64))” is not a member's code",
                action: "write 2 to 16 upper-case letters and digits, such as ESP or NATO")
        }
    }
}
