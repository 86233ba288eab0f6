// The TLS settings of a node, in one place and without options: TLS 1.3 only (RFC 8446), certificates on both
// sides, one application protocol, P-256 signatures; no system CA store, no tickets, resumption, early data
// or renegotiation. Who is accepted is decided by the closure `verify`, inside the handshake, so that the
// peer is told the reason.

import COpenSSL
import Synchronization

/// What a node brings to its TLS connections.
public struct TLSConfiguration: Sendable {
    /// The node's certificate for its signing key.
    public var certificate: Certificate
    /// The authority's certificate, presented along with the node's.
    public var authority: Certificate
    /// The node's signing key.
    public var key: PrivateKey
    /// The name of the protocol inside TLS (ALPN, RFC 7301); both sides must name the same.
    public var applicationProtocol: String
    /// Judges the peer, on whichever thread runs the handshake. It must not block.
    public var verify: @Sendable (PeerCertificates) -> PeerVerdict

    /// A configuration of these parts.
    public init(
        certificate: Certificate, authority: Certificate, key: PrivateKey,
        applicationProtocol: String = "concord/0",
        verify: @escaping @Sendable (PeerCertificates) -> PeerVerdict
    ) {
        self.certificate = certificate
        self.authority = authority
        self.key = key
        self.applicationProtocol = applicationProtocol
        self.verify = verify
    }
}

/// A configuration that OpenSSL has taken over, for any number of connections of both directions. Its
/// certificate can be replaced while connections are open: those go on, new ones present the new certificate.
public final class TLSContext: Sendable {
    private let settings: Mutex<TLSSettings>

    /// Checks the configuration and hands it to OpenSSL.
    ///
    /// - Throws: ``CryptoError`` with code `.keyMismatch` if key, certificate and authority do not belong
    ///   together, `.unsupportedAlgorithm` if OpenSSL's policy forbids what Concord needs, `.library`
    ///   otherwise.
    public init(_ configuration: TLSConfiguration) throws {
        settings = Mutex(try TLSSettings(configuration))
    }

    /// What connections that begin now are made from.
    public var configuration: TLSConfiguration { current.configuration }

    /// Presents another certificate from the next connection on. Connections that have begun are not touched.
    ///
    /// - Throws: as ``init(_:)``; the old certificate stays in use then.
    public func replace(certificate: Certificate, authority: Certificate) throws {
        var configuration = current.configuration
        configuration.certificate = certificate
        configuration.authority = authority
        let next = try TLSSettings(configuration)
        settings.withLock { $0 = next }
    }

    /// The settings of a connection that begins now; it holds on to them as long as it lives.
    var current: TLSSettings { settings.withLock { $0 } }
}

/// One configuration and the SSL_CTX that was made from it.
final class TLSSettings: Sendable {
    // An SSL_CTX is reference-counted, locks itself, and is not changed after `init`.
    nonisolated(unsafe) let pointer: OpaquePointer
    let configuration: TLSConfiguration

    init(_ configuration: TLSConfiguration) throws {
        guard configuration.key.publicKey == configuration.certificate.publicKey else {
            throw CryptoError(.keyMismatch, "The node's key does not belong to the node's certificate.")
        }
        guard configuration.certificate.isIssued(by: configuration.authority) else {
            throw CryptoError(.keyMismatch, "The node's certificate was not issued by this authority.")
        }
        precondition(
            (1...255).contains(configuration.applicationProtocol.utf8.count),
            "ALPN names have 1 to 255 bytes.")
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_method()) else {
            throw CryptoError(.library, "OpenSSL could not make a TLS context.")
        }
        pointer = context
        self.configuration = configuration
        try setAlgorithms()
        try setIdentity()
        try setApplicationProtocol()
        concord_ctx_limit_chain_bytes(
            context, CryptoLimits.certificateBytes * CryptoLimits.certificatesInChain)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context, verifyPeer, nil)
    }

    deinit { SSL_CTX_free(pointer) }

    private func setAlgorithms() throws {
        concord_ctx_set_options(pointer)
        concord_ctx_set_modes(pointer)
        concord_ctx_no_session_cache(pointer)
        let ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
        guard concord_ctx_only_tls13(pointer) == 1, SSL_CTX_set_ciphersuites(pointer, ciphers) == 1,
            // A FIPS provider has no X25519.
            concord_ctx_set_groups(pointer, "X25519:P-256") == 1
                || concord_ctx_set_groups(pointer, "P-256") == 1,
            concord_ctx_set_sigalgs(pointer, "ecdsa_secp256r1_sha256") == 1,
            SSL_CTX_set_num_tickets(pointer, 0) == 1, SSL_CTX_set_max_early_data(pointer, 0) == 1
        else {
            throw CryptoError(
                .unsupportedAlgorithm, "OpenSSL refuses the TLS algorithms that Concord uses.",
                remedy: "Check openssl.cnf and the providers that it loads.")
        }
    }

    private func setIdentity() throws {
        guard SSL_CTX_use_certificate(pointer, configuration.certificate.pointer) == 1,
            SSL_CTX_use_PrivateKey(pointer, configuration.key.pointer) == 1,
            concord_ctx_add_chain(pointer, configuration.authority.pointer) == 1
        else { throw CryptoError(.library, "OpenSSL refuses the node's certificate or key.") }
    }

    private func setApplicationProtocol() throws {
        let name = Array(configuration.applicationProtocol.utf8)
        let list = [UInt8(name.count)] + name
        guard SSL_CTX_set_alpn_protos(pointer, list, UInt32(list.count)) == 0 else {
            throw CryptoError(.library, "OpenSSL refuses the name of the application protocol.")
        }
        SSL_CTX_set_client_hello_cb(pointer, requireApplicationProtocol, nil)
        SSL_CTX_set_alpn_select_cb(pointer, selectApplicationProtocol, nil)
    }
}
