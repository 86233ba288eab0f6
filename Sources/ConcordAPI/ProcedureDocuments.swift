// The JSON documents of the local API about written procedure: acts that wait for signatures, and what became of an act
// that was handed over. Fields are only ever added.

/// An act that bears fewer signatures than it needs.
public struct ProcedureDocument: Codable, Hashable, Sendable {
    /// One member's signature, and the change that carries it.
    public struct Signature: Codable, Hashable, Sendable {
        /// Who signed.
        public var member: PartyDocument
        /// When it was carried into the space, by the carrying node's clock.
        public var at: String
        /// The change: `replica:sequence`.
        public var dot: String

        /// A signature.
        public init(member: PartyDocument, at: String, dot: String) {
            self.member = member
            self.at = at
            self.dot = dot
        }
    }

    /// The hash of the act, which names it.
    public var act: String
    /// The act's bytes in base64: what the next member signs.
    public var bytes: String
    /// `admit`, `suspend`, `reinstate`, `appoint` or `erase`.
    public var kind: String
    /// What it says, in a few words.
    public var summary: String
    /// Whom it is about; null for an appointment.
    public var subject: PartyDocument?
    /// As what somebody is admitted: `member` or `observer`; null for other kinds.
    public var role: String?
    /// The office that is given; null for other kinds.
    public var office: String?
    /// Who is to hold the office; empty for other kinds.
    public var holders: [PartyDocument]
    /// Why; null for kinds that give no reason.
    public var reason: String?
    /// When it was drafted, by the drafter's clock.
    public var draftedAt: String
    /// Who has signed.
    public var signatures: [Signature]
    /// How many members must sign.
    public var threshold: UInt64
    /// How many signatures are still needed.
    public var missing: UInt64
    /// Who may still sign.
    public var maySign: [PartyDocument]
    /// Who hold the office and have not signed: if all of them do, nobody else needs to. Empty for other kinds,
    /// and where the office is not theirs to hand over.
    public var handOver: [PartyDocument]
    /// Whether enough members may still sign.
    public var isReachable: Bool
    /// What a member who agrees types.
    public var command: String

    /// An act and the state of its signatures.
    public init(
        act: String, bytes: String, kind: String, summary: String, subject: PartyDocument?, role: String?,
        office: String?, holders: [PartyDocument], reason: String?, draftedAt: String,
        signatures: [Signature], threshold: UInt64, missing: UInt64, maySign: [PartyDocument],
        handOver: [PartyDocument], isReachable: Bool, command: String
    ) {
        self.act = act
        self.bytes = bytes
        self.kind = kind
        self.summary = summary
        self.subject = subject
        self.role = role
        self.office = office
        self.holders = holders
        self.reason = reason
        self.draftedAt = draftedAt
        self.signatures = signatures
        self.threshold = threshold
        self.missing = missing
        self.maySign = maySign
        self.handOver = handOver
        self.isReachable = isReachable
        self.command = command
    }
}

/// The acts of a space that wait for signatures.
public struct ProceduresDocument: Codable, Hashable, Sendable {
    /// The space's id.
    public var space: String
    /// The space's name.
    public var spaceName: String
    /// The acts, the oldest first.
    public var procedures: [ProcedureDocument]

    /// The acts of a space that wait for signatures.
    public init(space: String, spaceName: String, procedures: [ProcedureDocument]) {
        self.space = space
        self.spaceName = spaceName
        self.procedures = procedures
    }
}

/// What became of an act that was handed over.
public struct ActDocument: Codable, Hashable, Sendable {
    /// The change that carries the signature: `replica:sequence`.
    public var dot: String
    /// The hash of the act, which names it.
    public var act: String
    /// `admit`, `suspend` and so on.
    public var kind: String
    /// What it says, in a few words.
    public var summary: String
    /// Whether it is in force now, as far as this node knows.
    public var inForce: Bool
    /// Who has signed it.
    public var signers: [PartyDocument]
    /// How many members must sign.
    public var threshold: UInt64
    /// How many signatures are still needed.
    public var missing: UInt64
    /// Who may still sign.
    public var maySign: [PartyDocument]
    /// As in ``ProcedureDocument/handOver``.
    public var handOver: [PartyDocument]
    /// What else there is to know, such as a cut-off without effect; each a sentence.
    public var remarks: [String]

    /// An act and the state of its signatures.
    public init(
        dot: String, act: String, kind: String, summary: String, inForce: Bool, signers: [PartyDocument],
        threshold: UInt64, missing: UInt64, maySign: [PartyDocument], handOver: [PartyDocument],
        remarks: [String]
    ) {
        self.dot = dot
        self.act = act
        self.kind = kind
        self.summary = summary
        self.inForce = inForce
        self.signers = signers
        self.threshold = threshold
        self.missing = missing
        self.maySign = maySign
        self.handOver = handOver
        self.remarks = remarks
    }
}
