// GET, PUT /v1/records/{id}/text, GET /v1/records/{id}/history

import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addTextRoutes(to group: Group) {
        group.get("records/:id/text") { request, context in
            let version = try RequestQuery(request, names: ["at"]).optional("at")
            return try APIResponse.json(try await services.text(try context.part("id"), at: version))
        }
        group.put("records/:id/text") { request, context in
            let object = try await request.object(
                keys: ["text", "base"], upTo: LocalAPILimits.textBodyBytes)
            guard let text = try object.optionalText("text") else {
                throw ConcordError(.malformedRequest, "“text” is missing; the empty text is \"\"")
            }
            let written = try await services.writeText(
                try context.part("id"), text, base: try object.optionalText("base"),
                author: try await context.author())
            return try APIResponse.json(written)
        }
        group.get("records/:id/history") { request, context in
            let version = try RequestQuery(request, names: ["at"]).optional("at")
            return try APIResponse.json(try await services.textHistory(try context.part("id"), at: version))
        }
    }
}
