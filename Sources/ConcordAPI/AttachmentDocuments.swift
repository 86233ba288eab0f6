// The JSON documents of the local API about attachments: the record, which everybody has, and whether its file is on
// this node. Fields are only ever added.

/// A file that belongs to a document.
public struct AttachmentDocument: Codable, Hashable, Sendable {
    /// Where the file is.
    public enum State: String, Codable, Hashable, Sendable {
        /// On this node.
        case here
        /// It is being fetched, or waits for a node that has it.
        case coming
        /// On other nodes; it is fetched when somebody asks for it.
        case elsewhere
    }

    /// The id of the attachment's record.
    public var id: String
    /// The id of the document.
    public var document: String
    /// The id of the space.
    public var space: String
    /// The code of the member that attached it.
    public var owner: String
    /// The file's name.
    public var name: String
    /// What kind of file it is, as whoever attached it says; nil if it was not said.
    public var mediaType: String?
    /// Bytes of the file.
    public var size: Int64
    /// The SHA-256 of the file in hexadecimal digits; nil if it was not said.
    public var sha256: String?
    /// The name under which the network knows the file.
    public var blob: String
    /// When it was attached, by its author's clock.
    public var createdAt: String
    /// Where the file is.
    public var state: State
    /// Bytes of it that are on this node.
    public var heldBytes: Int64
    /// From how many nodes it is being fetched at present.
    public var sources: Int64
    /// Why it cannot be fetched at present; nil if nothing is known to hinder it.
    public var obstacle: ErrorDocument.Body?

    /// An attachment with these properties.
    public init(
        id: String, document: String, space: String, owner: String, name: String, mediaType: String?,
        size: Int64, sha256: String?, blob: String, createdAt: String, state: State, heldBytes: Int64,
        sources: Int64, obstacle: ErrorDocument.Body?
    ) {
        self.id = id
        self.document = document
        self.space = space
        self.owner = owner
        self.name = name
        self.mediaType = mediaType
        self.size = size
        self.sha256 = sha256
        self.blob = blob
        self.createdAt = createdAt
        self.state = state
        self.heldBytes = heldBytes
        self.sources = sources
        self.obstacle = obstacle
    }
}

/// The attachments of a document.
public struct AttachmentsDocument: Codable, Hashable, Sendable {
    /// In the order in which they came to be known here.
    public var attachments: [AttachmentDocument]

    /// These attachments.
    public init(attachments: [AttachmentDocument]) { self.attachments = attachments }
}

/// What was cleared away.
public struct PruneDocument: Codable, Hashable, Sendable {
    /// Files that were removed.
    public var removed: Int64
    /// Bytes of them.
    public var bytes: Int64

    /// So many files with so many bytes.
    public init(removed: Int64, bytes: Int64) {
        self.removed = removed
        self.bytes = bytes
    }
}
