// Two sessions on a link of a given rate, length and loss, in a time that is only computed: how close their exchange
// comes to what the link allows does not depend on the machine that runs the test.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

/// What a link is like, and what a store takes.
struct TimedShape {
    var bytesPerSecond = 8000
    var roundTrip: Milliseconds = 600
    /// Lost segments of a thousand.
    var lossPerMille = 0
    /// How long a store takes for one frame.
    var commit: Milliseconds = 5
}

/// Two nodes and the link between them. Times are in microseconds since the connection stood.
struct TimedLink {
    private enum Event {
        case frame([UInt8])
        case segment
        case answer(SessionInput)
        case write(count: Int, payload: Int)
    }

    private struct Side {
        var session: Session
        var replica: FakeReplica
        var intake = NodeIntake()
        /// When the line is free for the next segment, and when the last one arrives.
        var freeAt: Int64 = 0
        var lastArrival: Int64 = 0
        var storeFreeAt: Int64 = 0
        var hasReceived = false
    }

    static let headerBytes = 52
    static let segmentBytes = 1448
    /// What TLS and the length of a frame add to it.
    static let recordBytes = 26

    private let shape: TimedShape
    private var sides: [Side]
    private var events: [(at: Int64, side: Int, event: Event)] = []
    private var random: TestRandom
    private(set) var now: Int64 = 0
    /// Bytes that each side has put on the line, with headers.
    private(set) var sentBytes = [0, 0]
    /// The longest that a byte had to wait on each side before it left.
    private(set) var longestQueue: [Int64] = [0, 0]
    private(set) var ends: [SessionEnd] = []
    private(set) var sentTypes: [[UInt64: Int]] = [[:], [:]]

    /// - Parameter packing: whether both sides read packed frames. What these changes hold is more repetitive than what
    ///   people write, so most tests go without.
    init(_ shape: TimedShape, seed: UInt64 = 1, packing: Bool = false) {
        var configuration = SessionConfiguration()
        if !packing { configuration.features = [] }
        self.shape = shape
        random = TestRandom(seed: seed)
        sides = (1...2).map { number in
            Side(
                session: Session(
                    configuration: configuration,
                    local: LocalDescription(
                        nodeName: "node", incarnation: Bytes16(high: 9, low: UInt64(number)),
                        spaces: [SpaceHead(space: testSpace(1))])),
                replica: FakeReplica(number))
        }
    }

    /// What one side holds from now on, before the connection or during it.
    mutating func write(_ side: Int, count: Int, payload: Int) {
        sides[side].replica.write(count, payload: payload)
        let replica = sides[side].replica
        feed(side, .advanced(testSpace(1), position: replica.position, held: replica.vector))
    }

    /// Lets a side write later.
    mutating func plan(_ side: Int, after: Milliseconds, count: Int, payload: Int) {
        schedule(now + after * 1000, side, .write(count: count, payload: payload))
    }

    /// The connection stands.
    mutating func connect() { for side in 0...1 { feed(side, .started(clock: 1_700_000_000_000)) } }

    /// How many changes a side holds.
    func changes(_ side: Int) -> Int { Int(sides[side].replica.position) }

    /// The time that so many bytes take on the line, in milliseconds.
    func time(_ bytes: Int) -> Milliseconds { Int64(bytes) * 1000 / Int64(shape.bytesPerSecond) }

    /// Begins anew to look for the longest wait.
    mutating func forgetQueues() { longestQueue = [0, 0] }

    /// Lets time pass until something holds; gives back how long that took, in milliseconds.
    mutating func run(limit: Milliseconds = 3_600_000, until condition: (TimedLink) -> Bool) -> Milliseconds {
        let start = now
        while !condition(self), now < start + limit * 1000 {
            guard step() else { break }
        }
        #expect(condition(self), "it does not come about")
        return (now - start) / 1000
    }

