// The JSON documents of the local API about bundles. Fields are only ever added.

/// For whom a bundle is.
public struct BundleRecipientDocument: Codable, Hashable, Sendable {
    /// The code of the member, as far as it is known here.
    public var member: String?
    /// The member's id.
    public var memberId: String
    /// The node's name; nil for any node of the member, or if it is not known here.
    public var node: String?
    /// The fingerprint of the node's key for key agreement; nil for any node.
    public var key: String?

    /// A recipient with these properties.
    public init(member: String?, memberId: String, node: String?, key: String?) {
        self.member = member
        self.memberId = memberId
        self.node = node
        self.key = key
    }
}

/// One volume of a bundle.
public struct BundleDocument: Codable, Hashable, Sendable {
    /// Who exported it.
    public struct Exporter: Codable, Hashable, Sendable {
        /// The code of the member, as the node's certificate says.
        public var member: String
        /// The member's id.
        public var memberId: String
        /// The node's name.
        public var node: String
        /// The node's id.
        public var nodeId: String

        /// A node of a member.
        public init(member: String, memberId: String, node: String, nodeId: String) {
            self.member = member
            self.memberId = memberId
            self.node = node
            self.nodeId = nodeId
        }
    }

    /// The same in all volumes of a bundle.
    public var bundle: String
    /// The number of this volume, from 1.
    public var volume: Int64
    /// How many volumes the bundle has.
    public var volumes: Int64
    /// The id of the space.
    public var space: String
    /// Its name; nil if it is not held here.
    public var spaceName: String?
    /// Who exported it.
    public var exporter: Exporter
    /// For whom it is.
    public var recipients: [BundleRecipientDocument]
    /// When it was made, by the exporter's clock.
    public var createdAt: String
    /// Whether it is encrypted.
    public var encrypted: Bool
    /// Bytes of the file.
    public var bytes: Int64
    /// Changes in it.
    public var changes: Int64
    /// Receipts in it.
    public var receipts: Int64
    /// Files in it, or parts of them.
    public var files: Int64
    /// How many changes after it are not held here before; nil if the space is not held.
    public var unseen: Int64?
    /// How many changes it builds upon are not held here; nil if the space is not held.
    public var lacking: Int64?
    /// Why it cannot be imported here; nil if it can.
    public var obstacle: ErrorDocument.Body?

    /// A volume with these properties.
    public init(
        bundle: String, volume: Int64, volumes: Int64, space: String, spaceName: String?, exporter: Exporter,
        recipients: [BundleRecipientDocument], createdAt: String, encrypted: Bool, bytes: Int64,
        changes: Int64,
        receipts: Int64, files: Int64, unseen: Int64?, lacking: Int64?, obstacle: ErrorDocument.Body?
    ) {
        self.bundle = bundle
        self.volume = volume
        self.volumes = volumes
        self.space = space
        self.spaceName = spaceName
        self.exporter = exporter
        self.recipients = recipients
        self.createdAt = createdAt
        self.encrypted = encrypted
        self.bytes = bytes
        self.changes = changes
        self.receipts = receipts
        self.files = files
        self.unseen = unseen
        self.lacking = lacking
        self.obstacle = obstacle
    }
}

/// A volume that was imported.
public struct BundleImportDocument: Codable, Hashable, Sendable {
    /// What it was.
    public var bundle: BundleDocument
    /// Changes that were new.
    public var applied: Int64
    /// Receipts that were new.
    public var receipts: Int64
    /// Files that are whole now and were not before.
    public var files: Int64

    /// A volume that brought so much.
    public init(bundle: BundleDocument, applied: Int64, receipts: Int64, files: Int64) {
        self.bundle = bundle
        self.applied = applied
        self.receipts = receipts
        self.files = files
    }
}

/// A bundle that was made and waits to be fetched.
public struct BundleExportDocument: Codable, Hashable, Sendable {
    /// A volume.
    public struct Volume: Codable, Hashable, Sendable {
        /// Its number, from 1.
        public var volume: Int64
        /// Bytes of the file.
        public var bytes: Int64
        /// Changes in it.
        public var changes: Int64
        /// Receipts in it.
        public var receipts: Int64
        /// Files in it, or parts of them.
        public var files: Int64

        /// A volume that holds so much.
        public init(volume: Int64, bytes: Int64, changes: Int64, receipts: Int64, files: Int64) {
            self.volume = volume
            self.bytes = bytes
            self.changes = changes
            self.receipts = receipts
            self.files = files
        }
    }

    /// A node that the bundle could not be made for.
    public struct Omission: Codable, Hashable, Sendable {
        /// The code of its member.
        public var member: String
        /// Its name; empty if no node of the member is known.
        public var node: String
        /// Why.
        public var reason: ErrorDocument.Body

        /// A node that was left out.
        public init(member: String, node: String, reason: ErrorDocument.Body) {
            self.member = member
            self.node = node
            self.reason = reason
        }
    }

    /// The name under which it is fetched.
    public var bundle: String
    /// The id of the space.
    public var space: String
    /// Its name.
    public var spaceName: String
    /// Whether it is encrypted.
    public var encrypted: Bool
    /// For whom it is.
    public var recipients: [BundleRecipientDocument]
    /// Nodes of the named members that cannot read it.
    public var omitted: [Omission]
    /// Its volumes, ascending.
    public var volumes: [Volume]
    /// Files that belong to it and are not on this node.
    public var absentFiles: Int64
    /// Files of this node that do not go along, since the recipients hold the records that name them.
    public var earlierFiles: Int64

    /// A bundle of these parts.
    public init(
        bundle: String, space: String, spaceName: String, encrypted: Bool,
        recipients: [BundleRecipientDocument], omitted: [Omission], volumes: [Volume], absentFiles: Int64,
        earlierFiles: Int64
    ) {
        self.bundle = bundle
        self.space = space
        self.spaceName = spaceName
        self.encrypted = encrypted
        self.recipients = recipients
        self.omitted = omitted
        self.volumes = volumes
        self.absentFiles = absentFiles
        self.earlierFiles = earlierFiles
    }
}
