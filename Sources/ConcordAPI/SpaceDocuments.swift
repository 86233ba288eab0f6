// The JSON documents of the local API about spaces and their members. Fields are only ever added.

/// The spaces that this node holds.
public struct SpacesDocument: Codable, Hashable, Sendable {
    /// One space.
    public struct Space: Codable, Hashable, Sendable {
        /// The id in hexadecimal digits.
        public var id: String
        /// The name that its charter gives it.
        public var name: String
        /// The replica id under which this node writes; nil before its first change.
        public var replica: String?
        /// This node's member is `member` or `observer`; nil while its admission has not arrived.
        public var role: String?
        /// `in standing` or `suspended`; nil while this node's member is not on the roster.
        public var standing: String?
        /// How many members and observers are on the roster.
        public var members: Int64
        /// How many changes are held.
        public var changes: Int64
        /// How many records are shown.
        public var records: Int64
        /// How many records have fields in conflict.
        public var conflicts: Int64
        /// How many members must sign an admission.
        public var admissionThreshold: UInt64
        /// How many members must sign a suspension.
        public var suspensionThreshold: UInt64
        /// The codes of the founders.
        public var founders: [String]

        /// A space and this node's part in it.
        public init(
            id: String, name: String, replica: String?, role: String?, standing: String?, members: Int64,
            changes: Int64, records: Int64, conflicts: Int64, admissionThreshold: UInt64,
            suspensionThreshold: UInt64, founders: [String]
        ) {
            self.id = id
            self.name = name
            self.replica = replica
            self.role = role
            self.standing = standing
            self.members = members
            self.changes = changes
            self.records = records
            self.conflicts = conflicts
            self.admissionThreshold = admissionThreshold
            self.suspensionThreshold = suspensionThreshold
            self.founders = founders
        }
    }

    /// The spaces, by name.
    public var spaces: [Space]

    /// These spaces.
    public init(spaces: [Space]) { self.spaces = spaces }
}

/// A space that was founded.
public struct FoundedDocument: Codable, Hashable, Sendable {
    /// The id in hexadecimal digits.
    public var id: String
    /// The name.
    public var name: String

    /// The space that was founded.
    public init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// A space that was joined.
public struct JoinedDocument: Codable, Hashable, Sendable {
    /// Who invited: the fingerprint is what a careful person compares by another road.
    public struct Inviter: Codable, Hashable, Sendable {
        /// The member's code.
        public var code: String
        /// The member's name.
        public var name: String
        /// The fingerprint of its authority's key in hexadecimal digits.
        public var fingerprint: String

        /// The member that invited.
        public init(code: String, name: String, fingerprint: String) {
            self.code = code
            self.name = name
            self.fingerprint = fingerprint
        }
    }

    /// The id in hexadecimal digits.
    public var id: String
    /// The name.
    public var name: String
    /// Who invited.
    public var inviter: Inviter

    /// The space that was joined, and who invited.
    public init(id: String, name: String, inviter: Inviter) {
        self.id = id
        self.name = name
        self.inviter = inviter
    }
}

/// An invite, as a file holds it.
public struct InviteDocument: Codable, Hashable, Sendable {
    /// The bytes in base64.
    public var invite: String

    /// An invite in base64.
    public init(invite: String) { self.invite = invite }
}

/// The digest of what is visible in a space: equal on every node that is in step.
public struct DigestDocument: Codable, Hashable, Sendable {
    /// The space's id.
    public var space: String
    /// The digest in hexadecimal digits.
    public var digest: String
    /// How many changes are held.
    public var changes: Int64

    /// The digest of a space at this number of changes.
    public init(space: String, digest: String, changes: Int64) {
        self.space = space
        self.digest = digest
        self.changes = changes
    }
}
