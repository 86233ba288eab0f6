// What two nodes say to each other. A frame holds exactly one message, a CBOR array that begins with the
// message's type (Protocol/exchange.md; grammar in Protocol/concord.cddl). Reading a frame and writing it
// again gives the same bytes: a message has one encoding.

import ConcordCrypto
import ConcordModel

/// A message of the exchange.
public enum Message: Hashable, Sendable {
    /// Who speaks, and in which spaces; the first message of each side, said again when its spaces change.
    case hello(Hello)
    /// What the sender holds of a space, in short.
    case summary(SpaceID, Summary)
    /// The last changes of all chains and branches that the sender holds of a space, ascending; said once, when the
    /// summaries differ.
    case vector(SpaceID, [ChainHead])
    /// Changes that the receiver lacks, each after what it depends on.
    case changes(SpaceID, [ChangeRun])
    /// What is durable at the sender, of the chains that it received, by the names that the receiver has for them.
    case acknowledge(SpaceID, VersionVector)
    /// The sender ends the session because of this.
    case error(code: UTF8Text, faultClass: FaultClass, sentence: UTF8Text)
    /// The sender ends the session in good order; the code is empty if there is nothing to say.
    case goodbye(code: UTF8Text, sentence: UTF8Text)
    /// Asks for a ``pong(_:)`` of the same number.
    case ping(UInt64)
    /// Answers a ``ping(_:)``.
    case pong(UInt64)
    /// What nodes of the space hold, signed by them; the latest of each that the sender has.
    case receipts(SpaceID, [Receipt])
    /// Which changes the sender wants from the receiver from now on, and what it holds besides what it said.
    case flow(SpaceID, FlowMode, VersionVector)
    /// What the sender holds, where the receiver does not know it yet.
    case announce(SpaceID, VersionVector)
    /// Changes that the sender asks for.
    case want(SpaceID, [ChainSpan])
    /// The hashes of the ranges of the sender's heads, said before ``vector(_:_:)`` where there are many.
    case sketch(SpaceID, HeadSketch)
    /// About an attachment.
    case blob(BlobMessage)
    /// A message of a later level, read past.
    case ignored(type: UInt64)
}

/// What follows from an error for the next attempt to connect.
public enum FaultClass: UInt64, Hashable, Sendable {
    /// It may go well the next time.
    case retry = 0
    /// It will not go well until somebody does something.
    case refuse = 1
    /// The other side broke the protocol.
    case fault = 2
}

/// The first message of each side.
public struct Hello: Hashable, Sendable {
    /// The protocol levels that the sender speaks.
    public var levels: ClosedRange<UInt64>
    /// Names of optional features, ascending.
    public var features: [UTF8Text]
    /// The level of the sender's vocabulary: digests are compared only between equal levels.
    public var vocabularyLevel: UInt64
    /// A random number of the running process.
    public var incarnation: Bytes16
    /// The sender's clock in milliseconds since 1970.
    public var clock: Int64
    /// The name of the sender's node, for people.
    public var nodeName: UTF8Text
    /// Where the sender listens, as `host:port`; empty for a node that only dials out.
    public var addresses: [UTF8Text]
    /// The spaces that the sender would exchange with the receiver, ascending by id.
    public var spaces: [SpaceHead]

    /// A hello of these parts.
    public init(
        levels: ClosedRange<UInt64> = SyncLimits.levels, features: [UTF8Text] = [], vocabularyLevel: UInt64,
        incarnation: Bytes16, clock: Int64, nodeName: UTF8Text, addresses: [UTF8Text], spaces: [SpaceHead]
    ) {
        self.levels = levels
        self.features = features
        self.vocabularyLevel = vocabularyLevel
        self.incarnation = incarnation
        self.clock = clock
        self.nodeName = nodeName
        self.addresses = addresses
        self.spaces = spaces
    }
}

/// A space as a side names it to its peer: with its own replica there and that replica's latest change.
public struct SpaceHead: Hashable, Sendable {
    /// A replica's latest change.
    public struct Head: Hashable, Sendable {
        /// Its sequence, at least 1.
        public let sequence: UInt64
        /// Its hash.
        public let hash: Digest

        /// The change of this number and hash.
        public init(sequence: UInt64, hash: Digest) {
            self.sequence = sequence
            self.hash = hash
        }
    }

    /// The space.
    public let space: SpaceID
    /// The replica under which the sender writes there; nil before its first change.
    public let replica: ReplicaID?
    /// The latest change of that replica; nil before its first change.
    public let head: Head?

    /// A space with the sender's own replica and head there.
    public init(space: SpaceID, replica: ReplicaID? = nil, head: Head? = nil) {
        precondition(replica != nil || head == nil)
        self.space = space
        self.replica = replica
        self.head = head
    }
}

/// What one side holds of a space, in short.
public struct Summary: Hashable, Sendable {
    /// ``HeldSummary/hash``: equal iff both hold the same changes.
    public let heldHash: Digest
    /// The digest of the visible state that follows from exactly these changes; nil if it is not known at
    /// present.
    public let digest: Digest?
    /// How many changes are held.
    public let changeCount: UInt64
    /// How many heads ``Message/vector(_:_:)`` would show.
    public let headCount: UInt64

    /// A summary of these parts.
    public init(heldHash: Digest, digest: Digest?, changeCount: UInt64, headCount: UInt64 = 0) {
        self.heldHash = heldHash
        self.digest = digest
        self.changeCount = changeCount
        self.headCount = headCount
    }

    init(_ held: HeldSummary, digest: Digest?) {
        self.init(
            heldHash: held.hash, digest: digest,
            changeCount: held.vector.elements.reduce(0) { $0 &+ $1.sequence },
            headCount: UInt64(held.heads.count))
    }
}
