// Two sessions on a link with a rate and a delay, in simulated time: bytes leave one after the other and arrive later,
// as over a satellite. Stores answer at once; what takes time is the road alone.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

struct BlobLink {
    private enum Event {
        case arrival(side: Int, frame: [UInt8])
        case write(side: Int)
        case tick(side: Int)
    }

    private struct Side {
        var session: Session
        var replica: FakeReplica
        /// When the link has sent what it was given.
        var intake = NodeIntake()
        var freeAt: Milliseconds = 0
        var end: SessionEnd?
    }

    let space = testSpace(1)
    let bytesPerSecond: Int
    /// One way.
    let delay: Milliseconds
    /// The file that the first side has.
    let file: [UInt8]
    let blob = BlobID(SHA256.hash([7]))
    private var sides: [Side]
    private var events: [(at: Milliseconds, number: Int, event: Event)] = []
    private var nextNumber = 0
    private(set) var now: Milliseconds = 0
    /// What the second side has of the file, and when which change arrived there.
    private(set) var received: [UInt8] = []
    private(set) var changeDelays: [Milliseconds] = []
    private var writtenAt: [Milliseconds] = []
    private(set) var pieceSizes: [Int] = []
    private var nextOrder: UInt64 = 1
    private var ordered = 0
    /// The largest number of bytes that were on their way to the second side at once.
    private(set) var longestQueue: Milliseconds = 0

    init(bytesPerSecond: Int, delay: Milliseconds, fileBytes: Int) {
        self.bytesPerSecond = bytesPerSecond
        self.delay = delay
        file = (0..<fileBytes).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        sides = (0...1).map { side in
            Side(
                session: Session(
                    local: LocalDescription(
                        nodeName: "node", incarnation: Bytes16(high: 3, low: UInt64(side)),
                        spaces: [SpaceHead(space: testSpace(1), replica: testReplica(side + 1))])),
                replica: FakeReplica(side + 1))
        }
        for side in 0...1 { feed(side, .started(clock: 1_700_000_000_000)) }
    }

    /// Writes a change at the first side at a time to come.
    mutating func write(at moment: Milliseconds) { add(.write(side: 0), at: moment) }

    /// Runs until the file has come or it takes too long.
    mutating func run(atMost limit: Milliseconds) {
        while received.count < file.count || changeDelays.count < writtenAt.count, let next = takeNext(),
            next.at <= limit
        {
            now = next.at
            switch next.event {
            case .arrival(let side, let frame): feed(side, .frame(frame))
            case .write(let side):
                sides[side].replica.write(1, payload: 40)
                writtenAt.append(now)
                let replica = sides[side].replica
                feed(side, .advanced(space, position: replica.position, held: replica.vector))
            case .tick(let side):
                if let deadline = sides[side].session.deadline, deadline <= now { feed(side, .tick) }
                if let deadline = sides[side].session.deadline {
                    add(.tick(side: side), at: max(now + 1, deadline))
                }
            }
        }
        #expect(sides.allSatisfy { $0.end == nil })
    }

    // MARK: Parts

    private mutating func add(_ event: Event, at moment: Milliseconds) {
        events.append((moment, nextNumber, event))
        nextNumber += 1
    }

    private mutating func takeNext() -> (at: Milliseconds, event: Event)? {
        guard
            let index = events.indices.min(by: {
                (events[$0].at, events[$0].number) < (events[$1].at, events[$1].number)
            })
        else { return nil }
        let next = events.remove(at: index)
        return (next.at, next.event)
    }

    private mutating func feed(_ side: Int, _ input: SessionInput) {
        var waiting = [input]
        while !waiting.isEmpty {
            for effect in sides[side].session.handle(waiting.removeFirst(), now: now) {
                if let answer = carryOut(effect, side) { waiting.append(answer) }
                waiting += sides[side].intake.handle(effect, of: 0, now: now).map(\.input)
            }
        }
        if case .started = input, let deadline = sides[side].session.deadline {
            add(.tick(side: side), at: deadline)
        }
    }

    private mutating func carryOut(_ effect: SessionEffect, _ side: Int) -> SessionInput? {
        switch effect {
        case .send(let frame):
            let started = max(now, sides[side].freeAt)
            // With the length, and about what TLS and TCP add.
            let bytes = frame.count + 70
            sides[side].freeAt = started + Int64(bytes * 1000 / bytesPerSecond)
            if side == 0 { longestQueue = max(longestQueue, sides[side].freeAt - now) }
            add(.arrival(side: 1 - side, frame: frame), at: sides[side].freeAt + delay)
        case .readHeld:
            let (summary, digest) = sides[side].replica.held()
            return .held(space, summary, digest: digest)
        case .readSlice(_, let after, let known, let maximumBytes):
            return .slice(
                space,
                sides[side].replica.slice(after: after, excluding: known.all, maximumBytes: maximumBytes))
        case .compare(_, let heads): return .compared(space, sides[side].replica.compare(heads))
        case .apply(_, let runs):
            let outcome = sides[side].replica.receive(runs)
            for _ in 0..<outcome.applied { changeDelays.append(now - writtenAt[changeDelays.count]) }
            return .applied(space, outcome)
        case .readReceipts: return .receipts(space, [])
        case .blob(let effect): return carryOut(effect, side).map { .blob($0) }
        case .end(let end): sides[side].end = end
        case .receipts, .intake, .ownReplicaElsewhere, .progress, .peerHello, .roundTrip, .alarm: break
        }
        return nil
    }

    private mutating func carryOut(_ effect: BlobEffect, _ side: Int) -> BlobInput? {
        switch effect {
        case .read(let place, let byteCount):
            let start = Int(place.offset)
            return .read(
                place,
                BlobBytes(Array(file[start..<min(start + byteCount, file.count)]), of: Int64(file.count)))
        case .store(let order, let place, let bytes):
            #expect(place.offset == Int64(received.count))
            received += bytes.bytes
            pieceSizes.append(bytes.bytes.count)
            return .stored(order, byteCount: bytes.bytes.count)
        case .room:
            guard side == 1, ordered < file.count else { return nil }
            let length = min(BlobLimits.smallestChunkBytes, file.count - ordered)
            let place = BlobPlace(space: space, blob: blob, part: .content, offset: Int64(ordered))
            ordered += length
            defer { nextOrder += 1 }
            return .fetch(BlobOrder(id: nextOrder, place: place, byteCount: Int64(length)))
        case .lacking, .holding: return nil
        }
    }
}
