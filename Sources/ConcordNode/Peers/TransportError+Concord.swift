// What the transport reports, as people meet it: with one of Concord's stable codes.

import ConcordCrypto
import ConcordModel
import ConcordTransport

extension ConcordError {
    /// The error behind a failed connection or attempt at one.
    init(_ error: TransportError) {
        let detail = error.detail.map { " (\($0))" } ?? ""
        self.init(Self.code(of: error.reason), Self.sentence(error.message) + detail)
    }

    /// Any error as one with a code; what has none is reported as unexpected.
    init(wrapping error: any Error) {
        switch error {
        case let error as ConcordError: self = error
        case let error as TransportError: self.init(error)
        case let error as CryptoError: self.init(error, subject: "OpenSSL")
        default: self.init(.internalError, "an unexpected error: \(error)")
        }
    }

    private static func sentence(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    private static func code(of reason: TransportError.Reason) -> ErrorCode {
        switch reason {
        case .refusedByPeer(.expired): .ourCertificateExpired
        case .refusedByPeer(.suspended): .ourMemberSuspended
        case .refusedByPeer: .refusesOurCertificate
        case .refusedPeer(.unknownAuthority): .unknownAuthority
        case .refusedPeer(.expired): .peerCertificateExpired
        case .refusedPeer(.notYetValid): .certificateNotYetValid
        case .refusedPeer(.noCertificate): .noCertificate
        case .refusedPeer(.suspended): .peerSuspended
        case .refusedPeer(.malformed), .refusedPeer(.wrongPurpose): .certificateUnusable
        case .notTLS: .notTLS
        case .protocolVersion: .tlsVersion
        case .applicationProtocol: .wrongApplicationProtocol
        case .handshakeTimedOut: .handshakeTimedOut
        case .handshakeFailed, .corrupted, .alert: .tlsFailure
        case .frameTooLarge, .tooManyConnections: .limitExceeded
        case .emptyFrame: .malformedFrame
        case .closed, .io: .connectionFailed
        case .addressInUse: .addressInUse
        case .proxyRefused: .proxyRefused
        case .proxyAuthentication: .proxyAuthentication
        case .proxyUnusable: .proxyUnusable
        }
    }
}
