// Keys that do not lie in a file of PEM: in a hardware security module, a TPM, a smart card. OpenSSL reaches them by
// its store interface, a URI, and a provider that knows the URI's scheme. The key itself stays where it is; what
// Concord holds is a handle that signs. So everything that signs with a key works with these as well.
//
// A provider is loaded for the whole process and beside OpenSSL's default one, which goes on doing all that needs no
// such key.

import COpenSSL
import Synchronization

/// What reaches a key behind a URI.
public struct KeyProvider: Hashable, Sendable {
    /// The provider's name, such as `pkcs11` or `tpm2`, or the path of its module without `.so`; nil if
    /// OpenSSL's own suffice, or ``configuration`` names it.
    public var name: String?
    /// A file in the form of openssl.cnf(5) that activates and sets up providers.
    public var configuration: String?
    /// A property query that the provider must satisfy, see property(7).
    public var properties: String?

    /// What reaches a key.
    public init(name: String? = nil, configuration: String? = nil, properties: String? = nil) {
        self.name = name
        self.configuration = configuration
        self.properties = properties
    }

    private struct Loaded: Hashable {
        let name: String?
        let configuration: String?
    }

    private static let loaded = Mutex<Set<Loaded>>([])

    /// Loads the provider, once for each name and configuration.
    ///
    /// - Throws: ``CryptoError`` with code `.keyUnavailable`.
    public func load() throws {
        guard name != nil || configuration != nil else { return }
        try Self.loaded.withLock { loaded in
            let this = Loaded(name: name, configuration: configuration)
            guard !loaded.contains(this) else { return }
            ERR_clear_error()
            // Otherwise naming one provider would put the default one aside.
            guard OSSL_PROVIDER_load(nil, "default") != nil else {
                throw CryptoError(.keyUnavailable, "OpenSSL's default provider cannot be loaded.")
            }
            if let configuration {
                guard OSSL_LIB_CTX_load_config(nil, configuration) == 1 else {
                    throw CryptoError(
                        .keyUnavailable, "OpenSSL's configuration \(configuration) cannot be loaded.",
                        remedy: "Check the file with `OPENSSL_CONF=\(configuration) openssl list -providers`."
                    )
                }
            }
            if let name {
                guard OSSL_PROVIDER_available(nil, name) == 1 || OSSL_PROVIDER_load(nil, name) != nil else {
                    throw CryptoError(
                        .keyUnavailable, "OpenSSL's provider \(name) cannot be loaded.",
                        remedy: "Check that it is installed with `openssl list -providers -provider \(name)`."
                    )
                }
            }
            // A provider for hardware keys also offers to decode, hash and verify. What needs no such key stays
            // with OpenSSL's own: faster, and the same everywhere.
            let preferred =
                EVP_default_properties_is_fips_enabled(nil) == 1
                ? "fips=yes,?provider=fips" : "?provider=default"
            guard EVP_set_default_properties(nil, preferred) == 1 else {
                throw CryptoError(.keyUnavailable, "OpenSSL's default provider cannot be preferred.")
            }
            loaded.insert(this)
        }
    }
}

extension PrivateKey {
    /// The one private key that `uri` names, such as `pkcs11:token=concord;object=node;type=private`,
    /// `handle:0x81000001` or `file:/run/keys/node.pem`.
    ///
    /// - Parameter passphrase: Opens an encrypted file; for a token its PIN, unless the URI or the provider's
    ///   configuration say where that is found.
    /// - Throws: ``CryptoError`` with code `.keyUnavailable`, `.passphraseNeeded`, `.wrongPassphrase` or
    ///   `.unsupportedAlgorithm`.
    public convenience init(uri: String, provider: KeyProvider = KeyProvider(), passphrase: [UInt8]? = nil)
        throws
    {
        try provider.load()
        var request = PassphraseRequest(passphrase: passphrase)
        let (keys, isRefused) = try withUnsafeMutablePointer(to: &request) {
            try Self.keys(at: uri, properties: provider.properties, asking: $0)
        }
        if keys.count == 1, let key = keys.first {
            try self.init(owning: key, isHeld: true)
            return
        }
        for key in keys { EVP_PKEY_free(key) }
        guard keys.isEmpty else {
            throw CryptoError(
                .keyUnavailable, "The URI names \(keys.count) private keys where one is expected.",
                remedy: "Name it more closely, for PKCS #11 by object or id.")
        }
        if request.wasAsked {
            guard passphrase != nil else {
                throw CryptoError(
                    .passphraseNeeded, "The private key needs a passphrase.",
                    remedy: "Give its passphrase or PIN.")
            }
            throw CryptoError(.wrongPassphrase, "The passphrase does not open the private key.")
        }
        throw CryptoError(
            .keyUnavailable,
            isRefused ? "The key cannot be loaded." : "The URI names no private key.",
            remedy: "Check the URI, and that the provider for it is loaded.")
    }

    /// All private keys at a URI, owned by the caller; and whether something there could not be read.
    private static func keys(
        at uri: String, properties: String?, asking request: UnsafeMutablePointer<PassphraseRequest>
    ) throws -> ([OpaquePointer], Bool) {
        ERR_clear_error()
        guard let method = UI_UTIL_wrap_read_pem_callback(answerPassphrase, 0) else {
            throw CryptoError(.library, "OpenSSL is out of memory.")
        }
        defer { UI_destroy_method(method) }
        guard let store = OSSL_STORE_open_ex(uri, nil, properties, method, request, nil, nil, nil) else {
            if request.pointee.wasAsked { return ([], true) }
            throw CryptoError(
                .keyUnavailable, "The URI cannot be opened.",
                remedy: "Check the URI, and that the provider for it is loaded.")
        }
        defer { OSSL_STORE_close(store) }
        guard OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1 else {
            throw CryptoError(.keyUnavailable, "The store of the URI cannot be asked for a private key.")
        }
        var keys: [OpaquePointer] = []
        var isRefused = false
        while OSSL_STORE_eof(store) != 1, OSSL_STORE_error(store) != 1 {
            guard let entry = OSSL_STORE_load(store) else {
                isRefused = isRefused || OSSL_STORE_error(store) == 1
                continue
            }
            if let key = OSSL_STORE_INFO_get1_PKEY(entry) { keys.append(key) }
            OSSL_STORE_INFO_free(entry)
        }
        return (keys, isRefused || OSSL_STORE_error(store) == 1)
    }
}
