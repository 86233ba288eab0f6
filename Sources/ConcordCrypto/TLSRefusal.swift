// Why one side of a TLS connection does not accept the other's certificate, in words that survive the wire:
// each reason is sent as an alert of its own, from which the other side reads the same reason. The mapping:
//
// | reason           | alert (RFC 8446 §6.2)        | X.509 error from which OpenSSL derives that alert      |
// |------------------|------------------------------|--------------------------------------------------------|
// | noCertificate    | certificate_required (116)   | sent by OpenSSL itself                                 |
// | malformed        | bad_certificate (42)         | CERT_REJECTED                                          |
// | unknownAuthority | unknown_ca (48)              | UNABLE_TO_GET_ISSUER_CERT_LOCALLY                      |
// | wrongPurpose     | unsupported_certificate (43) | INVALID_PURPOSE                                        |
// | expired          | certificate_expired (45)     | CERT_HAS_EXPIRED                                       |
// | notYetValid      | certificate_unknown (46)     | OCSP_CERT_UNKNOWN: TLS has no alert for "too early",   |
// |                  |                              | and this error is the one that yields alert 46         |
// | suspended        | certificate_revoked (44)     | CERT_REVOKED                                           |

import COpenSSL

/// Why a peer's certificate is not accepted.
public enum TLSRefusal: String, CaseIterable, Hashable, Sendable {
    /// No certificate was presented.
    case noCertificate = "no-certificate"
    /// A presented certificate cannot be read, or does not fit together with the others.
    case malformed
    /// The authority is not that of a member of any space that both share.
    case unknownAuthority = "unknown-authority"
    /// The certificate is not one for a node's signing key.
    case wrongPurpose = "wrong-purpose"
    /// The certificate is past its last date.
    case expired
    /// The certificate is before its first date.
    case notYetValid = "not-yet-valid"
    /// The member is suspended, or the node revoked.
    case suspended

    /// A sentence for the side that refused, about the other.
    public var sentenceAboutPeer: String {
        switch self {
        case .noCertificate: "The peer presented no certificate."
        case .malformed: "The peer's certificate cannot be used."
        case .unknownAuthority: "The peer's authority is not that of a member of any shared space."
        case .wrongPurpose: "The peer's certificate is not one for a node."
        case .expired: "The peer's certificate has expired."
        case .notYetValid: "The peer's certificate is not valid yet."
        case .suspended: "The peer's member is suspended or its node is revoked."
        }
    }

    /// A sentence for the side that was refused.
    public var sentenceAboutSelf: String {
        switch self {
        case .noCertificate: "The peer asks for a certificate."
        case .malformed: "The peer cannot use this node's certificate."
        case .unknownAuthority:
            "The peer does not know this node's authority as that of a member of any shared space."
        case .wrongPurpose: "The peer does not accept this node's certificate as one for a node."
        case .expired: "The peer finds this node's certificate expired."
        case .notYetValid: "The peer finds this node's certificate not valid yet."
        case .suspended: "The peer holds this member suspended or this node revoked."
        }
    }

    /// What the refused side's people can do.
    public var remedy: String {
        switch self {
        case .noCertificate: "Connect with Concord, which always presents one."
        case .malformed: "Issue the node's certificate again."
        case .unknownAuthority: "Compare fingerprints; the peer must hold the admission of this authority."
        case .wrongPurpose: "Configure the node's signing certificate."
        case .expired: "Renew the node's certificate, and check the clocks of both machines."
        case .notYetValid: "Check the clocks of both machines."
        case .suspended: "Ask the members of the space, by another road."
        }
    }

    /// The reason that the peer's TLS alert stands for, if it stands for one.
    public init?(alert: UInt8) {
        guard let match = Self.allCases.first(where: { $0.alert == alert }) else { return nil }
        self = match
    }

    /// The TLS alert that carries this reason.
    public var alert: UInt8 {
        switch self {
        case .noCertificate: 116
        case .malformed: 42
        case .unknownAuthority: 48
        case .wrongPurpose: 43
        case .expired: 45
        case .notYetValid: 46
        case .suspended: 44
        }
    }

    /// The error to set in the verification, so that OpenSSL sends ``alert``.
    var verificationError: Int32 {
        switch self {
        case .noCertificate, .malformed: X509_V_ERR_CERT_REJECTED
        case .unknownAuthority: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        case .wrongPurpose: X509_V_ERR_INVALID_PURPOSE
        case .expired: X509_V_ERR_CERT_HAS_EXPIRED
        case .notYetValid: X509_V_ERR_OCSP_CERT_UNKNOWN
        case .suspended: X509_V_ERR_CERT_REVOKED
        }
    }
}
