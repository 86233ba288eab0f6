// POST /v1/bundles, GET /v1/bundles/{bundle}/volumes/{number}, DELETE /v1/bundles/{bundle}, POST /v1/bundles/inspect,
// POST /v1/bundles/import

import ConcordAPI
import ConcordModel
import ConcordSync
import HTTPTypes
import Hummingbird

extension LocalAPIRoutes {
    func addBundleRoutes(to group: Group) {
        guard let bundles else { return }
        group.post("bundles") { request, _ in
            try APIResponse.json(try await bundles.export(try await Self.order(request)), status: .created)
        }
        group.get("bundles/:bundle/volumes/:number") { request, context in
            _ = try RequestQuery(request)
            guard let number = Int64(try context.part("number")) else {
                throw ConcordError(.malformedRequest, "the number of a volume is a whole number")
            }
            return Self.response(try await bundles.volume(number, of: try context.part("bundle")))
        }
        group.delete("bundles/:bundle") { request, context in
            _ = try RequestQuery(request)
            try await bundles.discard(try context.part("bundle"))
            return try APIResponse.json(OkDocument())
        }
        group.post("bundles/inspect") { request, _ in
            try APIResponse.json(try await bundles.inspect(try await Self.take(request, bundles)))
        }
        group.post("bundles/import") { request, _ in
            try APIResponse.json(try await bundles.importVolume(try await Self.take(request, bundles)))
        }
    }

    private static func order(_ request: Request) async throws -> BundleOrder {
        let object = try await request.object(keys: [
            "space", "recipients", "certificates", "plain", "everything", "attachments", "earlierFiles",
            "volumeBytes",
        ])
        var order = BundleOrder()
        order.space = try object.optionalText("space")
        order.recipients = try object.texts("recipients")
        order.certificates = try object.texts("certificates")
        order.isPlain = try object.optionalFlag("plain") ?? order.isPlain
        order.isEverything = try object.optionalFlag("everything") ?? order.isEverything
        order.hasAttachments = try object.optionalFlag("attachments") ?? order.hasAttachments
        order.hasEarlierFiles = try object.optionalFlag("earlierFiles") ?? order.hasEarlierFiles
        if let bytes = try object.optionalInteger("volumeBytes") { order.volumeBytes = Int(clamping: bytes) }
        return order
    }

    /// Takes in a volume as it arrives.
    private static func take(_ request: Request, _ bundles: any BundleServices) async throws -> ScratchFile {
        _ = try RequestQuery(request)
        let size = request.headers[.contentLength].flatMap { Int64($0) }
        let file = try await bundles.beginVolume(size: size)
        try await request.forEachPart(upTo: BundleLimits.volumeBytes) {
            try file.append([UInt8]($0.readableBytesView))
        }
        return file
    }

    private static func response(_ content: BundleContent) -> Response {
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .contentDisposition: "attachment",
        ]
        let body = ResponseBody(contentLength: Int(content.size)) { writer in
            var offset: Int64 = 0
            while offset < content.size {
                let bytes = try content.read(offset, BundlePolicyLimits.readBytes)
                guard !bytes.isEmpty else {
                    throw ConcordError(.storeFailure, "a volume ends before its end")
                }
                try await writer.write(ByteBuffer(bytes: bytes))
                offset += Int64(bytes.count)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
