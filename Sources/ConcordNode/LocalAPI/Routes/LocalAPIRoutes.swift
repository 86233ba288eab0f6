// All routes of the local API, a file per group. A route translates between HTTP and one call; what the call
// means is the services' business.

import ConcordAPI
import Hummingbird

/// The routes, over the services that they call.
struct LocalAPIRoutes: Sendable {
    typealias Group = RouterGroup<APIContext>

    let services: any NodeServices
    let peers: any PeerServices
    let certificates: (any CertificateServices)?
    let bundles: (any BundleServices)?

    /// Adds everything under `/v1`.
    func add(to router: Router<APIContext>) {
        let version = router.group("v1")
        addNodeRoutes(to: version)
        addCertificateRoutes(to: version)
        addPeerRoutes(to: version)
        addSpaceRoutes(to: version)
        addRecordRoutes(to: version)
        addTextRoutes(to: version)
        addAttachmentRoutes(to: version)
        addBundleRoutes(to: version)
        addQueryRoutes(to: version)
        addCareRoutes(to: version)
    }
}
