// Calls about attachments. A record is named by its id or a unique prefix of it.

import ConcordAPI
import ConcordModel
import Foundation

extension DaemonClient {
    /// The attachments of a document, or the one that `id` names.
    public func attachments(of id: String) async throws -> Answer<AttachmentsDocument> {
        try await call(LocalRequest(.GET, ["records", id, "attachments"]))
    }

    /// Attaches a file to a document.
    ///
    /// - Parameters:
    ///   - size: bytes of the file; nil if that is not known before.
    ///   - next: the next piece of the file; nil at its end.
    public func attach(
        to id: String, name: String, mediaType: String?, size: Int64?,
        next: @escaping @Sendable () throws -> [UInt8]?
    ) async throws -> Answer<AttachmentDocument> {
        let request = LocalRequest(
            .POST, ["records", id, "attachments"], query: [("name", name), ("media_type", mediaType)])
        return try answer(
            try await LocalTransfer(socket: socket).upload(request, byteCount: size, next: next), to: request)
    }

    /// Hands over the file of an attachment piece by piece.
    ///
    /// - Throws: ``ConcordError`` E-5008 if the file is not on the node.
    public func content(of id: String, take: @escaping @Sendable ([UInt8]) throws -> Void) async throws {
        let request = LocalRequest(.GET, ["records", id, "content"])
        if let refusal = try await LocalTransfer(socket: socket).download(request, take: take) {
            throw Self.error(in: refusal)
        }
    }

    /// Has the file of an attachment fetched from other nodes; does not wait for it.
    public func fetchAttachment(_ id: String) async throws -> Answer<AttachmentDocument> {
        try await call(LocalRequest(.POST, ["records", id, "fetch"]))
    }

    /// Removes the file of an attachment from this node.
    public func dropAttachment(_ id: String) async throws -> Answer<AttachmentDocument> {
        try await call(LocalRequest(.DELETE, ["records", id, "content"]))
    }

    /// Removes the files that no record shows any more.
    public func pruneAttachments() async throws -> Answer<PruneDocument> {
        try await call(LocalRequest(.POST, ["attachments", "prune"]), timeout: ClientLimits.longTimeout)
    }
}
