// What a session tells the node's intake, and what it is told. See Intake.

import ConcordModel

/// What a session knows that bears on whom this node takes the changes of one space from.
public struct IntakeReport: Hashable, Sendable {
    /// How far the session has come.
    public enum Stage: Hashable, Sendable {
        /// The two have not found out yet whether they hold the same.
        case opening
        /// They hold different changes, and it is not known yet which.
        case comparing
        /// It is known what the peer holds.
        case streaming
    }

    /// How far the session has come.
    public let stage: Stage
    /// What the peer holds and this node does not: of each chain the last change that the peer has.
    public let lacking: VersionVector
    /// What this node holds of these chains.
    public let holding: VersionVector
    /// What came from the peer and is not durable here yet.
    public let receiving: VersionVector
    /// The replica under which the peer writes.
    public let author: ReplicaID?
    /// Whether changes came from this peer that wait for others.
    public let isIncomplete: Bool
    /// How many frames of changes came from this peer so far.
    public let frames: Int
    /// How long a round trip took last; nil until it was measured.
    public let roundTrip: Milliseconds?
}

/// What a session is to do for the node's intake.
public struct IntakeOrder: Hashable, Sendable {
    /// What the peer should send unasked.
    public var mode = FlowMode.all
    /// Up to where the peer is to be asked for changes now.
    public var wanted = VersionVector()
    /// How many peers share the space with this node: the more there are, the more seldom each is told what it need
    /// not know at once.
    public var peers = 1
    /// Orders of a node ascend: one that comes after a later one says nothing but what is to be asked for.
    public var number: UInt64 = 0

    /// The order of a node with one peer.
    public init() {}
}

/// The intakes of all spaces of a node: it is handed every effect of every session, and says what to tell which.
public struct NodeIntake: Sendable {
    /// Something to hand to a session.
    public struct Instruction: Hashable, Sendable {
        /// The number of the session.
        public let link: Int
        /// What to hand to it.
        public let input: SessionInput
    }

    private var intakes: [SpaceID: Intake] = [:]

    /// The intake of a node without sessions.
    public init() {}

    /// When a ``tick(now:)`` is wanted at the latest; nil if none is.
    public var deadline: Milliseconds? { intakes.values.compactMap(\.deadline).min() }

    /// Learns what a session asks for; most effects are nothing to it.
    ///
    /// - Parameter link: the number of the session, never given to another one.
    public mutating func handle(_ effect: SessionEffect, of link: Int, now: Milliseconds) -> [Instruction] {
        switch effect {
        case .intake(let space, let report):
            return instruct(space) { $0.report(report, of: link, now: now) }
        case .peerHello(let hello):
            let gone = intakes.keys.filter { !hello.sharedSpaces.contains($0) }
            return gone.sorted().flatMap { space in instruct(space) { $0.close(link, now: now) } }
        case .end: return close(link, now: now)
        default: return []
        }
    }

    /// A session is over, or its connection is gone.
    public mutating func close(_ link: Int, now: Milliseconds) -> [Instruction] {
        intakes.keys.sorted().flatMap { space in instruct(space) { $0.close(link, now: now) } }
    }

    /// Time passed.
    ///
    /// - Parameter moving: the sessions in which nothing but parts of a long frame have come since the last time.
    public mutating func tick(now: Milliseconds, moving: Set<Int> = []) -> [Instruction] {
        intakes.keys.sorted().flatMap { space in instruct(space) { $0.tick(now: now, moving: moving) } }
    }

    private mutating func instruct(_ space: SpaceID, _ body: (inout Intake) -> [Int: IntakeOrder])
        -> [Instruction]
    {
        var intake = intakes.removeValue(forKey: space) ?? Intake()
        let orders = body(&intake)
        if !intake.isEmpty { intakes[space] = intake }
        return orders.sorted { $0.key < $1.key }.map {
            Instruction(link: $0.key, input: .intake(space, $0.value))
        }
    }
}
