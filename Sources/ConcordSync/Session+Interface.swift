// What goes into a session and what comes out of it. Whoever drives a session carries the effects out in
// order and hands back what they yield; frames, store and clock stay outside.

import ConcordCrypto
import ConcordModel

/// Milliseconds. As a point in time on a clock that never goes back, whatever its zero.
public typealias Milliseconds = Int64

/// What happens to a session.
public enum SessionInput: Hashable, Sendable {
    /// The connection stands; `clock` is the wall clock in milliseconds since 1970. The first input of all.
    case started(clock: Int64)
    /// A whole frame arrived.
    case frame([UInt8])
    /// A part of a frame arrived: the peer is there, although a large frame takes long on a thin link.
    case receiving
    /// What ``SessionEffect/readHeld(_:)`` asked for. The digest must follow from exactly what the summary
    /// covers; nil if it was not computed or something was committed in between.
    case held(SpaceID, HeldSummary, digest: Digest?)
    /// What ``SessionEffect/readSlice(_:after:excluding:maximumBytes:)`` asked for.
    case slice(SpaceID, LogSlice)
    /// What ``SessionEffect/compare(_:_:)`` asked for.
    case compared(SpaceID, HeadComparison)
    /// What became of an ``SessionEffect/apply(_:_:)``; in the order of these effects.
    case applied(SpaceID, ReceiveOutcome)
    /// The log of a space grew, by whatever way, up to this position; `held` is what a peer is to hear of what is
    /// held now, by the names that the store has for chains.
    case advanced(SpaceID, position: Int64, held: VersionVector)
    /// What the node's intake decided, which was told with ``SessionEffect/intake(_:_:)``.
    case intake(SpaceID, IntakeOrder)
    /// This replica was found to have signed two changes of one number, by whatever way: the names of its chains have
    /// changed here. For all sessions of the node, also the one whose ``SessionInput/applied(_:_:)`` said so.
    case forked(SpaceID, ReplicaID)
    /// Receipts that are kept here: all, as ``SessionEffect/readReceipts(_:)`` asked, or those that are new.
    case receipts(SpaceID, [Receipt])
    /// What concerns attachments.
    case blob(BlobInput)
    /// Whether the connection takes more at present.
    case writable(Bool)
    /// Time passed; wanted at ``Session/deadline`` at the latest.
    case tick
    /// The spaces to exchange with this peer are these from now on.
    case spacesChanged([SpaceHead])
    /// The session is to end in good order; nil for a code if there is nothing to say.
    case stop(ErrorCode?, String)
    /// The store could not do what an effect asked for.
    case storeFailed(SpaceID?, ConcordError)
    /// The connection is gone.
    case disconnected
}

/// What a session asks for.
public enum SessionEffect: Hashable, Sendable {
    /// Send this frame, after those before it.
    case send([UInt8])
    /// Answer with ``SessionInput/held(_:_:digest:)``.
    case readHeld(SpaceID)
    /// Answer with ``SessionInput/slice(_:_:)``: runs after this position without those that `excluding`
    /// covers, of about `maximumBytes` together and at least one if there is any.
    case readSlice(SpaceID, after: Int64, excluding: LeftOut, maximumBytes: Int)
    /// Say what these heads of the peer mean here: answer with ``SessionInput/compared(_:_:)``.
    case compare(SpaceID, [ChainHead])
    /// Give these runs to the store, after those before them, and answer with ``SessionInput/applied(_:_:)``.
    case apply(SpaceID, [ChangeRun])
    /// Answer with ``SessionInput/receipts(_:_:)``: all that are kept.
    case readReceipts(SpaceID)
    /// Verify these receipts and keep those that are true and newer than what is kept.
    case receipts(SpaceID, [Receipt])
    /// This node's own replica was written elsewhere, too, by the peer's word: nothing more should be written under it.
    /// Comes with the alarm, at most once in a session. A peer can say so without reason.
    case ownReplicaElsewhere(SpaceID, ReplicaID)
    /// For the node's ``NodeIntake``, which has an ``SessionInput/intake(_:_:)`` for this session as an answer, and
    /// more whenever it likes. A session without such a node has its peer send all.
    case intake(SpaceID, IntakeReport)
    /// What concerns attachments.
    case blob(BlobEffect)
    /// How far the two are apart in a space.
    case progress(SpaceID, Progress)
    /// The peer introduced itself, or its spaces changed.
    case peerHello(PeerHello)
    /// A round trip took this long.
    case roundTrip(Milliseconds)
    /// Something that a person should see; the session goes on.
    case alarm(SpaceID?, ConcordError)
    /// The session is over: flush what was sent, then close. Always the last effect.
    case end(SessionEnd)
}

