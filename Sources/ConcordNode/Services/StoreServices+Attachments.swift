// Attachments, over the replica and the store of files: the record is one change like any other, its file is on the
// disk before anybody hears of it.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore

extension StoreServices {
    public func attachments(of id: String) async throws -> AttachmentsDocument {
        let record = try store.record(idPrefix: id)
        let records =
            UTF8Text(record.kind) == Vocabulary.attachment
            ? [record] : try store.children(of: try Named(record).id).filter { $0.space == record.space }
        var documents: [AttachmentDocument] = []
        for record in records where UTF8Text(record.kind) == Vocabulary.attachment {
            // What others wrote may lack what makes an attachment: then there is no file.
            if let fields = AttachmentFields(record) { documents.append(await document(of: record, fields)) }
        }
        return AttachmentsDocument(attachments: documents)
    }

    public func beginAttachment(to id: String, size: Int64?) async throws -> BlobImport {
        _ = try documentForAttachment(id)
        if let size, size > Int64(BlobLimits.blobBytes) {
            throw ConcordError(
                .limitExceeded, "an attachment has at most \(BlobLimits.blobBytes) bytes",
                action: "split the file")
        }
        if let obstacle = attachments.disk(toStore: size ?? 0) { throw obstacle }
        return try attachments.blobs.beginImport(expectedSize: size)
    }

    public func attach(
        _ file: BlobImport, to id: String, name: String, mediaType: String?, author: String
    ) async throws -> AttachmentDocument {
        let document = try documentForAttachment(id)
        let imported = try await attachments.adopt(file)
        let record: RecordDocument
        do {
            record = try await create(
                RecordCreation(
                    kind: Vocabulary.attachment, space: document.space, parent: document.id,
                    edits: RecordEdits(
                        set: [
                            .init("name", .text(UTF8Text(name))), .init("size", .integer(imported.size)),
                            .init("sha256", .text(UTF8Text(imported.sha256.description))),
                            .init("blob", .text(UTF8Text(imported.id.description))),
                        ] + (mediaType.map { [.init("media_type", .text(UTF8Text($0)))] } ?? []))),
                author: author)
        } catch {
            await attachments.unpin(imported.id)
            throw error
        }
        await attachments.unpin(imported.id)
        await attachments.announce(imported.id)
        logger.info(
            "a file is attached",
            metadata: ["document": "\(document.id)", "blob": "\(imported.id)", "bytes": "\(imported.size)"])
        return try await attachment(record.id).document
    }

    public func content(of id: String) async throws -> AttachmentContent {
        let (document, blob) = try await attachment(id)
        let blobs = attachments.blobs
        @Sendable func absent() -> ConcordError {
            ConcordError(.blobNotHeld, "the file of attachment \(document.id) is not on this node")
        }
        guard let size = blobs.size(of: blob) else { throw absent() }
        return AttachmentContent(size: size, mediaType: document.mediaType) { offset, count in
            guard let bytes = try await blobs.read(blob, .content, at: offset, count: count) else {
                throw absent()
            }
            return bytes.bytes
        }
    }

    public func fetchAttachment(_ id: String) async throws -> AttachmentDocument {
        let (document, blob) = try await attachment(id)
        guard try store.record(idPrefix: document.id).shown else {
            throw ConcordError(.recordNotShown, "attachment \(document.id), or its document, is deleted")
        }
        if document.state != .here { await attachments.request(blob) }
        return try await attachment(document.id).document
    }

    public func dropAttachment(_ id: String) async throws -> AttachmentDocument {
        let (document, blob) = try await attachment(id)
        guard !attachments.policy.isEager(size: document.size) else {
            throw ConcordError(
                .notConfirmed,
                "this node keeps every attachment of up to \(attachments.policy.eagerLimit) bytes and would fetch it again",
                action: "set `blobs: on-demand`, or a lower `blobs_eager_limit`, in concord.yaml first")
        }
        if try await !attachments.drop(blob) { try await attachments.withdraw(blob) }
        return try await attachment(document.id).document
    }

    public func pruneAttachments() async throws -> PruneDocument {
        let removed = await attachments.sweep(atOnce: true)
        return PruneDocument(removed: removed.count, bytes: removed.bytes)
    }

    // MARK: Parts

    private func attachment(_ id: String) async throws -> (document: AttachmentDocument, blob: BlobID) {
        let record = try store.record(idPrefix: id)
        guard UTF8Text(record.kind) == Vocabulary.attachment, let fields = AttachmentFields(record) else {
            throw ConcordError(.unknownAttachment, "record \(record.id) is no attachment")
        }
        return (await document(of: record, fields), fields.blob)
    }

    private func document(of record: RecordDocument, _ fields: AttachmentFields) async -> AttachmentDocument {
        let state = await attachments.state(of: fields.blob)
        return AttachmentDocument(
            id: record.id, document: record.parent ?? "", space: record.space, owner: record.owner,
            name: fields.name, mediaType: fields.mediaType, size: fields.size, sha256: fields.sha256,
            blob: fields.blob.description, createdAt: record.createdAt,
            state: state.isHeld ? .here : state.isWanted ? .coming : .elsewhere,
            heldBytes: state.receivedBytes, sources: Int64(state.sources),
            obstacle: state.obstacle.map {
                .init(code: $0.code.rawValue, message: $0.message, action: $0.action)
            })
    }

    private func documentForAttachment(_ id: String) throws -> RecordDocument {
        let record = try store.record(idPrefix: id)
        guard UTF8Text(record.kind) == Vocabulary.kind(Vocabulary.attachment)?.parent else {
            throw ConcordError(
                .malformedValue, "a \(record.kind) takes no attachments", action: "attach it to a document")
        }
        guard record.shown else {
            throw ConcordError(.recordNotShown, "the document, or a record above it, is deleted")
        }
        return record
    }
}

/// What a record of an attachment shows.
private struct AttachmentFields {
    let name: String
    let mediaType: String?
    let size: Int64
    let sha256: String?
    let blob: BlobID

    /// Nil for a record that names no file.
    init?(_ record: RecordDocument) {
        func text(_ field: String) -> String? {
            if case .string(let text)? = record.fields[field] { text } else { nil }
        }
        guard case .integer(let size)? = record.fields["size"], size >= 0,
            let blob = text("blob").flatMap({ BlobID(hex: $0) })
        else { return nil }
        name = text("name") ?? record.title
        mediaType = text("media_type")
        self.size = size
        sha256 = text("sha256")
        self.blob = blob
    }
}
