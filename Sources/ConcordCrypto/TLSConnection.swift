// One TLS connection as OpenSSL's `SSL` object, without its input and output, and OpenSSL's questions during
// the handshake: which application protocol, and is this peer accepted. The answers are kept here, so that
// the transport can tell its caller why a handshake failed. Confined to the thread that drives the handshake.

import COpenSSL

/// One end of one TLS connection.
package final class TLSConnection {
    /// Which end.
    package enum Side: Hashable, Sendable {
        case initiator
        case responder
    }

    /// OpenSSL's object; owned.
    package let ssl: OpaquePointer
    /// Who the peer is, once its certificates were accepted.
    package fileprivate(set) var peer: PeerCertificates?
    /// Why the peer was not accepted.
    package fileprivate(set) var refusal: TLSRefusal?
    /// Whether the peer asked for no, or another, application protocol.
    package fileprivate(set) var isProtocolRefused = false

    // The callbacks use the configuration, and OpenSSL its context, as long as the connection lives.
    fileprivate let settings: TLSSettings

    /// A connection that has not begun its handshake.
    package init(context: TLSContext, side: Side) throws {
        ERR_clear_error()
        let settings = context.current
        guard let ssl = SSL_new(settings.pointer) else {
            throw CryptoError(.library, "OpenSSL could not make a TLS connection.")
        }
        self.ssl = ssl
        self.settings = settings
        // Index 0 is the one that OpenSSL leaves to applications (SSL_set_app_data). Unretained: `deinit`
        // frees the SSL.
        guard SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque()) == 1 else {
            throw CryptoError(.library, "OpenSSL could not attach data to a TLS connection.")
        }
        switch side {
        case .initiator: SSL_set_connect_state(ssl)
        case .responder: SSL_set_accept_state(ssl)
        }
    }

    deinit { SSL_free(ssl) }

    /// Whether both sides agreed on the application protocol. Known after the handshake.
    package var hasAgreedProtocol: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return UnsafeBufferPointer(start: name, count: Int(count))
            .elementsEqual(settings.configuration.applicationProtocol.utf8)
    }

    fileprivate static func of(_ ssl: OpaquePointer?) -> TLSConnection? {
        guard let ssl, let data = SSL_get_ex_data(ssl, 0) else { return nil }
        return Unmanaged<TLSConnection>.fromOpaque(data).takeUnretainedValue()
    }

    fileprivate func judge(_ store: OpaquePointer) -> PeerVerdict {
        guard let peer = Self.certificates(in: store) else { return .refuse(reason: .malformed) }
        let verdict = settings.configuration.verify(peer)
        if verdict == .accept { self.peer = peer }
        return verdict
    }

    private static func certificates(in store: OpaquePointer) -> PeerCertificates? {
        let chain = X509_STORE_CTX_get0_untrusted(store)
        let count = concord_chain_count(chain)
        guard (1...CryptoLimits.certificatesInChain).contains(Int(count)) else { return nil }
        var certificates: [Certificate] = []
        for index in 0..<count {
            guard let x509 = concord_chain_get(chain, index),
                let der = try? OpenSSL.encoded({ i2d_X509(x509, $0) }),
                let certificate = try? Certificate(der: der)
            else { return nil }
            certificates.append(certificate)
        }
        return PeerCertificates(node: certificates[0], presented: Array(certificates.dropFirst()))
    }
}

/// OpenSSL asks whether the peer's certificates are accepted: 1 or 0, with the reason in the store's error.
func verifyPeer(_ store: OpaquePointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    guard let store,
        let data = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let connection = TLSConnection.of(OpaquePointer(data))
    else { return 0 }
    switch connection.judge(store) {
    case .accept:
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    case .refuse(let reason):
        connection.refusal = reason
        X509_STORE_CTX_set_error(store, reason.verificationError)
        return 0
    }
}

/// OpenSSL shows the client's hello: refused if it names no application protocol at all, of which
/// ``selectApplicationProtocol`` would not be told.
func requireApplicationProtocol(
    _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _: UnsafeMutableRawPointer?
) -> Int32 {
    var data: UnsafePointer<UInt8>?
    var count = 0
    let type = UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)
    if SSL_client_hello_get0_ext(ssl, type, &data, &count) == 1 { return SSL_CLIENT_HELLO_SUCCESS }
    // A client that cannot speak TLS 1.3 is to be told that instead.
    if SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_supported_versions), &data, &count) != 1 {
        return SSL_CLIENT_HELLO_SUCCESS
    }
    TLSConnection.of(ssl)?.isProtocolRefused = true
    alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
    return SSL_CLIENT_HELLO_ERROR
}

/// OpenSSL asks which of the client's application protocols to speak: ours or none.
func selectApplicationProtocol(
    _ ssl: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let connection = TLSConnection.of(ssl) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let wanted = connection.settings.configuration.applicationProtocol.utf8
    let list = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var position = 0
    while position < list.count {
        let end = position + 1 + Int(list[position])
        guard end <= list.count else { break }
        if list[(position + 1)..<end].elementsEqual(wanted) {
            selected?.pointee = offered.map { $0 + position + 1 }
            selectedCount?.pointee = list[position]
            return SSL_TLSEXT_ERR_OK
        }
        position = end
    }
    connection.isProtocolRefused = true
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// What OpenSSL queued when an operation failed.
package struct TLSFailure: Sendable {
    /// The reasons from OpenSSL's TLS part, oldest first; 1000 and more stand for an alert that the peer
    /// sent.
    package let reasons: [Int32]
    /// All reasons in words.
    package let text: String

    /// Takes the errors queued on this thread.
    package static func take() -> TLSFailure {
        var reasons: [Int32] = []
        var texts: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            if ERR_GET_LIB(code) == ERR_LIB_SSL { reasons.append(ERR_GET_REASON(code)) }
            texts.append(OpenSSL.describe(code))
        }
        return TLSFailure(reasons: reasons, text: texts.joined(separator: "; "))
    }
}
