// What the receiver of changes decides about who sends it what. A node that is connected to many must not be sent the
// same by each of them, and only it knows from whom it has what already.

import ConcordModel

/// Which changes a side wants from its peer without asking for each.
public enum FlowMode: UInt64, Hashable, Sendable {
    /// None: another peer is sending what is lacking.
    case hold = 0
    /// What the peer's own replica writes. What else it holds it says now and then.
    case own = 1
    /// What the peer's own replica writes; what else reaches it is announced at once, and asked for if it is lacking.
    case announce = 2
    /// All that is lacking: the rule until something else is said.
    case all = 3
}

/// Changes of one chain that a side asks for.
public struct ChainSpan: Hashable, Sendable {
    /// The chain, which is no branch: its name is the same everywhere.
    public let chain: ReplicaID
    /// The last change that the side has; 0 if it has none.
    public let from: UInt64
    /// The last change that it asks for.
    public let upTo: UInt64

    /// The changes of `chain` after `from`, up to `upTo`.
    public init(chain: ReplicaID, from: UInt64, upTo: UInt64) {
        self.chain = chain
        self.from = from
        self.upTo = upTo
    }
}