/// How far two nodes are apart in a space, in changes.
public struct Progress: Hashable, Sendable {
    /// What this side holds and the peer has neither acknowledged nor shown to have.
    public let theyLack: Int64
    /// What the peer said or showed to hold and is not durable here.
    public let weLack: Int64
    /// Whether nothing is missing on either side and nothing waits to be sent.
    public let inStep: Bool
    /// Whether both see the same state: nil until that was compared since the last change.
    public let digestEqual: Bool?
}

/// What the peer said of itself.
public struct PeerHello: Hashable, Sendable {
    /// What it said.
    public let hello: Hello
    /// The protocol level that both speak.
    public let level: UInt64
    /// By how many milliseconds the peer's clock is ahead of ours (the way of the message included).
    public let clockAhead: Milliseconds
    /// The spaces that both named, ascending.
    public let sharedSpaces: [SpaceID]
}

/// How a session ended.
public struct SessionEnd: Hashable, Sendable {
    /// The stable code, also one of a later version; nil if there is none.
    public let code: String?
    /// What happened, without control characters.
    public let sentence: String
    /// What follows for the next attempt.
    public let faultClass: FaultClass
    /// Whether the peer ended it.
    public let byPeer: Bool

    init(code: String?, sentence: String, faultClass: FaultClass, byPeer: Bool) {
        self.code = code
        self.sentence = String(
            String.UnicodeScalarView(
                sentence.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        self.faultClass = faultClass
        self.byPeer = byPeer
    }
}

/// Intervals and sizes of a session; the defaults are those of the protocol.
public struct SessionConfiguration: Hashable, Sendable {
    /// The protocol levels that this side speaks.
    public var levels = SyncLimits.levels
    /// Bytes of changes that may be on their way unacknowledged; at most ``SyncLimits/windowBytes``.
    public var windowBytes = SyncLimits.windowBytes
    /// The optional features that this side knows, ascending.
    public var features: [UTF8Text] = [ReceiptFlow.agreements, Message.packing]
    /// After so long without a word from the peer it is asked for one.
    public var pingInterval: Milliseconds = 15_000
    /// After so long without a word the peer counts as gone.
    public var silenceLimit: Milliseconds = 45_000
    /// How long nothing moves after the two caught up before they compare what they have.
    public var settleInterval: Milliseconds = 250
    /// How often they compare at most, and when nothing else happens: less and less often as long as they agree.
    public var compareInterval: Milliseconds = 60_000
    /// How long nothing moves before they compare, if it is time.
    public var quietInterval: Milliseconds = 5_000
    /// How often they compare at least.
    public var longestCompareInterval: Milliseconds = 600_000
    /// How long what the peer lacks waits for more before it is announced, after some time without announcements.
    public var announceDelay: Milliseconds = 20
    /// After an announcement the next one waits so long.
    public var announceInterval: Milliseconds = 200
    /// How long what the peer need not know at once waits for more, for each peer of this node.
    public var tellInterval: Milliseconds = 1_000
    /// After so long without acknowledgement of what the peer did receive, a new session must sort it out.
    public var stallLimit: Milliseconds = 120_000

    /// The protocol's own values.
    public init() {}
}

/// This side, as it introduces itself.
public struct LocalDescription: Hashable, Sendable {
    /// The name of this node.
    public let nodeName: UTF8Text
    /// A random number of this process.
    public var incarnation: Bytes16
    /// Where this node listens.
    public let addresses: [UTF8Text]
    /// The level of this side's vocabulary.
    public var vocabularyLevel: UInt64
    /// The spaces on whose roster the peer's member stands, as far as this side knows.
    public var spaces: [SpaceHead]

    /// A description of these parts; the spaces are put into order, and what is beyond the limits of a hello
    /// is left out: the end of a long name, addresses after the first sixteen.
    public init(
        nodeName: UTF8Text, incarnation: Bytes16, addresses: [UTF8Text] = [],
        vocabularyLevel: UInt64 = Vocabulary.level, spaces: [SpaceHead]
    ) {
        self.nodeName = UTF8Text(nodeName.string.bounded(toBytes: SyncLimits.nodeNameBytes))
        self.incarnation = incarnation
        self.addresses = Array(
            addresses.filter { $0.byteCount <= SyncLimits.addressBytes }.prefix(SyncLimits.addresses))
        self.vocabularyLevel = vocabularyLevel
        self.spaces = spaces.sorted { $0.space < $1.space }
    }
}
