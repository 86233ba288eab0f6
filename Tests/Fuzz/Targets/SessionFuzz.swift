// A session whose peer, connection and own node do what the bytes say. Whatever comes, the session sends only frames that
// can be read, holds no more than its limits allow, and says nothing after its end.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport

struct SessionFuzz {
    private var session: Session
    private var own = FakeReplica(1)
    private var peer = FakeReplica(2)
    private var now: Milliseconds = 5_000
    private var isOver = false
    private var orders: UInt64 = 0
    private var pending: [SessionEffect] = []
    private let space = testSpace(1)

    /// What the peer, or whoever else, does next.
    private enum Step: Int, CaseIterable {
        case frame, hello, summary, vector, changes, acknowledge, sketch, announce, want, piece
        case time, writable, write, peerWrites, order, answer, stop, spaces
    }

    private init() {
        session = Session(
            local: LocalDescription(
                nodeName: "fuzzed", incarnation: Bytes16(high: 1, low: 1),
                spaces: [SpaceHead(space: testSpace(1), replica: testReplica(1))]))
        own.write(3, payload: 10)
        peer.write(3, payload: 10)
    }

    static func run(_ bytes: [UInt8]) {
        var fuzz = SessionFuzz()
        var input = FuzzInput(bytes)
        fuzz.feed(.started(clock: 1_700_000_000_000))
        while !input.isAtEnd, !fuzz.isOver { fuzz.step(&input) }
    }

    /// Conversations that begin well.
    static var seeds: [[UInt8]] {
        func step(_ step: Step) -> UInt8 { UInt8(step.rawValue) }
        let begin = [step(.hello), step(.answer), step(.summary), 0, step(.vector), 0]
        return [
            begin + [step(.answer), step(.changes), 0, step(.acknowledge), step(.time), 1, 0],
            begin + [step(.write), step(.answer), step(.want), 1, 2, step(.order), step(.piece), 0, 8],
            [step(.hello), step(.frame), 0, 6, 0x82, 0x08, 0x18, 0x2A, 0, 0, step(.stop)],
        ]
    }

    // MARK: Steps

    private mutating func step(_ input: inout FuzzInput) {
        switch Step.allCases[input.number(below: Step.allCases.count)] {
        case .frame: feed(.frame(input.bytes(upTo: 4096)))
        case .hello: say(hello)
        case .summary:
            let (held, digest) = peer.held()
            say(
                .summary(
                    space,
                    Summary(
                        heldHash: input.byte() & 1 == 0 ? held.hash : SHA256.hash([]), digest: digest,
                        changeCount: UInt64(input.byte()))))
        case .vector: say(.vector(space, input.byte() & 1 == 0 ? peer.held().summary.heads : heads(&input)))
        case .changes: sayChanges(&input)
        case .acknowledge: say(.acknowledge(space, vector(&input)))
        case .sketch: feed(.frame(input.bytes(upTo: 256)))
        case .announce: say(.announce(space, vector(&input)))
        case .want:
            let first = UInt64(input.byte())
            let span = ChainSpan(
                chain: testReplica(input.number(below: 4)), from: first, upTo: first + UInt64(input.byte()))
            say(.want(space, [span]))
        case .piece:
            say(
                .blob(
                    .piece(
                        place(&input),
                        BlobBytes(input.bytes(upTo: 64), of: Int64(input.byte()) << 4))))
        case .time: pass(Milliseconds(input.number(below: 1 << 16)))
        case .writable: feed(.writable(input.byte() & 1 == 0))
        case .write:
            own.write(input.number(below: 4) + 1, payload: input.number(below: 600))
            feed(.advanced(space, position: own.position, held: own.vector))
        case .peerWrites: peer.write(input.number(below: 4) + 1, payload: input.number(below: 600))
        case .order:
            orders += 1
            feed(
                .blob(
                    .fetch(BlobOrder(id: orders, place: place(&input), byteCount: Int64(input.byte()) + 1))))
        case .answer: answer()
        case .stop: feed(.stop(nil, "stopped"))
        case .spaces:
            let spaces = input.byte() & 1 == 0 ? [] : [SpaceHead(space: space, replica: testReplica(1))]
            feed(.spacesChanged(spaces))
        }
    }

