// `concord.status/1`: what is in step, with whom not and why, what needs a person. The view for people is rendered
// from this document, so the two cannot disagree. What is not known is nil, never 0.

/// The status of a node.
public struct StatusDocument: Codable, Hashable, Sendable {
    /// The schema's name.
    public static let schemaName = "concord.status/1"

    /// Always ``schemaName``.
    public var schema: String
    /// When the status was taken.
    public var at: String
    /// The worst that holds.
    public var verdict: Verdict
    /// This node.
    public var node: Node
    /// The spaces that it holds.
    public var spaces: [Space]
    /// The nodes and members that it exchanges with, or would.
    public var peers: [Peer]
    /// What should be looked at, the worst first.
    public var attention: [Attention]
    /// Disk.
    public var storage: Storage
    /// The last backup.
    public var backup: Backup
    /// Connections that were refused since the daemon started, by code.
    public var refusals: [Refusal]

    /// `in step`, `degraded`, `needs a person` or `integrity failure`.
    public enum Verdict: String, Codable, Hashable, Sendable {
        case inStep = "in step"
        case degraded
        case needsAPerson = "needs a person"
        case integrityFailure = "integrity failure"
    }

    /// This node.
    public struct Node: Codable, Hashable, Sendable {
        public var member: String
        public var memberName: String
        public var name: String
        public var id: String
        public var version: String
        public var `protocol`: Int
        /// Nil when the daemon is down.
        public var uptimeSeconds: Int64?
        public var certificate: Certificate
        public var listening: [String]

        public init(
            member: String, memberName: String, name: String, id: String, version: String, protocol: Int,
            uptimeSeconds: Int64?, certificate: Certificate, listening: [String]
        ) {
            self.member = member
            self.memberName = memberName
            self.name = name
            self.id = id
            self.version = version
            self.protocol = `protocol`
            self.uptimeSeconds = uptimeSeconds
            self.certificate = certificate
            self.listening = listening
        }
    }

    /// The validity of the node's certificate.
    public struct Certificate: Codable, Hashable, Sendable {
        public var expiresAt: String
        public var daysLeft: Int64

        public init(expiresAt: String, daysLeft: Int64) {
            self.expiresAt = expiresAt
            self.daysLeft = daysLeft
        }
    }

    /// A space that this node holds.
    public struct Space: Codable, Hashable, Sendable {
        public var id: String
        public var name: String
        /// The replica id under which this node writes; nil before its first change.
        public var replica: String?
        public var changes: Int64
        public var records: Int64
        public var conflicts: Int64
        /// Records by kind that are shown.
        public var kinds: [String: Int64]
        public var digest: String
        /// Replica id to highest sequence held.
        public var versionVector: [String: UInt64]
        /// The highest own sequence that all members are known to hold; nil when it is not known.
        public var heldByAll: UInt64?

        public init(
            id: String, name: String, replica: String?, changes: Int64, records: Int64, conflicts: Int64,
            kinds: [String: Int64], digest: String, versionVector: [String: UInt64], heldByAll: UInt64?
        ) {
            self.id = id
            self.name = name
            self.replica = replica
            self.changes = changes
            self.records = records
            self.conflicts = conflicts
            self.kinds = kinds
            self.digest = digest
            self.versionVector = versionVector
            self.heldByAll = heldByAll
        }
    }

    /// A node that this one exchanges with, or a member of which no node is known yet.
    public struct Peer: Codable, Hashable, Sendable {
        /// `connected`, `connecting`, `unreachable`, `refused`, `silent` or `paused`.
        public enum State: String, Codable, Hashable, Sendable {
            case connected, connecting, unreachable, refused, silent, paused
        }

        /// The code of its member; nil while it is not known who answers at the address.
        public var member: String?
        public var memberName: String?
        public var node: String?
        public var address: String?
        public var road: Road
        public var state: State
        public var lastHeardAt: String?
        public var spaces: [Progress]
        public var roundTripMilliseconds: Double?
        /// The last eight attempts, newest right: `#` reached, `.` not, `x` refused.
        public var reach: String
        public var bytesReceived: Int64
        public var bytesSent: Int64
        public var lastError: LastError?

        public init(
            member: String?, memberName: String?, node: String?, address: String?, road: Road, state: State,
            lastHeardAt: String?, spaces: [Progress], roundTripMilliseconds: Double?, reach: String,
            bytesReceived: Int64, bytesSent: Int64, lastError: LastError?
        ) {
            self.member = member
            self.memberName = memberName
            self.node = node
            self.address = address
            self.road = road
            self.state = state
            self.lastHeardAt = lastHeardAt
            self.spaces = spaces
            self.roundTripMilliseconds = roundTripMilliseconds
            self.reach = reach
            self.bytesReceived = bytesReceived
            self.bytesSent = bytesSent
            self.lastError = lastError
        }
    }

    /// How changes travel between the two.
    public struct Road: Codable, Hashable, Sendable {
        /// `direct`, `relay` or `none`.
        public var kind: String
        /// The code of the member in between.
        public var via: String?

        public init(kind: String, via: String? = nil) {
            self.kind = kind
            self.via = via
        }
    }

    /// How far the two are apart in one space, in changes.
    public struct Progress: Codable, Hashable, Sendable {
        public var id: String
        public var theyLack: Int64?
        public var weLack: Int64?
        public var asOf: String?

        public init(id: String, theyLack: Int64?, weLack: Int64?, asOf: String?) {
            self.id = id
            self.theyLack = theyLack
            self.weLack = weLack
            self.asOf = asOf
        }
    }

    /// The last thing that went wrong with a peer.
    public struct LastError: Codable, Hashable, Sendable {
        public var code: String
        public var message: String
        public var at: String

        public init(code: String, message: String, at: String) {
            self.code = code
            self.message = message
            self.at = at
        }
    }

    /// Something that should be looked at.
    public struct Attention: Codable, Hashable, Sendable {
        /// `integrity`, `person`, `degraded` or `notice`, in falling order of weight.
        public enum Severity: String, Codable, Hashable, Sendable {
            case integrity, person, degraded, notice
        }

        public var code: String
        public var severity: Severity
        public var member: String?
        public var message: String
        public var action: String?

        public init(code: String, severity: Severity, member: String?, message: String, action: String?) {
            self.code = code
            self.severity = severity
            self.member = member
            self.message = message
            self.action = action
        }
    }

    /// Connections that were refused for one reason.
    public struct Refusal: Codable, Hashable, Sendable {
        public var code: String
        public var count: Int64
        public var lastAt: String
        public var lastAddress: String
        public var message: String

        public init(code: String, count: Int64, lastAt: String, lastAddress: String, message: String) {
            self.code = code
            self.count = count
            self.lastAt = lastAt
            self.lastAddress = lastAddress
            self.message = message
        }
    }

    /// What the node takes of the disk.
    public struct Storage: Codable, Hashable, Sendable {
        public var databaseBytes: Int64
        public var blobBytes: Int64
        public var freeBytes: Int64?

        public init(databaseBytes: Int64, blobBytes: Int64, freeBytes: Int64?) {
            self.databaseBytes = databaseBytes
            self.blobBytes = blobBytes
            self.freeBytes = freeBytes
        }
    }

    /// The last backup that was made through this node.
    public struct Backup: Codable, Hashable, Sendable {
        public var lastAt: String?
        public var verified: Bool

        public init(lastAt: String?, verified: Bool) {
            self.lastAt = lastAt
            self.verified = verified
        }
    }

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
