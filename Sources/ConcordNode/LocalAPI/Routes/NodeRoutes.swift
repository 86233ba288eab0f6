// GET /v1/status, GET /v1/identity

import Hummingbird

extension LocalAPIRoutes {
    func addNodeRoutes(to group: Group) {
        group.get("status") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await peers.status())
        }
        group.get("identity") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.identity())
        }
    }
}