    private var hello: Message {
        .hello(
            Hello(
                features: [Message.packing], vocabularyLevel: Vocabulary.level,
                incarnation: Bytes16(high: 1, low: 2), clock: 1_700_000_000_100, nodeName: "peer",
                addresses: [], spaces: [SpaceHead(space: space, replica: testReplica(2))]))
    }

    private mutating func sayChanges(_ input: inout FuzzInput) {
        let runs = peer.slice(after: 0, excluding: VersionVector(), maximumBytes: 1 << 16).runs
        guard input.byte() & 1 == 1, let first = runs.first else { return say(.changes(space, runs)) }
        let strange = ChangeRun(
            replica: testReplica(input.number(below: 4)), firstSequence: UInt64(input.byte()) + 1,
            previous: first.previous, changes: [input.bytes(upTo: 128)], signature: testSignature)
        say(.changes(space, runs + [strange]))
    }

    private func heads(_ input: inout FuzzInput) -> [ChainHead] {
        var heads: [ChainHead] = []
        for number in 1...input.number(below: 4) + 1 {
            let mark = Bytes16(high: UInt64(input.byte()), low: UInt64(input.byte()))
            heads.append(ChainHead(Dot(testReplica(number), UInt64(input.byte()) + 1), mark: mark))
        }
        return heads.sorted()
    }

    private func vector(_ input: inout FuzzInput) -> VersionVector {
        VersionVector((0..<input.number(below: 4)).map { Dot(testReplica($0), UInt64(input.byte()) + 1) })
    }

    private func place(_ input: inout FuzzInput) -> BlobPlace {
        BlobPlace(
            space: space, blob: BlobID(SHA256.hash([UInt8(input.number(below: 3))])),
            part: input.byte() & 1 == 0 ? .content : .manifest, offset: Int64(input.byte()) << 3)
    }

    // MARK: The session's surroundings

    private mutating func say(_ message: Message) { feed(.frame(message.encoded())) }

    private mutating func pass(_ time: Milliseconds) {
        let until = now + time
        while !isOver, let deadline = session.deadline, deadline <= until {
            always(deadline > now - 1 || deadline <= now, "a deadline is a time")
            now = max(now + 1, deadline)
            feed(.tick)
        }
        now = max(now, until)
    }

    private mutating func feed(_ input: SessionInput) {
        guard !isOver else { return }
        let effects = session.handle(input, now: now)
        always(effects.count < 100_000, "an input has a bounded effect")
        for (index, effect) in effects.enumerated() {
            switch effect {
            case .send(let frame):
                always(frame.count <= SyncLimits.frameBytes, "a frame keeps its limit")
                always((try? Message(encoded: frame)) != nil, "a frame that is sent can be read")
            case .end:
                always(index == effects.count - 1, "the end is the last effect")
                isOver = true
            default: pending.append(effect)
            }
        }
        always(session.isEnded == isOver, "a session that is over says so")
        always(
            waitingBytes <= SyncLimits.windowBytes + 2 * SyncLimits.frameBytes,
            "no more waits than the window")
    }

    /// Bytes of changes that were handed over and are not answered.
    private var waitingBytes: Int {
        pending.reduce(0) { sum, effect in
            guard case .apply(_, let runs) = effect else { return sum }
            return sum + runs.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Answers everything that was asked for, in its order.
    private mutating func answer() {
        let asked = pending
        pending = []
        for effect in asked where !isOver {
            switch effect {
            case .readHeld(let space):
                let (summary, digest) = own.held()
                feed(.held(space, summary, digest: digest))
            case .readSlice(let space, let position, let known, let maximum):
                let slice = own.slice(after: position, excluding: known.all, maximumBytes: maximum)
                feed(.slice(space, slice))
            case .compare(let space, let heads): feed(.compared(space, own.compare(heads)))
            case .apply(let space, let runs):
                let outcome = own.receive(runs)
                feed(.applied(space, outcome))
                if outcome.applied > 0 { feed(.advanced(space, position: own.position, held: own.vector)) }
            case .readReceipts(let space): feed(.receipts(space, []))
            case .blob(.read(let place, let count)):
                let bytes = BlobBytes([UInt8](repeating: 7, count: count), of: 1 << 20)
                feed(.blob(.read(place, bytes)))
            case .blob(.store(let order, _, let bytes)):
                feed(.blob(.stored(order, byteCount: bytes.bytes.count)))
            default: break
            }
        }
    }
}
