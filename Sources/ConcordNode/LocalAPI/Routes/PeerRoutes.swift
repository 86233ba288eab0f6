// GET, POST, DELETE /v1/peers, POST /v1/peers/pause, POST /v1/peers/resume

import ConcordAPI
import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addPeerRoutes(to group: Group) {
        group.get("peers") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await peers.peers())
        }
        group.post("peers") { request, _ in
            let address = try NodeAddress(
                parsing: try await request.object(keys: ["address"]).text("address"))
            try await peers.addAddress(address)
            return try APIResponse.json(OkDocument())
        }
        group.delete("peers") { request, _ in
            guard let text = try RequestQuery(request, names: ["address"]).optional("address") else {
                throw ConcordError(.malformedRequest, "the query parameter “address” is missing")
            }
            try await peers.removeAddress(try NodeAddress(parsing: text))
            return try APIResponse.json(OkDocument())
        }
        group.post("peers/pause") { request, _ in
            try await peers.pause(member: try await request.object(keys: ["member"]).optionalText("member"))
            return try APIResponse.json(OkDocument())
        }
        group.post("peers/resume") { request, _ in
            try await peers.resume(member: try await request.object(keys: ["member"]).optionalText("member"))
            return try APIResponse.json(OkDocument())
        }
    }
}
