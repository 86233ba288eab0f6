// The JSON documents of the local API about a node's certificates. Fields are only ever added.

/// What asks the authority for certificates of a node's keys.
public struct CertificateRequestDocument: Codable, Hashable, Sendable {
    /// The member's code.
    public var member: String
    /// The member's name.
    public var memberName: String
    /// The node's name.
    public var node: String
    /// The node's id in hexadecimal digits: the fingerprint of its signing key.
    public var nodeId: String
    /// The fingerprint of its agreement key in hexadecimal digits.
    public var agreementFingerprint: String
    /// The fingerprint of the request, which covers both keys and is compared by telephone.
    public var fingerprint: String
    /// Two requests (PKCS#10) in PEM.
    public var request: String

    /// A request of a node.
    public init(
        member: String, memberName: String, node: String, nodeId: String, agreementFingerprint: String,
        fingerprint: String, request: String
    ) {
        self.member = member
        self.memberName = memberName
        self.node = node
        self.nodeId = nodeId
        self.agreementFingerprint = agreementFingerprint
        self.fingerprint = fingerprint
        self.request = request
    }
}

/// What a node's certificates say.
public struct CertificatesDocument: Codable, Hashable, Sendable {
    /// The member's code.
    public var member: String
    /// The member's name.
    public var memberName: String
    /// The node's name.
    public var node: String
    /// The node's id in hexadecimal digits: the fingerprint of its signing key.
    public var nodeId: String
    /// The fingerprint of its agreement key in hexadecimal digits.
    public var agreementFingerprint: String
    /// The member's id in hexadecimal digits: the fingerprint of the authority's key.
    public var memberId: String
    /// The first moment of validity.
    public var validFrom: String
    /// The last moment of validity.
    public var validUntil: String

    /// The certificates of a node.
    public init(
        member: String, memberName: String, node: String, nodeId: String, agreementFingerprint: String,
        memberId: String, validFrom: String, validUntil: String
    ) {
        self.member = member
        self.memberName = memberName
        self.node = node
        self.nodeId = nodeId
        self.agreementFingerprint = agreementFingerprint
        self.memberId = memberId
        self.validFrom = validFrom
        self.validUntil = validUntil
    }
}
