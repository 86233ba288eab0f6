// A session under test with a scripted peer, for tests of single rules.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

/// A session under test with a scripted peer.
struct Probe {
    var session: Session
    var effects: [SessionEffect] = []
    var now: Milliseconds = 5_000
    var replica = FakeReplica(1)
    var answersComparisons = true
    var answersReadings = true

    init(spaces: [SpaceID] = [testSpace(1)]) {
        session = Session(
            local: LocalDescription(
                nodeName: "probe", incarnation: Bytes16(high: 1, low: 1),
                spaces: spaces.map { SpaceHead(space: $0, replica: testReplica(1)) }))
        replica.write(2, payload: 10)
        feed(.started(clock: 1_700_000_000_000))
    }

    static func hello(
        _ spaces: [SpaceID] = [testSpace(1)], levels: ClosedRange<UInt64> = 0...0, incarnation: UInt64 = 2,
        replica: ReplicaID? = nil
    ) -> Message {
        .hello(
            Hello(
                levels: levels, vocabularyLevel: Vocabulary.level,
                incarnation: Bytes16(high: 1, low: incarnation), clock: 1_700_000_000_100, nodeName: "peer",
                addresses: [], spaces: spaces.sorted().map { SpaceHead(space: $0, replica: replica) }))
    }

    mutating func feed(_ input: SessionInput) {
        for effect in session.handle(input, now: now) {
            effects.append(effect)
            switch effect {
            case .readHeld(let space) where answersReadings:
                let (summary, digest) = replica.held()
                feed(.held(space, summary, digest: digest))
            case .compare(let space, let heads) where answersComparisons:
                feed(.compared(space, replica.compare(heads)))
            default: break
            }
        }
    }

    mutating func say(_ messages: Message...) { for message in messages { feed(.frame(message.encoded())) } }

    /// As far as both know each other's vectors: the peer has nothing.
    mutating func startStreaming() {
        say(
            Self.hello(),
            .summary(testSpace(1), Summary(heldHash: SHA256.hash([]), digest: nil, changeCount: 0)),
            .vector(testSpace(1), []))
    }

    var end: SessionEnd? { if case .end(let end)? = effects.last { end } else { nil } }

    var sent: [Message] {
        effects.compactMap { if case .send(let frame) = $0 { try? Message(encoded: frame) } else { nil } }
    }
    var alarms: [ErrorCode] {
        effects.compactMap { if case .alarm(_, let error) = $0 { error.code } else { nil } }
    }

    var retired: [ReplicaID] {
        effects.compactMap { if case .ownReplicaElsewhere(_, let replica) = $0 { replica } else { nil } }
    }

    func expectEnd(
        _ code: ErrorCode, _ faultClass: FaultClass = .fault,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(end?.code == code.rawValue, sourceLocation: sourceLocation)
        #expect(end?.faultClass == faultClass, sourceLocation: sourceLocation)
        #expect(end?.byPeer == false, sourceLocation: sourceLocation)
        guard case .error(let told, let toldClass, _)? = sent.last else {
            Issue.record("the peer is not told", sourceLocation: sourceLocation)
            return
        }
        #expect(told.string == code.rawValue && toldClass == faultClass, sourceLocation: sourceLocation)
        #expect(session.isEnded, sourceLocation: sourceLocation)
    }
}

func testRun(_ first: UInt64 = 1, replica: Int = 2, bytes: Int = 10) -> ChangeRun {
    ChangeRun(
        replica: testReplica(replica), firstSequence: first, previous: Bytes16(high: 0, low: first),
        changes: [[UInt8](repeating: 0, count: bytes)], signature: testSignature)
}

func testHead(_ replica: ReplicaID, _ sequence: UInt64) -> ChainHead {
    ChainHead(Dot(replica, sequence), mark: Bytes16(high: 77, low: sequence))
}
