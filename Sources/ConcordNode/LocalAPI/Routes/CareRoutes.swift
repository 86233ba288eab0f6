// GET /v1/doctor, POST /v1/import, POST /v1/verify, POST /v1/backup, GET /v1/backups

import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addCareRoutes(to group: Group) {
        group.get("doctor") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.doctor())
        }
        group.post("import") { request, context in
            let space = try RequestQuery(request, names: ["space"]).optional("space")
            var reader = ImportReader()
            try await request.forEachPart(upTo: LocalAPILimits.importBytes) {
                try reader.feed($0.readableBytesView)
            }
            let document = try await services.importRows(
                try reader.finish(), into: space, author: try await context.author())
            return try APIResponse.json(document)
        }
        group.post("verify") { request, _ in
            _ = try await request.object(keys: [])
            return try APIResponse.json(try await services.verify())
        }
        group.post("backup") { request, _ in
            let path = try await request.object(keys: ["path"]).text("path")
            return try APIResponse.json(try await services.backup(to: path))
        }
        group.get("backups") { request, _ in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.backups())
        }
    }
}
