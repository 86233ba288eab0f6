// An honest node in a session with the enemy: the true state machine over a true store, and instead of a connection
// whatever the enemy says.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Testing

@testable import TestSupport

/// One side of a session, whose other side the test speaks.
struct Victim {
    let site: Site
    private var session: Session
    private(set) var sent: [Message] = []
    private(set) var alarms: [ConcordError] = []
    /// Own replicas that were left behind.
    private(set) var retired: [ReplicaID] = []
    private(set) var receipts: [Receipt] = []
    private(set) var end: SessionEnd?
    private(set) var progress: Progress?
    private var now: Milliseconds = 1_000

    init(_ site: Site) async throws {
        self.site = site
        session = Session(
            local: LocalDescription(
                nodeName: "victim", incarnation: Bytes16(high: 1, low: 1),
                spaces: [try Self.head(of: site)]))
        try await feed(.started(clock: 1_700_000_000_000))
    }

    private static func head(of site: Site) throws -> SpaceHead {
        let own = try site.store.ownHead(site.space)
        return SpaceHead(
            space: site.space, replica: own?.replica,
            head: own.map { SpaceHead.Head(sequence: $0.sequence, hash: $0.hash) })
    }

    /// Speaks to the node.
    mutating func hear(_ messages: Message...) async throws {
        for message in messages { try await feed(.frame(message.encoded())) }
    }

    /// Speaks to the node in bytes.
    mutating func hear(frame: [UInt8]) async throws { try await feed(.frame(frame)) }

    /// Greets, and says to hold these heads and nothing else.
    mutating func meet(holding heads: [ChainHead] = [], hash: Digest = SHA256.hash([])) async throws {
        let hello = Hello(
            vocabularyLevel: Vocabulary.level, incarnation: Bytes16(high: 6, low: 6),
            clock: 1_700_000_000_000,
            nodeName: "enemy", addresses: [], spaces: [SpaceHead(space: site.space)])
        try await hear(
            .hello(hello), .summary(site.space, Summary(heldHash: hash, digest: nil, changeCount: 0)),
            .vector(site.space, heads.sorted()))
    }

    /// The site wrote something under another replica.
    mutating func noteOwnReplica() async throws { try await feed(.spacesChanged([try Self.head(of: site)])) }

    /// Lets time pass.
    mutating func wait(_ milliseconds: Milliseconds) async throws {
        now += milliseconds
        try await feed(.tick)
    }

    private mutating func feed(_ input: SessionInput) async throws {
        var waiting = [input]
        while !waiting.isEmpty {
            for effect in session.handle(waiting.removeFirst(), now: now) {
                if let answer = try await carryOut(effect) { waiting.append(answer) }
            }
        }
    }

    private mutating func carryOut(_ effect: SessionEffect) async throws -> SessionInput? {
        let store = site.store
        switch effect {
        case .send(let frame): sent.append(try Message(encoded: frame))
        case .readHeld(let space):
            let (summary, digest) = try await store.heldForPeer(space)
            return .held(space, summary, digest: digest)
        case .readSlice(let space, let position, let known, let maximumBytes):
            return .slice(
                space, try store.slice(space, after: position, excluding: known, maximumBytes: maximumBytes))
        case .compare(let space, let heads):
            return .compared(space, try await store.compare(heads, in: space))
        case .apply(let space, let runs): return .applied(space, try await store.receive(runs, in: space))
        case .readReceipts(let space): return .receipts(space, [])
        case .receipts(_, let new): receipts += new
        case .ownReplicaElsewhere(let space, let replica):
            try await store.retire(replica, in: space)
            retired.append(replica)
        case .alarm(_, let error): alarms.append(error)
        case .progress(_, let progress): self.progress = progress
        case .end(let end): self.end = end
        case .peerHello, .roundTrip, .intake, .blob: break
        }
        return nil
    }
}
