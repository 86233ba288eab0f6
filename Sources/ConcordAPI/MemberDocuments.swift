// The JSON documents of the local API about who belongs to a space: the roster, the offices, and what a person needs to
// draft an act. Fields are only ever added.

/// A member, as other documents name it.
public struct PartyDocument: Codable, Hashable, Sendable {
    /// The id in hexadecimal digits.
    public var id: String
    /// The code; `?` if the member is not known here.
    public var code: String
    /// The name.
    public var name: String

    /// A member of this id, code and name.
    public init(id: String, code: String, name: String) {
        self.id = id
        self.code = code
        self.name = name
    }
}

/// The roster of a space, with the procedures that are pending.
public struct MembersDocument: Codable, Hashable, Sendable {
    /// An office and who holds it; two of one name were given at the same time.
    public struct Office: Codable, Hashable, Sendable {
        /// `chair`, `secretariat` or `troika`.
        public var office: String
        /// Who holds it.
        public var holders: [PartyDocument]
        /// The hash of the appointment.
        public var act: String

        /// An office that was given by an act.
        public init(office: String, holders: [PartyDocument], act: String) {
            self.office = office
            self.holders = holders
            self.act = act
        }
    }

    /// The space's id.
    public var space: String
    /// The space's name.
    public var spaceName: String
    /// How many members must sign an admission, a reinstatement or an appointment.
    public var admissionThreshold: UInt64
    /// How many members must sign a suspension.
    public var suspensionThreshold: UInt64
    /// The roster, by code.
    public var members: [Member]
    /// The offices, by name.
    public var offices: [Office]
    /// The acts that bear fewer signatures than they need, the oldest first.
    public var procedures: [ProcedureDocument]

    /// The roster of a space.
    public init(
        space: String, spaceName: String, admissionThreshold: UInt64, suspensionThreshold: UInt64,
        members: [Member], offices: [Office], procedures: [ProcedureDocument]
    ) {
        self.space = space
        self.spaceName = spaceName
        self.admissionThreshold = admissionThreshold
        self.suspensionThreshold = suspensionThreshold
        self.members = members
        self.offices = offices
        self.procedures = procedures
    }
}

extension MembersDocument {
    /// A line of the roster.
    public struct Member: Codable, Hashable, Sendable {
        /// The id in hexadecimal digits.
        public var id: String
        /// The code.
        public var code: String
        /// The name.
        public var name: String
        /// `member` or `observer`.
        public var role: String
        /// Whether the charter names it.
        public var founder: Bool
        /// The fingerprint of its founding authority's key; it is the id.
        public var fingerprint: String
        /// The names of its nodes that were heard of.
        public var nodes: [String]
        /// `in standing` or `suspended`.
        public var standing: String
        /// The suspensions in force.
        public var suspensions: [Suspension]
        /// The offices that it holds.
        public var offices: [String]
        /// The fingerprints of the authority keys by which it is known now.
        public var authorities: [String]
        /// The fingerprints of the authority keys that were replaced.
        public var formerAuthorities: [String]
        /// The ids of the former identities whose records are this member's.
        public var predecessors: [String]
        /// What it stands on: the hashes of its admissions, and the space's id for a founder.
        public var standsOn: [String]
        /// The ids of its nodes that were revoked.
        public var revokedNodes: [String]
        /// Its replicas that are held here.
        public var replicas: [Replica]

        /// A line of the roster.
        public init(
            id: String, code: String, name: String, role: String, founder: Bool, fingerprint: String,
            nodes: [String], standing: String, suspensions: [Suspension], offices: [String],
            authorities: [String], formerAuthorities: [String], predecessors: [String], standsOn: [String],
            revokedNodes: [String], replicas: [Replica]
        ) {
            self.id = id
            self.code = code
            self.name = name
            self.role = role
            self.founder = founder
            self.fingerprint = fingerprint
            self.nodes = nodes
            self.standing = standing
            self.suspensions = suspensions
            self.offices = offices
            self.authorities = authorities
            self.formerAuthorities = formerAuthorities
            self.predecessors = predecessors
            self.standsOn = standsOn
            self.revokedNodes = revokedNodes
            self.replicas = replicas
        }
    }

    /// A suspension in force.
    public struct Suspension: Codable, Hashable, Sendable {
        /// The hash of the act.
        public var act: String
        /// When it came into force, by the clock of the node that carried the deciding signature.
        public var since: String
        /// Why.
        public var reason: String
        /// Who signed it.
        public var signers: [PartyDocument]
        /// The last change of each replica that stays; a replica that is not named stays out altogether.
        public var keeps: [String: UInt64]

        /// A suspension.
        public init(
            act: String, since: String, reason: String, signers: [PartyDocument], keeps: [String: UInt64]
        ) {
            self.act = act
            self.since = since
            self.reason = reason
            self.signers = signers
            self.keeps = keeps
        }
    }

    /// A replica of a member, as it is held here.
    public struct Replica: Codable, Hashable, Sendable {
        /// The replica's id.
        public var replica: String
        /// The name of its node.
        public var node: String
        /// The id of its node.
        public var nodeId: String
        /// The last change that is held.
        public var sequence: UInt64
        /// The last change that has effect.
        public var effective: UInt64
        /// The last change on which others built, which therefore stays whatever a suspension says.
        public var builtUpon: UInt64
        /// Whether it signed two changes of one number.
        public var forked: Bool

        /// A replica, as it is held.
        public init(
            replica: String, node: String, nodeId: String, sequence: UInt64, effective: UInt64,
            builtUpon: UInt64, forked: Bool
        ) {
            self.replica = replica
            self.node = node
            self.nodeId = nodeId
            self.sequence = sequence
            self.effective = effective
            self.builtUpon = builtUpon
            self.forked = forked
        }
    }
}
