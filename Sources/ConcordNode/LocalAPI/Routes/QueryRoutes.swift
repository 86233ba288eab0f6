// GET /v1/conflicts, GET /v1/search, GET /v1/log

import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addQueryRoutes(to group: Group) {
        group.get("conflicts") { request, _ in
            let space = try RequestQuery(request, names: ["space"]).optional("space")
            return try APIResponse.json(try await services.conflicts(in: space))
        }
        group.get("search") { request, _ in
            let query = try RequestQuery(request, names: ["q", "kind", "space", "limit"])
            guard let text = query.optional("q") else {
                throw ConcordError(.malformedRequest, "the query parameter “q” is missing")
            }
            let limit = try query.integer("limit", in: 1...Int64(LocalAPILimits.searchHits)) ?? 50
            let document = try await services.search(
                text, kind: query.optional("kind").map { UTF8Text($0) }, space: query.optional("space"),
                limit: Int(limit))
            return try APIResponse.json(document)
        }
        group.get("log") { request, _ in
            let query = try RequestQuery(request, names: ["record", "member", "since", "limit", "space"])
            let selection = LogSelection(
                record: query.optional("record"), member: query.optional("member"),
                since: try query.integer("since", in: 0...Limits.timestamp), space: query.optional("space"),
                limit: Int(try query.integer("limit", in: 1...Int64(LocalAPILimits.logChanges)) ?? 100))
            return try APIResponse.json(try await services.log(selection))
        }
    }
}
