// GET, POST /v1/records, GET, PATCH, DELETE /v1/records/{id}, POST /v1/records/{id}/restore,
// POST /v1/records/{id}/resolve, POST /v1/records/{id}/share, POST /v1/records/{id}/erase

import ConcordModel
import Hummingbird

extension LocalAPIRoutes {
    func addRecordRoutes(to group: Group) {
        group.get("records") { request, _ in
            try APIResponse.json(try await services.records(try Self.selection(request)))
        }
        group.post("records") { request, context in
            let object = try await request.object(
                keys: ["kind", "space", "parent", "set", "add"], upTo: LocalAPILimits.textBodyBytes)
            let creation = RecordCreation(
                kind: UTF8Text(try object.text("kind")), space: try object.optionalText("space"),
                parent: try object.optionalText("parent"), edits: try Self.edits(object))
            let record = try await services.create(creation, author: try await context.author())
            return try APIResponse.json(record, status: .created)
        }
        group.get("records/:id") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.record(try context.part("id")))
        }
        group.patch("records/:id") { request, context in
            let object = try await request.object(keys: ["set", "add", "remove", "base"])
            let record = try await services.update(
                try context.part("id"), try Self.edits(object), base: try object.optionalText("base"),
                author: try await context.author())
            return try APIResponse.json(record)
        }
        group.delete("records/:id") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(
                try await services.delete(try context.part("id"), author: try await context.author()))
        }
        group.post("records/:id/restore") { request, context in
            _ = try await request.object(keys: [])
            return try APIResponse.json(
                try await services.restore(try context.part("id"), author: try await context.author()))
        }
        group.post("records/:id/erase") { request, context in
            let reason = try await request.object(keys: ["reason"]).text("reason")
            return try APIResponse.json(
                try await services.erase(
                    try context.part("id"), reason: reason, author: try await context.author()))
        }
        group.post("records/:id/resolve") { request, context in
            let object = try await request.object(keys: ["field", "take", "value"])
            let record = try await services.resolve(
                try context.part("id"), field: UTF8Text(try object.text("field")),
                try Self.settlement(object),
                author: try await context.author())
            return try APIResponse.json(record)
        }
        group.post("records/:id/share") { request, context in
            let target = try await request.object(keys: ["to"]).text("to")
            let shared = try await services.share(
                try context.part("id"), to: target, author: try await context.author())
            return try APIResponse.json(shared, status: .created)
        }
    }

    private static func edits(_ object: RequestObject) throws -> RecordEdits {
        RecordEdits(
            set: try object.registers("set").map { .init($0.field, $0.value) },
            add: try object.elements("add").map { .init($0.field, $0.elements) },
            remove: try object.elements("remove").map { .init($0.field, $0.elements) })
    }

    private static func settlement(_ object: RequestObject) throws -> Settlement {
        switch (try object.optionalInteger("take"), object.optional("value")) {
        case (let number?, nil):
            guard let number = Int(exactly: number), number >= 1 else {
                throw ConcordError(.malformedRequest, "“take” counts from 1")
            }
            return .take(number)
        case (nil, let value?): return .value(try FieldValue.register(value, field: try object.text("field")))
        default: throw ConcordError(.malformedRequest, "give either “take” or “value”")
        }
    }

    private static func selection(_ request: Request) throws -> RecordSelection {
        let query = try RequestQuery(
            request, names: ["kind", "space", "member", "where", "deleted", "parent"])
        let conditions = try query.all("where").map { text in
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw ConcordError(.malformedRequest, "“where” must be field=value")
            }
            return RecordSelection.Condition(field: String(sides[0]), text: String(sides[1]))
        }
        return RecordSelection(
            kind: query.optional("kind").map { UTF8Text($0) }, space: query.optional("space"),
            member: query.optional("member"), conditions: conditions,
            includesDeleted: try query.flag("deleted"),
            parent: query.optional("parent"))
    }
}
