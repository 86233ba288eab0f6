// The part of the status that is about the disk and what is kept of it.

extension StatusDocument {
    /// What the node takes of the disk.
    public struct Storage: Codable, Hashable, Sendable {
        /// The database with its write-ahead log.
        public var databaseBytes: Int64
        /// Files beside the database.
        public var blobBytes: Int64
        /// What is left on the disk; nil if it is not known.
        public var freeBytes: Int64?
        /// Attachments of which the file is not on this node; nil if that is not known.
        public var missingBlobs: Int64?
        /// Of these, those that are wanted: they are being fetched, or wait for a node that has them.
        public var wantedBlobs: Int64?
        /// Bytes that ordinary writes leave free; nil if the daemon is down.
        public var reserveBytes: Int64?
        /// Why nothing is written, and since when; nil while writes are taken.
        public var trouble: Trouble?

        /// What keeps the node from writing.
        public struct Trouble: Codable, Hashable, Sendable {
            /// `low`, `full`, `read-only`, `failing` or `damaged`.
            public var kind: String
            /// The stable code.
            public var code: String
            /// One sentence.
            public var message: String
            /// Since when.
            public var since: String

            /// Trouble of this kind.
            public init(kind: String, code: String, message: String, since: String) {
                self.kind = kind
                self.code = code
                self.message = message
                self.since = since
            }
        }

        /// What is used and free, in bytes.
        public init(
            databaseBytes: Int64, blobBytes: Int64, freeBytes: Int64?, missingBlobs: Int64? = nil,
            wantedBlobs: Int64? = nil, reserveBytes: Int64? = nil, trouble: Trouble? = nil
        ) {
            self.reserveBytes = reserveBytes
            self.trouble = trouble
            self.databaseBytes = databaseBytes
            self.blobBytes = blobBytes
            self.freeBytes = freeBytes
            self.missingBlobs = missingBlobs
            self.wantedBlobs = wantedBlobs
        }
    }

    /// The last good backup that was made through this node.
    public struct Backup: Codable, Hashable, Sendable {
        /// When it was made; nil if there was none.
        public var lastAt: String?
        /// Whether there is one: it was read back and found complete.
        public var verified: Bool
        /// The file; nil if there was none, or it is not known.
        public var path: String?
        /// How large it is; nil if there was none, or it is not known.
        public var bytes: Int64?
        /// When the next one is due; nil if none are made by themselves, or the daemon is down.
        public var nextAt: String?
        /// Why the last attempt failed; nil if it did not.
        public var failure: LastError?

        /// The last backup; nil if there was none.
        public init(
            lastAt: String?, verified: Bool, path: String? = nil, bytes: Int64? = nil, nextAt: String? = nil,
            failure: LastError? = nil
        ) {
            self.lastAt = lastAt
            self.verified = verified
            self.path = path
            self.bytes = bytes
            self.nextAt = nextAt
            self.failure = failure
        }
    }

    /// A status of the current schema.
    public init(
        at: String, verdict: Verdict, node: Node, spaces: [Space], peers: [Peer], attention: [Attention],
        storage: Storage, backup: Backup, refusals: [Refusal] = []
    ) {
        self.refusals = refusals
        schema = Self.schemaName
        self.at = at
        self.verdict = verdict
        self.node = node
        self.spaces = spaces
        self.peers = peers
        self.attention = attention
        self.storage = storage
        self.backup = backup
    }
}
