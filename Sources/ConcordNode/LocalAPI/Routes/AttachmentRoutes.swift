// GET, POST /v1/records/{id}/attachments, GET, DELETE /v1/records/{id}/content, POST /v1/records/{id}/fetch,
// POST /v1/attachments/prune

import ConcordModel
import HTTPTypes
import Hummingbird

extension LocalAPIRoutes {
    func addAttachmentRoutes(to group: Group) {
        group.get("records/:id/attachments") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.attachments(of: try context.part("id")))
        }
        group.post("records/:id/attachments") { request, context in
            try await attach(request, context)
        }
        group.get("records/:id/content") { request, context in
            _ = try RequestQuery(request)
            return Self.response(try await services.content(of: try context.part("id")))
        }
        group.delete("records/:id/content") { request, context in
            _ = try RequestQuery(request)
            return try APIResponse.json(try await services.dropAttachment(try context.part("id")))
        }
        group.post("records/:id/fetch") { request, context in
            _ = try await request.object(keys: [])
            return try APIResponse.json(try await services.fetchAttachment(try context.part("id")))
        }
        group.post("attachments/prune") { request, _ in
            _ = try await request.object(keys: [])
            return try APIResponse.json(try await services.pruneAttachments())
        }
    }

    /// Takes in a file as it arrives; when it breaks off, nothing of it stays.
    private func attach(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = try RequestQuery(request, names: ["name", "media_type"])
        guard let name = query.optional("name") else {
            throw ConcordError(.malformedRequest, "query parameter “name” is missing")
        }
        let id = try context.part("id")
        let size = request.headers[.contentLength].flatMap { Int64($0) }
        let file = try await services.beginAttachment(to: id, size: size)
        do {
            for try await part in request.body { try await file.append([UInt8](part.readableBytesView)) }
            let attachment = try await services.attach(
                file, to: id, name: name, mediaType: query.optional("media_type"),
                author: try await context.author())
            return try APIResponse.json(attachment, status: .created)
        } catch {
            await file.abandon()
            throw error
        }
    }

    private static func response(_ content: AttachmentContent) -> Response {
        // Whatever somebody attached is nothing that a browser should run.
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .contentDisposition: "attachment",
        ]
        let body = ResponseBody(contentLength: Int(content.size)) { writer in
            var offset: Int64 = 0
            while offset < content.size {
                let bytes = try await content.read(offset, BlobPolicyLimits.readBytes)
                guard !bytes.isEmpty else {
                    throw ConcordError(.damagedBlob, "a file has become shorter than it was")
                }
                try await writer.write(ByteBuffer(bytes: bytes))
                offset += Int64(bytes.count)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
