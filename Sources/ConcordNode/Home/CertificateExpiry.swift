// What `status` says about the end of this node's certificates: nothing, or early enough that a renewal can be
// arranged with an authority that is kept in a safe.

import ConcordAPI
import ConcordModel

/// The warning before, and the alarm after, the end of a node's certificates.
public enum CertificateExpiry {
    /// Days before the end from which on it is warned of.
    public static let warningDays: Int64 = 30

    /// The lines for `status`, none while there is time.
    ///
    /// - Parameter now: Milliseconds since 1970.
    public static func attention(_ certificates: NodeCertificates, now: Int64) -> [StatusDocument.Attention] {
        // The last second counts in full.
        let left = certificates.notAfter * 1000 + 999 - now
        let days = left / 86_400_000
        guard left <= warningDays * 86_400_000 + 999 else { return [] }
        let code: ErrorCode = left < 0 ? .ourCertificateExpired : .certificateExpiring
        let span =
            switch days {
            case 0: "in less than a day"
            case 1: "in 1 day"
            default: "in \(days) days"
            }
        return [
            .init(
                code: code.rawValue, severity: .person, member: nil,
                message: left < 0
                    ? "our node certificate has expired, peers refuse it"
                    : "our node certificate expires \(span)",
                action: "concord node renew")
        ]
    }
}
