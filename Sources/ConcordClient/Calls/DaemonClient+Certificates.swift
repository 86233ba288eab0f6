// Calls about the node's certificates.

import ConcordAPI
import ConcordModel

extension DaemonClient {
    /// What asks the authority for new certificates of the node's keys.
    public func certificateRequest() async throws -> Answer<CertificateRequestDocument> {
        try await call(LocalRequest(.GET, ["node", "request"]))
    }

    /// Has the daemon put new certificates in their place and present them from the next connection on.
    public func installCertificates(pem: String) async throws -> Answer<CertificatesDocument> {
        try await call(try request(.POST, ["node", "certificate"], body: ["certificates": pem]))
    }
}
