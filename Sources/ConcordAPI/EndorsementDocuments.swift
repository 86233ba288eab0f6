// The JSON document of the local API about who endorsed a document: by signature, each the exact text, and as it was
// recorded. Fields are only ever added.

/// Who endorsed a document.
public struct EndorsementsDocument: Codable, Hashable, Sendable {
    /// A member that endorsed a text by signature.
    public struct Endorser: Codable, Hashable, Sendable {
        /// Who.
        public var member: PartyDocument
        /// `state` or `organization`.
        public var type: String
        /// When, by the clock of the machine on which it was signed.
        public var at: String
        /// The hash of the act.
        public var act: String
        /// The change that carries it: `replica:sequence`.
        public var dot: String

        /// A member that endorsed a text.
        public init(member: PartyDocument, type: String, at: String, act: String, dot: String) {
            self.member = member
            self.type = type
            self.at = at
            self.act = act
            self.dot = dot
        }
    }

    /// A text that somebody endorsed.
    public struct Version: Codable, Hashable, Sendable {
        /// The SHA-256 of the text in UTF-8, in hexadecimal digits.
        public var text: String
        /// Whether the document shows this text now.
        public var isCurrent: Bool
        /// Who endorsed it, by code.
        public var endorsers: [Endorser]
        /// How many of them are States.
        public var states: Int64
        /// How many of them are organizations.
        public var organizations: Int64

        /// A text and who endorsed it.
        public init(
            text: String, isCurrent: Bool, endorsers: [Endorser], states: Int64, organizations: Int64
        ) {
            self.text = text
            self.isCurrent = isCurrent
            self.endorsers = endorsers
            self.states = states
            self.organizations = organizations
        }
    }

    /// Endorsers that were recorded as data, as history has them, without signatures.
    public struct Recorded: Codable, Hashable, Sendable {
        /// The codes of the States.
        public var states: [String]
        /// The codes of the organizations.
        public var organizations: [String]
        /// How many States the source reports; null if it reports none.
        public var reportedStates: Int64?
        /// How many organizations the source reports; null if it reports none.
        public var reportedOrganizations: Int64?

        /// Endorsers as recorded, and what the source reports.
        public init(
            states: [String], organizations: [String], reportedStates: Int64?, reportedOrganizations: Int64?
        ) {
            self.states = states
            self.organizations = organizations
            self.reportedStates = reportedStates
            self.reportedOrganizations = reportedOrganizations
        }
    }

    /// The SHA-256 of the text that the document shows now; null if it has none.
    public var text: String?
    /// Whether somebody endorsed a text that the document does not show any more.
    public var textMovedOn: Bool
    /// The texts that were endorsed by signature, the current one first, then the latest.
    public var versions: [Version]
    /// What was recorded as data.
    public var recorded: Recorded

    /// Who endorsed a document.
    public init(text: String?, textMovedOn: Bool, versions: [Version], recorded: Recorded) {
        self.text = text
        self.textMovedOn = textMovedOn
        self.versions = versions
        self.recorded = recorded
    }
}
