// GET /v1/node/request, POST /v1/node/certificate

import ConcordAPI
import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addCertificateRoutes(to group: Group) {
        guard let certificates else { return }
        group.get("node/request") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await certificates.certificateRequest())
        }
        group.post("node/certificate") { request, _ in
            let pem = try await request.object(keys: ["certificates"]).text("certificates")
            return try APIResponse.json(try await certificates.installCertificates(pem: pem))
        }
    }
}
