// What a TLS peer presented, and the judgement on it. The possession of the node's private key is proved by
// TLS itself; everything else about the certificates is judged here and by the closure that the caller
// supplies.

/// The certificates that a peer presented.
public struct PeerCertificates: Hashable, Sendable {
    /// The certificate of the node, whose private key the peer has proved to hold.
    public let node: Certificate
    /// The other certificates, in the order in which they were sent; usually one, the authority's.
    public let presented: [Certificate]

    /// The certificates of a peer.
    public init(node: Certificate, presented: [Certificate]) {
        self.node = node
        self.presented = presented
    }

    /// The first presented authority that issued ``node``, if there is one. That it is *trusted* does not
    /// follow.
    public var authority: Certificate? { presented.first { node.isIssued(by: $0) } }

    /// The rules that hold for every peer: an authority that `isTrusted` issued the node's certificate, it is
    /// one for a signing key, and `now` (seconds since 1970 UTC) lies within its dates. The authority's own
    /// dates do not count.
    ///
    /// Nothing but the reason `unknownAuthority` is told to a stranger: trust is asked first.
    public func verdict(now: Int64, isTrusted: (Certificate) -> Bool) -> PeerVerdict {
        guard let authority else {
            return .refuse(reason: presented.contains(where: isTrusted) ? .malformed : .unknownAuthority)
        }
        guard isTrusted(authority) else { return .refuse(reason: .unknownAuthority) }
        guard node.purpose == .signing else { return .refuse(reason: .wrongPurpose) }
        guard now >= node.notBefore else { return .refuse(reason: .notYetValid) }
        guard now <= node.notAfter else { return .refuse(reason: .expired) }
        return .accept
    }
}

/// Whether a peer is accepted.
public enum PeerVerdict: Hashable, Sendable {
    /// The handshake goes on.
    case accept
    /// The handshake ends with an alert that tells the peer the reason.
    case refuse(reason: TLSRefusal)
}