    private mutating func step() -> Bool {
        let deadlines = sides.compactMap(\.session.deadline) + sides.compactMap(\.intake.deadline)
        let deadline = deadlines.min().map { $0 * 1000 } ?? .max
        guard deadline < .max || !events.isEmpty else { return false }
        guard let first = events.last, first.at <= deadline else {
            now = max(now, deadline)
            for side in 0...1 {
                if sides[side].hasReceived {
                    sides[side].hasReceived = false
                    feed(side, .receiving)
                }
                feed(side, .tick)
                for order in sides[side].intake.tick(now: now / 1000) {
                    schedule(now, side, .answer(order.input))
                }
            }
            return true
        }
        events.removeLast()
        now = max(now, first.at)
        switch first.event {
        case .segment: sides[first.side].hasReceived = true
        case .frame(let bytes): feed(first.side, .frame(bytes))
        case .answer(let input): feed(first.side, input)
        case .write(let count, let payload): write(first.side, count: count, payload: payload)
        }
        return true
    }

    /// Events are kept with the next one last.
    private mutating func schedule(_ at: Int64, _ side: Int, _ event: Event) {
        let index = events.lastIndex { $0.at > at }.map { $0 + 1 } ?? 0
        events.insert((at, side, event), at: index)
    }

    private mutating func feed(_ side: Int, _ input: SessionInput) {
        for effect in sides[side].session.handle(input, now: now / 1000) {
            switch effect {
            case .send(let frame): send(frame, from: side)
            case .end(let end): ends.append(end)
            case .readHeld, .readSlice, .compare, .apply, .readReceipts: answer(effect, side)
            case .receipts, .ownReplicaElsewhere, .progress, .peerHello, .roundTrip, .alarm, .intake, .blob:
                break
            }
            for order in sides[side].intake.handle(effect, of: 0, now: now / 1000) {
                schedule(now, side, .answer(order.input))
            }
        }
    }

    private mutating func answer(_ effect: SessionEffect, _ side: Int) {
        let space = testSpace(1)
        switch effect {
        case .readHeld:
            let (summary, digest) = sides[side].replica.held()
            schedule(now, side, .answer(.held(space, summary, digest: digest)))
        case .readSlice(_, let after, let known, let maximumBytes):
            let slice = sides[side].replica.slice(
                after: after, excluding: known.all, maximumBytes: maximumBytes)
            schedule(now, side, .answer(.slice(space, slice)))
        case .compare(_, let heads):
            schedule(now, side, .answer(.compared(space, sides[side].replica.compare(heads))))
        case .apply(_, let runs):
            sides[side].storeFreeAt = max(sides[side].storeFreeAt, now) + shape.commit * 1000
            let outcome = sides[side].replica.receive(runs)
            schedule(sides[side].storeFreeAt, side, .answer(.applied(space, outcome)))
        default: schedule(now, side, .answer(.receipts(space, [])))
        }
    }

    private mutating func send(_ frame: [UInt8], from side: Int) {
        if let message = try? Message(encoded: frame) { sentTypes[side][message.type, default: 0] += 1 }
        longestQueue[side] = max(longestQueue[side], sides[side].freeAt - now)
        var rest = frame.count + Self.recordBytes
        while rest > 0 {
            let bytes = min(rest, Self.segmentBytes) + Self.headerBytes
            rest -= Self.segmentBytes
            sentBytes[side] += bytes
            let duration = Int64(bytes) * 1_000_000 / Int64(shape.bytesPerSecond)
            sides[side].freeAt = max(sides[side].freeAt, now) + duration
            var arrival = sides[side].freeAt + shape.roundTrip * 500
            // What is lost is sent again a round trip later, and holds up what comes behind it.
            while Int.random(in: 0..<1000, using: &random) < shape.lossPerMille {
                arrival += shape.roundTrip * 1000 + duration
            }
            sides[side].lastArrival = max(sides[side].lastArrival, arrival)
            schedule(sides[side].lastArrival, 1 - side, rest > 0 ? .segment : .frame(frame))
        }
    }
}
