// Who is connected, who should be, and how that goes. One actor owns all of it; sessions run in tasks of their own and
// report here. Between two nodes there is at most one session: of two connections that cross, both sides keep the one
// that the node with the smaller id dialled.

import ConcordAPI
import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import ConcordTransport
import Logging

/// The part of the daemon that exchanges with peers.
actor PeerManager {
    /// What does not change while the daemon runs.
    struct Setting: Sendable {
        let home: NodeHome
        let identity: NodeIdentity
        let configuration: Configuration
        let store: ReplicaStore
        let attachments: AttachmentKeeper
        let backups: BackupKeeper
        let salvaged: SalvagedChanges
        let context: TLSContext
        let trusted: TrustedAuthorities
        let incarnation: Bytes16
        /// Signs the hash of a receipt with the node's key.
        let signReceipt: @Sendable (Digest) throws -> Signature
        let clock: @Sendable () -> Int64
        let release: Release
        let logger: Logger
    }

    /// A running session.
    struct Link {
        let driver: SessionDriver
        let member: MemberID
        let isInitiator: Bool
        let since: Int64
        var hello: PeerHello?
        var progress: [SpaceID: Progress] = [:]
        var roundTrip: Milliseconds?
    }

    /// A node that was met, now or earlier.
    struct Acquaintance {
        var known: KnownPeer
        var health = PeerHealth()
        /// How far behind it was when the last session ended, and how many changes were held here then.
        var lastProgress: [SpaceID: (theyLack: Int64, held: Int64, at: Int64)] = [:]
        var bytesReceived: Int64 = 0
        var bytesSent: Int64 = 0
        /// Whether its side asked for a pause.
        var pausedUs = false
    }

    /// An address that is dialled.
    struct Road {
        /// Tells it from an earlier road to the same address, whose task may still be ending.
        let id: Int
        var task: Task<Void, Never>?
        /// Whether the task is beyond dialling: then it is ended by its session, not cancelled.
        var isCarrying = false
        var backoff = Backoff(cap: PeerLimits.longestWait)
        var health = PeerHealth()
        /// Whose node answered there last; nil until one did.
        var node: NodeID?
        var member: MemberID?
        var isSelf = false
        /// Until when others are dialled rather than this one, in a large network.
        var avoidedUntil: ContinuousClock.Instant?
        var pause: Task<Void, any Error>?
    }

    /// What an alarm is about: it holds until this peer and this node see the same in this space.
    struct AlarmKey: Hashable, Comparable {
        let space: SpaceID
        let node: NodeID
        let code: ErrorCode

        static func < (a: Self, b: Self) -> Bool {
            (a.space, a.node, a.code.rawValue) < (b.space, b.node, b.code.rawValue)
        }
    }

    let setting: Setting
    /// Where the sessions decide from whom this node takes what.
    let intake = IntakeDesk()
    let startedAt: Int64
    var links: [NodeID: Link] = [:]
    var acquaintances: [NodeID: Acquaintance] = [:]
    var roads: [NodeAddress: Road] = [:]
    /// The addresses that people of this node gave.
    var addressesOfPeople: Set<NodeAddress> = []
    var paused: PausedMembers
    var refusals = RefusalCounter()
    var alarms: [AlarmKey: ConcordError] = [:]
    var listening: [String] = []
    var isStopping = false
    /// When a peer's word that this node's replica is written elsewhere was last followed.
    var leftBehindAt: [SpaceID: ContinuousClock.Instant] = [:]
    var nextRoad = 0
    /// Whose node brought the latest receipt of each node since this one started.
    var receiptRoads: [NodeID: MemberID] = [:]
    /// How many stored texts had been found damaged before this daemon started.
    let earlierRepairs: Int64
    private var ownReplicas: [SpaceID: ReplicaID] = [:]
    /// What the table of trusted authorities was made from.
    private var standing: Standing?

    /// A manager that knows what the replica remembers of peers; nothing is dialled before ``start()``.
    init(_ setting: Setting) throws {
        self.setting = setting
        startedAt = setting.clock()
        paused = try setting.store.pausedMembers()
        earlierRepairs = try setting.store.repairedTexts()
        for peer in try setting.store.peers() where peer.node != setting.identity.nodeID {
            acquaintances[peer.node] = Acquaintance(known: peer)
        }
    }

    // MARK: Life

    /// Begins to dial. Call it once the node listens.
    func start(listening: [String]) {
        self.listening = listening
        refreshTrust()
        redial()
    }

    /// Ends all sessions in good order and stops dialling.
    func stop() async {
        isStopping = true
        for road in roads.values {
            road.pause?.cancel()
            if !road.isCarrying { road.task?.cancel() }
        }
        for link in links.values { link.driver.submit(.stop(nil, "this node stops")) }
        while let task = serving.first?.value {
            await task.value
        }
        for task in roads.values.compactMap(\.task) { await task.value }
    }

    /// Takes over a connection that a peer dialled.
    func accept(_ connection: FrameConnection) {
        let id = nextServing
        nextServing += 1
        serving[id] = Task {
            _ = await serve(connection, road: nil)
            serving[id] = nil
        }
    }

    private var serving: [Int: Task<Void, Never>] = [:]
    private var nextServing = 0

    /// Counts a connection that TLS refused.
    func refused(_ error: TransportError, address: String) {
        let error = ConcordError(error)
        refusals.count(error, address: address, at: setting.clock())
        setting.logger.notice(
            "connection refused",
            metadata: ["peer": "\(address)", "code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }

    /// The log of a space grew: sessions pass it on, and the roster may have changed.
    func advanced(_ space: SpaceID, position: Int64) {
        for link in links.values { link.driver.advanced(space, position: position) }
        refreshTrust()
        announceOwnReplica(in: space)
    }

    // MARK: Trust

    /// Tells the sessions of a space when this node wrote there for the first time, or under a new id.
    private func announceOwnReplica(in space: SpaceID) {
        do {
            guard let replica = try setting.store.ownHead(space)?.replica,
                ownReplicas.updateValue(replica, forKey: space) != replica
            else { return }
            for link in links.values {
                let heads = try spaceHeads(for: link.member)
                if heads.contains(where: { $0.space == space }) {
                    link.driver.submit(.spacesChanged(heads))
                }
            }
        } catch {
            report("this node's own replica cannot be read", ConcordError(wrapping: error))
        }
    }

    /// Reads who stands on which roster; ends sessions of members that are gone, tells the others what is shared.
    func refreshTrust() {
        let standing = setting.store.standing
        guard standing != self.standing else { return }
        do {
            let changed = setting.trusted.replace(with: try setting.store.trustedAuthorities())
            for (node, link) in links where changed.contains(link.member) {
                if setting.trusted.authority(of: link.member) == nil {
                    link.driver.submit(.stop(.unknownAuthority, "the member is no longer on a shared roster"))
                } else if !setting.trusted.isWelcome(node, of: link.member) {
                    link.driver.submit(.stop(.peerSuspended, "the member is suspended, or its node revoked"))
                } else {
                    link.driver.submit(.spacesChanged(try spaceHeads(for: link.member)))
                }
            }
            self.standing = standing
            if !changed.isEmpty { redialAtOnce() }
        } catch {
            report("the roster cannot be read", ConcordError(wrapping: error))
        }
    }

    /// The spaces that are exchanged with a member's nodes, with this node's own replica and head in each.
    func spaceHeads(for member: MemberID) throws -> [SpaceHead] {
        try (setting.trusted.authority(of: member)?.spaces ?? []).map { space in
            guard let head = try setting.store.ownHead(space) else { return SpaceHead(space: space) }
            return SpaceHead(
                space: space, replica: head.replica, head: .init(sequence: head.sequence, hash: head.hash))
        }
    }

    func isPaused(_ member: MemberID) -> Bool { paused.all || paused.members.contains(member) }

    func report(_ message: String, _ error: ConcordError) {
        setting.logger.error(
            "\(message)", metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.message)"])
    }
}
