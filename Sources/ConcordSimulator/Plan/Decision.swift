// What is decided from outside in a run: what people do and what goes wrong, each with its time, its node and a seed of its
// own. A run draws nothing else about these, so that any of them can be taken out of the list without the others becoming
// something else: that is what shrinking needs.

/// One thing that happens in a run.
public struct Decision: Codable, Hashable, Sendable {
    /// What happens.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Somebody at a node writes something.
        case write
        /// Several people write in one document's text at the same moment.
        case debate
        /// Members sign that one of them be suspended, or reinstated.
        case procedure
        /// A node's certificate ends and is renewed, at once or later.
        case renewal
        /// A member revokes one of its nodes, which gets a new key.
        case revocation
        /// Somebody carries what a node holds to another one on foot.
        case courier
        /// A hostile copy of a node appears.
        case copy
        /// A member's node that means ill does something.
        case mischief
        /// A connection breaks; what was on its way may be lost.
        case disconnect
        /// A connection is gone, and neither side is told.
        case reset
        /// Some nodes cannot reach the others.
        case partition
        /// One node reaches nobody.
        case isolation
        /// In one direction of a link nothing arrives for a while.
        case stall
        /// A link refuses new connections for a while.
        case refusal
        /// For days nobody reaches anybody.
        case outage
        /// A node's process is killed.
        case kill
        /// A node's machine loses power.
        case powerCut
        /// A node's machine loses power in the middle of a write or sync to come.
        case midwayCut
        /// A copy of a node's files is kept, or put back.
        case restore
        /// A node does nothing for a while.
        case pause
        /// A node's clock is set.
        case clock
        /// A node's disk is full for a while.
        case diskFull
        /// A node's disk fails now and then, for a while.
        case diskErrors
        /// A firewall refuses one node of a link to dial the other, for a while or for good.
        case firewall
        /// A node is started again with the next version, or with the present one.
        case upgrade
        /// Somebody writes what only the next version knows.
        case laterWrite
    }

    /// When, in milliseconds.
    public let at: Int64
    /// What.
    public let kind: Kind
    /// To which node; of what concerns a link, to one end of it.
    public let node: Int
    /// What all further choices follow from.
    public let draw: UInt64

    /// A decision of these parts.
    public init(at: Int64, kind: Kind, node: Int, draw: UInt64) {
        self.at = at
        self.kind = kind
        self.node = node
        self.draw = draw
    }

    /// How long an outage that follows from this lasts: hours to a month.
    var outage: Int64 {
        var random = SimulationRandom(seed: draw, label: "outage")
        return Int64(random.number(1...30)) * random.pick([3_600_000, 86_400_000])
    }
}
