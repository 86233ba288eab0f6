// The JSON documents of the local API for whoever looks after a node: what the doctor found, and which operations the
// rules refused. Fields are only ever added.

/// What an examination of the node found.
public struct DoctorDocument: Codable, Hashable, Sendable {
    /// How a check ended.
    public enum State: String, Codable, Hashable, Sendable {
        /// As it should be.
        case good
        /// It goes on, but not as it should.
        case degraded
        /// A person must act.
        case person = "needs a person"
        /// Something was tampered with or is broken.
        case integrity = "integrity failure"
        /// It could not be found out.
        case unknown
    }

    /// One thing that was looked at.
    public struct Check: Codable, Hashable, Sendable {
        /// What: `daemon`, `certificate`, `files`, `disk`, `clock`, `database`, `pages`, `texts`, `replicas`, `members`,
        /// `network` or `refused`.
        public var check: String
        /// How it ended.
        public var state: State
        /// What was found, in one sentence.
        public var message: String
        /// The code of the error, where there is one.
        public var code: String?
        /// What to do; null if there is nothing to do.
        public var action: String?

        /// A check.
        public init(check: String, state: State, message: String, code: String? = nil, action: String? = nil)
        {
            self.check = check
            self.state = state
            self.message = message
            self.code = code
            self.action = action
        }
    }

    /// When.
    public var at: String
    /// The checks, in the order in which they were made.
    public var checks: [Check]
    /// Operations that the rules refused, the latest first.
    public var refused: [RefusedDocument]

    /// What was found.
    public init(at: String, checks: [Check], refused: [RefusedDocument]) {
        self.at = at
        self.checks = checks
        self.refused = refused
    }
}

/// What a change asked for one record and the rules refused: it is held, passed on and without effect.
public struct RefusedDocument: Codable, Hashable, Sendable {
    /// The space.
    public var space: String
    /// The change: `replica:sequence`.
    public var dot: String
    /// The code of the author's member.
    public var member: String
    /// The name of the author's node.
    public var node: String
    /// Whether this node wrote it.
    public var own: Bool
    /// The author label.
    public var author: String
    /// When, by the author's clock.
    public var at: String
    /// The record.
    public var record: String
    /// What was to be done: `create`, `set` and so on, each once.
    public var operations: [String]
    /// Why not.
    public var reason: String

    /// What was refused.
    public init(
        space: String, dot: String, member: String, node: String, own: Bool, author: String, at: String,
        record: String, operations: [String], reason: String
    ) {
        self.space = space
        self.dot = dot
        self.member = member
        self.node = node
        self.own = own
        self.author = author
        self.at = at
        self.record = record
        self.operations = operations
        self.reason = reason
    }
}
