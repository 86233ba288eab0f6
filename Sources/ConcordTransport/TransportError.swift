// Why there is no connection, or no longer. Each reason has a sentence for people and, where there is something
// to do, the next step; the stable codes are given by the catalogue above this layer (ConcordNode maps them). A
// reason that one side finds is told to the other by a TLS alert where TLS has one.

import ConcordCrypto
import NIOCore
import NIOPosix

/// A failure of a connection or of an attempt at one.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Reason: Hashable, Sendable {
        /// The peer does not accept this node. A dialler may learn it only with the first read.
        case refusedByPeer(TLSRefusal)
        /// This node does not accept the peer.
        case refusedPeer(TLSRefusal)
        /// The other side does not speak TLS.
        case notTLS
        /// The other side does not speak TLS 1.3.
        case protocolVersion
        /// The other side does not speak Concord, or another level of it.
        case applicationProtocol
        /// The handshake was not finished in time.
        case handshakeTimedOut
        /// The handshake failed for another reason.
        case handshakeFailed
        /// What arrived after the handshake is not what the peer's TLS sent.
        case corrupted
        /// The peer ended the connection with this TLS alert.
        case alert(UInt8)
        /// A frame is longer than allowed.
        case frameTooLarge
        /// A frame has no payload.
        case emptyFrame
        /// The connection is closed, or was cut off in the middle.
        case closed
        /// Too many handshakes or connections at once.
        case tooManyConnections
        /// The operating system or the resolver reports this.
        case io(String)
        /// Another program listens at this address and port.
        case addressInUse
        /// The proxy on the way out does not make the connection, and answers with this HTTP status.
        case proxyRefused(Int)
        /// The proxy wants to know who asks, or does not accept who does.
        case proxyAuthentication
        /// The proxy cannot be reached, or does not answer as a proxy.
        case proxyUnusable
    }

    /// What kind of failure.
    public let reason: Reason
    /// More on the occasion, often the words of OpenSSL.
    public let detail: String?

    /// A failure of this kind.
    public init(_ reason: Reason, detail: String? = nil) {
        self.reason = reason
        self.detail = detail.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A sentence for people.
    public var message: String {
        switch reason {
        case .refusedByPeer(let refusal): refusal.sentenceAboutSelf
        case .refusedPeer(let refusal): refusal.sentenceAboutPeer
        case .notTLS: "The other side does not speak TLS."
        case .protocolVersion: "The other side does not speak TLS 1.3."
        case .applicationProtocol: "The other side does not speak this level of Concord's protocol."
        case .handshakeTimedOut: "The handshake was not finished in time."
        case .handshakeFailed: "The handshake failed."
        case .corrupted: "The encrypted stream is damaged."
        case .alert(let alert): "The peer ended the connection with the TLS alert \(alert)."
        case .frameTooLarge: "A frame is longer than allowed."
        case .emptyFrame: "A frame is empty."
        case .closed: "The connection is closed."
        case .tooManyConnections: "Too many connections at once."
        case .io(let text): "The network reports: \(text)."
        case .addressInUse: "Another program listens at this address and port."
        case .proxyRefused(let status): "The HTTP proxy refuses the connection with status \(status)."
        case .proxyAuthentication: "The HTTP proxy does not accept the user and password, or asks for them."
        case .proxyUnusable: "The HTTP proxy cannot be used."
        }
    }

    /// What to do next, if there is something to do.
    public var remedy: String? {
        switch reason {
        case .refusedByPeer(let refusal), .refusedPeer(let refusal): refusal.remedy
        case .notTLS: "Check host and port; a proxy may be in between."
        case .protocolVersion: "Something between the nodes may take TLS apart; let it pass Concord's port."
        case .applicationProtocol: "Check host and port, and upgrade the older side."
        case .addressInUse: "Stop the other program or choose another port."
        case .proxyRefused(502), .proxyRefused(503), .proxyRefused(504): nil
        case .proxyRefused: "Have the proxy allow CONNECT to the peer's host and port."
        case .proxyAuthentication: "Write user and password into `proxy` in concord.yaml."
        case .proxyUnusable: "Check the address of the proxy in concord.yaml."
        default: nil
        }
    }

    /// Sentence, detail and remedy in one line.
    public var description: String {
        message + (detail.map { " (\($0))" } ?? "") + (remedy.map { " \($0)" } ?? "")
    }
}

extension TransportError {
    /// The failure that SwiftNIO reports as `error`.
    init(_ error: any Error) {
        switch error {
        case let error as TransportError: self = error
        case let error as IOError where error.errnoCode == EADDRINUSE:
            self.init(.addressInUse, detail: "\(error)")
        case let error as IOError: self.init(.io("\(error)"))
        case ChannelError.connectTimeout(let amount):
            self.init(.io("no answer within \(amount.nanoseconds / 1_000_000_000) s"))
        case let error as NIOConnectionError: self.init(.io(Self.describe(error)))
        case is ChannelError: self.init(.closed, detail: "\(error)")
        default: self.init(.io("\(error)"))
        }
    }

    /// The failure that the peer told by an alert (RFC 8446 §6).
    init(alert: UInt8, detail: String?) {
        if let refusal = TLSRefusal(alert: alert) {
            self.init(.refusedByPeer(refusal), detail: detail)
        } else if alert == 70 {
            self.init(.protocolVersion, detail: detail)
        } else if alert == 120 {
            self.init(.applicationProtocol, detail: detail)
        } else {
            self.init(.alert(alert), detail: detail)
        }
    }

    private static func describe(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first {
            return "\(TransportError(failure.error).networkText) (\(failure.target))"
        }
        let cause = (error.dnsAError ?? error.dnsAAAAError).map { ": \($0)" } ?? ""
        return "no address found for \(error.host)\(cause)"
    }

    private var networkText: String {
        if case .io(let text) = reason { text } else { message }
    }
}
