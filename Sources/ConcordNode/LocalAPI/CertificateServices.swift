// What the local API needs for the care of the node's certificates.

import ConcordAPI

/// The certificates of a running node. Everything that is thrown to the caller is a ``ConcordError``.
public protocol CertificateServices: Sendable {
    /// What asks the authority for new certificates of the node's keys.
    func certificateRequest() async throws -> CertificateRequestDocument
    /// Puts new certificates in their place and presents them from the next connection on. Sessions go on.
    ///
    /// - Parameter pem: What `concord node certify` wrote.
    /// - Throws: E-2004 for what is not three certificates that belong together, E-2010 for those of another
    ///   node or authority, or that are not valid now.
    func installCertificates(pem: String) async throws -> CertificatesDocument
}
