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
        /// Everything that was heard of is held, on both sides.
        case inStep = "in step"
        /// Something is late or out of reach, and mends itself.
        case degraded
        /// Something waits for somebody to decide.
        case needsAPerson = "needs a person"
        /// What is held does not verify.
        case integrityFailure = "integrity failure"
    }

    /// This node.
    public struct Node: Codable, Hashable, Sendable {
        /// The code of its member.
        public var member: String
        /// The name of its member.
        public var memberName: String
        /// Its name.
        public var name: String
        /// Its id in hexadecimal digits.
        public var id: String
        /// The version of the program.
        public var version: String
        /// The level of the protocol that it speaks.
        public var `protocol`: Int
        /// Nil when the daemon is down.
        public var uptimeSeconds: Int64?
        /// Its certificate.
        public var certificate: Certificate
        /// Where it listens, `host:port`.
        public var listening: [String]
        /// The HTTP proxy by which it dials, `host:port`; nil if it dials directly, or the daemon is down.
        public var proxy: String?

        /// This node as it runs.
        public init(
            member: String, memberName: String, name: String, id: String, version: String, protocol: Int,
            uptimeSeconds: Int64?, certificate: Certificate, listening: [String], proxy: String? = nil
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
            self.proxy = proxy
        }
    }

    /// The validity of the node's certificate.
    public struct Certificate: Codable, Hashable, Sendable {
        /// Until when it is valid.
        public var expiresAt: String
        /// How many whole days that is; negative once it has expired.
        public var daysLeft: Int64

        /// The validity of a certificate.
        public init(expiresAt: String, daysLeft: Int64) {
            self.expiresAt = expiresAt
            self.daysLeft = daysLeft
        }
    }

    /// A space that this node holds.
    public struct Space: Codable, Hashable, Sendable {
        /// The id in hexadecimal digits.
        public var id: String
        /// The name that its charter gives it.
        public var name: String
        /// The replica id under which this node writes; nil before its first change.
        public var replica: String?
        /// How many changes are held.
        public var changes: Int64
        /// How many records are shown.
        public var records: Int64
        /// How many records have fields in conflict.
        public var conflicts: Int64
        /// Records by kind that are shown.
        public var kinds: [String: Int64]
        /// The digest of the visible state; equal on every node that is in step.
        public var digest: String
        /// Replica id to highest sequence held.
        public var versionVector: [String: UInt64]
        /// The highest own sequence that all members are known to hold; nil when it is not known.
        public var heldByAll: UInt64?

        /// A space and how much of it is held.
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
            /// There is a session.
            case connected
            /// It is being dialled.
            case connecting
            /// It was dialled and did not answer.
            case unreachable
            /// One of the two sides turned the other down.
            case refused
            /// There is no session, and no address at which to dial it.
            case silent
            /// Somebody stopped the exchange with its member.
            case paused
        }

        /// The code of its member; nil while it is not known who answers at the address.
        public var member: String?
        /// The name of its member.
        public var memberName: String?
        /// The name of the node.
        public var node: String?
        /// Where it was last reached, or is dialled.
        public var address: String?
        /// How changes travel to and from it.
        public var road: Road
        /// How the connection stands.
        public var state: State
        /// When something last came from it.
        public var lastHeardAt: String?
        /// How far it and this node are apart, for each space that they share.
        public var spaces: [Progress]
        /// How long a message and its answer take.
        public var roundTripMilliseconds: Double?
        /// The last eight attempts, newest right: `#` reached, `.` not, `x` refused.
        public var reach: String
        /// What came from it since the daemon started.
        public var bytesReceived: Int64
        /// What went to it since the daemon started.
        public var bytesSent: Int64
        /// The last thing that went wrong with it.
        public var lastError: LastError?

        /// A peer; nil for what is not known.
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

        /// A road of this kind.
        public init(kind: String, via: String? = nil) {
            self.kind = kind
            self.via = via
        }
    }

    /// How far the two are apart in one space, in changes.
    public struct Progress: Codable, Hashable, Sendable {
        /// The id of the space.
        public var id: String
        /// How many changes are held here and not there; nil if it is not known.
        public var theyLack: Int64?
        /// How many changes are held there and not here; nil if it is not known.
        public var weLack: Int64?
        /// When this was known.
        public var asOf: String?

        /// How far two nodes are apart in the space `id`.
        public init(id: String, theyLack: Int64?, weLack: Int64?, asOf: String?) {
            self.id = id
            self.theyLack = theyLack
            self.weLack = weLack
            self.asOf = asOf
        }
    }

    /// The last thing that went wrong with a peer.
    public struct LastError: Codable, Hashable, Sendable {
        /// The stable code.
        public var code: String
        /// One sentence.
        public var message: String
        /// When it happened.
        public var at: String

        /// An error of this code, at this moment.
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
            /// What is held, here or there, does not verify.
            case integrity
            /// Somebody has to decide or act.
            case person
            /// It may mend itself.
            case degraded
            /// It is good to know.
            case notice
        }

        /// The stable code.
        public var code: String
        /// How much weight it has.
        public var severity: Severity
        /// The code of the member that it is about, if it is about one.
        public var member: String?
        /// One sentence.
        public var message: String
        /// The next step: a command or a sentence.
        public var action: String?

        /// Something of this weight.
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
        /// The stable code.
        public var code: String
        /// How many there were.
        public var count: Int64
        /// When the last one was.
        public var lastAt: String
        /// Where the last one came from.
        public var lastAddress: String
        /// One sentence about the last one.
        public var message: String

        /// The refusals of this code.
        public init(code: String, count: Int64, lastAt: String, lastAddress: String, message: String) {
            self.code = code
            self.count = count
            self.lastAt = lastAt
            self.lastAddress = lastAddress
            self.message = message
        }
    }
}
