// What the local API can do with attachments. Files go in and out in pieces and are never whole in memory.

import ConcordAPI
import ConcordStore

/// Attachments of documents. `id` is a record's id or a unique prefix of it.
public protocol AttachmentServices: Sendable {
    /// The attachments of a document, or the one that `id` names.
    func attachments(of id: String) async throws -> AttachmentsDocument
    /// Begins to take in a file for a document.
    ///
    /// - Parameter size: bytes, as far as they are known.
    /// - Throws: E-1003 for a record that takes no attachments, E-3002, E-4005.
    func beginAttachment(to id: String, size: Int64?) async throws -> BlobImport
    /// Attaches a file that has come whole.
    func attach(
        _ file: BlobImport, to id: String, name: String, mediaType: String?, author: String
    ) async throws -> AttachmentDocument
    /// The file of an attachment.
    ///
    /// - Throws: E-5008 if it is not on this node.
    func content(of id: String) async throws -> AttachmentContent
    /// Has the file of an attachment fetched.
    func fetchAttachment(_ id: String) async throws -> AttachmentDocument
    /// Removes the file of an attachment from this node, and what has come of it. The record stays.
    func dropAttachment(_ id: String) async throws -> AttachmentDocument
    /// Removes all files that no record shows any more.
    func pruneAttachments() async throws -> PruneDocument
}

/// A file that is on this node, to be read in pieces.
public struct AttachmentContent: Sendable {
    /// Bytes.
    public let size: Int64
    /// What kind of file it is, as whoever attached it says.
    public let mediaType: String?
    /// Reads so many bytes from a place; fewer at the end.
    ///
    /// - Throws: E-5008 if the file was removed meanwhile.
    public let read: @Sendable (_ offset: Int64, _ count: Int) async throws -> [UInt8]

    /// A file that `read` reads.
    public init(
        size: Int64, mediaType: String?, read: @escaping @Sendable (Int64, Int) async throws -> [UInt8]
    ) {
        self.size = size
        self.mediaType = mediaType
        self.read = read
    }
}
