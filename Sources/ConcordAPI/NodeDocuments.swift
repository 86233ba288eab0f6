// The JSON documents of the local API about the node itself and its peers. Fields are only ever added.

/// Who this node is: what a person shows to other members.
public struct IdentityDocument: Codable, Hashable, Sendable {
    /// The member's code.
    public var member: String
    /// The member's name.
    public var memberName: String
    /// The node's name.
    public var node: String
    /// The node's id in hexadecimal digits.
    public var nodeId: String
    /// The member's id in hexadecimal digits.
    public var memberId: String
    /// The fingerprint of the authority's key, which is compared by telephone. It is the member's id.
    public var authorityFingerprint: String
    /// The signing certificate in PEM.
    public var certificate: String
    /// The agreement certificate in PEM.
    public var agreement: String
    /// The authority's certificate in PEM.
    public var authority: String
    /// Where peers reach this node.
    public var addresses: [String]

    /// The identity of a node and of its member.
    public init(
        member: String, memberName: String, node: String, nodeId: String, memberId: String,
        authorityFingerprint: String, certificate: String, agreement: String, authority: String,
        addresses: [String]
    ) {
        self.member = member
        self.memberName = memberName
        self.node = node
        self.nodeId = nodeId
        self.memberId = memberId
        self.authorityFingerprint = authorityFingerprint
        self.certificate = certificate
        self.agreement = agreement
        self.authority = authority
        self.addresses = addresses
    }
}

/// The peers, and what a person decided about them.
public struct PeersDocument: Codable, Hashable, Sendable {
    /// As in the status.
    public var peers: [StatusDocument.Peer]
    /// The addresses that were added by hand.
    public var addresses: [String]
    /// Whether exchange with everybody is paused.
    public var pausedAll: Bool
    /// The codes of the members with which exchange is paused.
    public var paused: [String]

    /// The peers, and what was decided about them.
    public init(peers: [StatusDocument.Peer], addresses: [String], pausedAll: Bool, paused: [String]) {
        self.peers = peers
        self.addresses = addresses
        self.pausedAll = pausedAll
        self.paused = paused
    }
}

/// Done, and there is nothing more to say.
public struct OkDocument: Codable, Hashable, Sendable {
    /// Always true.
    public var ok: Bool

    /// Says that it was done.
    public init() { ok = true }
}
