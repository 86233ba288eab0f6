// Where a node's private keys are found: what the configuration names, else what systemd hands over as a credential,
// else the file in the home. A key that others may read is refused, wherever it lies.

import ConcordCrypto
import ConcordModel

/// One of a node's two keys.
public enum KeyRole: String, CaseIterable, Hashable, Sendable {
    /// Signs changes and authenticates TLS connections.
    case signing = "node.key"
    /// Opens bundles.
    case agreement = "agreement.key"

    /// The name of the key's file, in a home and among systemd's credentials.
    public var fileName: String { rawValue }
}

/// Where a node's keys are found and how they are opened.
public struct KeySources: Hashable, Sendable {
    /// The name of the credential with the passphrase or PIN.
    public static let passphraseCredential = "passphrase"

    /// A file or URI of the signing key; nil for a credential or the home's file.
    public var signingKey: String?
    /// A file or URI of the agreement key; nil for a credential or the home's file.
    public var agreementKey: String?
    /// What reaches keys behind URIs.
    public var provider: KeyProvider
    /// A file with the passphrase or PIN on its first line; nil for a credential, or none.
    public var passphraseFile: String?
    /// The folder of credentials that systemd hands over (`$CREDENTIALS_DIRECTORY`).
    public var credentials: String?

    /// Sources of these parts; without any, the files of the home.
    public init(
        signingKey: String? = nil, agreementKey: String? = nil, provider: KeyProvider = KeyProvider(),
        passphraseFile: String? = nil, credentials: String? = nil
    ) {
        self.signingKey = signingKey
        self.agreementKey = agreementKey
        self.provider = provider
        self.passphraseFile = passphraseFile
        self.credentials = credentials
    }

    /// Where a key lies.
    enum Place: Hashable, CustomStringConvertible {
        case uri(String)
        case file(String)
        case credential(String)

        var description: String {
            switch self {
            // A PIN may stand in the query of a PKCS #11 URI (RFC 7512): it is nobody's business.
            case .uri(let uri): String(uri.prefix { $0 != "?" })
            case .file(let path), .credential(let path): path
            }
        }
    }

    func place(of role: KeyRole, files: NodeHome.IdentityFiles) -> Place {
        let named = role == .signing ? signingKey : agreementKey
        if let named { return Self.isURI(named) ? .uri(named) : .file(named) }
        if let path = credential(role.fileName) { return .credential(path) }
        return .file(files.key(role))
    }

    /// The key of this role.
    ///
    /// - Throws: ``ConcordError`` E-1010, E-2001, E-2002, E-2003, E-2008 or E-2011.
    func key(_ role: KeyRole, files: NodeHome.IdentityFiles) throws -> PrivateKey {
        let place = place(of: role, files: files)
        do {
            switch place {
            case .uri(let uri):
                return try PrivateKey(uri: uri, provider: provider, passphrase: try passphrase())
            case .file(let path):
                return try PrivateKey(
                    pem: try FileSystem.readText(path, guarded: .ownerOnly), passphrase: try passphrase())
            case .credential(let path):
                return try PrivateKey(
                    pem: try FileSystem.readText(path, guarded: .credential), passphrase: try passphrase())
            }
        } catch let error as CryptoError where error.code == .passphraseNeeded {
            throw ConcordError(
                .passphraseNeeded, "\(place) is encrypted and no passphrase was given",
                action:
                    "name a file with it as identity.passphrase_file in concord.yaml, or hand it over as the "
                    + "systemd credential “\(Self.passphraseCredential)”")
        } catch let error as CryptoError {
            throw ConcordError(error, subject: place.description)
        }
    }

    /// The passphrase or PIN, if there is one.
    func passphrase() throws -> [UInt8]? {
        let bytes: [UInt8]
        let path: String
        if let passphraseFile {
            path = passphraseFile
            bytes = try FileSystem.read(path, guarded: .ownerOnly)
        } else if let credential = credential(Self.passphraseCredential) {
            path = credential
            bytes = try FileSystem.read(path, guarded: .credential)
        } else {
            return nil
        }
        let line = Array(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        guard !line.isEmpty else {
            throw ConcordError(
                .wrongPassphrase, "\(path) holds no passphrase",
                action: "write the passphrase on the first line of the file")
        }
        return line
    }

    private func credential(_ name: String) -> String? {
        guard let credentials else { return nil }
        let path = "\(credentials)/\(name)"
        return FileSystem.exists(path) ? path : nil
    }

    /// Whether a text begins with a scheme (RFC 3986, section 3.1) rather than being a path.
    static func isURI(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), let first = text.utf8.first,
            (0x41...0x5A).contains(first) || (0x61...0x7A).contains(first)
        else { return false }
        return text[..<colon].utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

/// A node's two keys, opened.
public struct NodeKeys: Sendable {
    /// Signs changes and authenticates TLS connections.
    public let signing: PrivateKey
    /// Opens bundles.
    public let agreement: PrivateKey

    /// Two keys of one node.
    public init(signing: PrivateKey, agreement: PrivateKey) {
        self.signing = signing
        self.agreement = agreement
    }

    init(_ sources: KeySources, files: NodeHome.IdentityFiles) throws {
        signing = try sources.key(.signing, files: files)
        agreement = try sources.key(.agreement, files: files)
    }
}
