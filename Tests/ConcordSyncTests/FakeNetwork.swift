// Nodes with fake stores and real sessions on links that deliver bytes in order until they are cut at any
// byte. What happens next is drawn from a seed; what a session may never do is checked at every frame.

import ConcordCrypto
import ConcordModel
import ConcordSync
import SyncSupport
import Testing

/// One end of a connection.
struct End {
    /// The number of the session, for the node's intake.
    let number: Int
    var session: Session
    var tasks: [SessionEffect] = []
    var advances: [SessionInput] = []
    /// Bytes on the way to the other end, each frame behind its length.
    var wire: [[UInt8]] = []
    var queuedBytes: Int { wire.reduce(0) { $0 + $1.count } }
    var isWritable = true
    var end: SessionEnd?
    var progress: [SpaceID: Progress] = [:]
    var alarms: [ConcordError] = []
    var sentDots: [SpaceID: Set<Dot>] = [:]
    var sentFrames: [(space: SpaceID, last: VersionVector, bytes: Int)] = []
    /// What the other end said to hold when this connection began.
    var toldByOther: [SpaceID: VersionVector] = [:]
    var sentReceipts: [SpaceID: [Receipt]] = [:]
    var sentTypes: [UInt64: Int] = [:]
    var sentBytes = 0
}

struct Link {
    let nodes: (Int, Int)
    var ends: (End, End)?

    subscript(side: Int) -> End {
        get { side == 0 ? ends!.0 : ends!.1 }
        _modify { if side == 0 { yield &ends!.0 } else { yield &ends!.1 } }
    }

    func node(_ side: Int) -> Int { side == 0 ? nodes.0 : nodes.1 }
}

struct FakeNetwork {
    var replicas: [[SpaceID: FakeReplica]]
    var links: [Link]
    var random: TestRandom
    var now: Milliseconds = 1_000_000
    var configuration = SessionConfiguration()
    /// Above this many queued bytes an end is told that it is not writable.
    var highWater = 256 << 10
    /// How much time a step takes.
    var pace: ClosedRange<Int64> = 0...3
    private var incarnation: UInt64 = 0
    private var intakes: [NodeIntake]
    /// How often each node was sent each change.
    private(set) var received: [[SpaceID: [Dot: Int]]]
    /// Own replicas that were found to be written elsewhere, too.
    private(set) var retired: [ReplicaID] = []
    /// Nodes that go on under such a replica.
    var equivocators: Set<Int> = []
    /// Whether nothing may be sent that the peer has: where one number stands for two changes, and names change, that
    /// can happen.
    var sendsOnlyNews: Bool
    /// How sessions ended, other than by a cut.
    private(set) var ends: [SessionEnd] = []

    /// - Parameter clones: which nodes write under the replica of another one.
    init(
        nodes: Int, spaces: [SpaceID] = [testSpace(1)], links: [(Int, Int)], clones: [Int: Int] = [:],
        seed: UInt64
    ) {
        replicas = (0..<nodes).map { node in
            var spacesOfNode: [SpaceID: FakeReplica] = [:]
            for space in spaces {
                spacesOfNode[space] = FakeReplica(node + 1, copyOf: clones[node].map { $0 + 1 })
            }
            return spacesOfNode
        }
        intakes = [NodeIntake](repeating: NodeIntake(), count: nodes)
        received = [[SpaceID: [Dot: Int]]](repeating: [:], count: nodes)
        sendsOnlyNews = clones.isEmpty
        self.links = links.map { Link(nodes: $0) }
        random = TestRandom(seed: seed)
    }

    mutating func connect(_ link: Int) {
        guard links[link].ends == nil else { return }
        links[link].ends = (makeEnd(link, 0), makeEnd(link, 1))
        for side in 0...1 { feed(link, side, .started(clock: now + 1_700_000_000_000)) }
    }

    /// Cuts a link after the bytes that are still to arrive, drawn for both directions.
    mutating func cut(_ link: Int) {
        for side in 0...1 where links[link].ends != nil {
            var left = Int.random(in: 0...max(1, links[link][side].queuedBytes), using: &random)
            while links[link].ends != nil, let frame = links[link][side].wire.first, frame.count + 4 <= left {
                left -= frame.count + 4
                deliver(link, from: side)
            }
        }
        let closed = links[link].ends.map { [$0.0.number, $0.1.number] } ?? []
        links[link].ends = nil
        for (side, number) in closed.enumerated() {
            let node = links[link].node(side)
            instruct(node, intakes[node].close(number, now: now))
        }
    }

    mutating func write(_ node: Int, _ space: SpaceID = testSpace(1), count: Int = 1, payload: Int = 40) {
        replicas[node][space]!.write(count, payload: payload)
        announceAdvance(node, space)
    }

    /// One random step; false if there is nothing to do but wait.
    mutating func step() -> Bool {
        var choices: [(Int, Int, Int)] = []
        for (index, link) in links.enumerated() where link.ends != nil {
            for side in 0...1 {
                if !link[side].wire.isEmpty { choices.append((index, side, 0)) }
                if !link[side].tasks.isEmpty { choices.append((index, side, 1)) }
                if !link[side].advances.isEmpty { choices.append((index, side, 2)) }
            }
        }
        guard let (link, side, kind) = choices.randomElement(using: &random) else { return false }
        now += Int64.random(in: pace, using: &random)
        switch kind {
        case 0: deliver(link, from: side)
        case 1: work(link, side)
        default: feed(link, side, links[link][side].advances.removeFirst())
        }
        return true
    }

    /// Lets time pass up to the next deadline of a session.
    mutating func wait(atMost: Milliseconds = .max) {
        var deadline = atMost == .max ? Milliseconds.max : now + atMost
        for link in links where link.ends != nil {
            for side in 0...1 { deadline = min(deadline, link[side].session.deadline ?? .max) }
        }
        for intake in intakes { deadline = min(deadline, intake.deadline ?? .max) }
        guard deadline != .max else { return }
        now = max(now, deadline)
        for link in links.indices { for side in 0...1 { feed(link, side, .tick) } }
        for node in intakes.indices { instruct(node, intakes[node].tick(now: now)) }
    }

    /// Runs until nothing is left to do.
    mutating func settle(limit: Int = 100_000) {
        for _ in 0..<limit where !step() { return }
        Issue.record("the exchange does not come to rest")
    }

    mutating func feed(_ link: Int, _ side: Int, _ input: SessionInput) {
        guard links[link].ends != nil, links[link][side].end == nil else { return }
        let effects = links[link][side].session.handle(input, now: now)
        let (node, number) = (links[link].node(side), links[link][side].number)
        for effect in effects {
            carryOut(effect, link, side)
            instruct(node, intakes[node].handle(effect, of: number, now: now))
        }
        checkWindow(link, side)
        updateWritable(link, side)
        if links[link].ends != nil, links[link][side].end != nil {
            // What was sent before the end still arrives.
            while links[link].ends != nil, !links[link][side].wire.isEmpty { deliver(link, from: side) }
        }
    }

    // MARK: Parts

    private mutating func makeEnd(_ link: Int, _ side: Int) -> End {
        incarnation += 1
        let node = links[link].node(side)
        return End(
            number: Int(incarnation),
            session: Session(
                configuration: configuration,
                local: LocalDescription(
                    nodeName: "node", incarnation: Bytes16(high: 7, low: incarnation),
                    spaces: spaceHeads(of: node))))
    }

    private func spaceHeads(of node: Int) -> [SpaceHead] {
        replicas[node].keys.sorted().map { space in
            let replica = replicas[node][space]!
            return SpaceHead(space: space, replica: replica.replica, head: replica.ownHeadToTell)
        }
    }

    /// Hands an input to all sessions of a node, each in its own time.
    mutating func tell(_ node: Int, _ input: SessionInput, except: (link: Int, side: Int)? = nil) {
        for (index, link) in links.enumerated() where link.ends != nil {
            for side in 0...1 where link.node(side) == node && (except == nil || except! != (index, side)) {
                links[index][side].advances.append(input)
            }
        }
    }

    private mutating func announceAdvance(_ node: Int, _ space: SpaceID) {
        let replica = replicas[node][space]!
        tell(node, .advanced(space, position: replica.position, held: replica.vector))
    }

    /// Hands on what a node's intake decided.
    private mutating func instruct(_ node: Int, _ instructions: [NodeIntake.Instruction]) {
        for instruction in instructions {
            for (index, link) in links.enumerated() where link.ends != nil {
                for side in 0...1 where link.node(side) == node && link[side].number == instruction.link {
                    links[index][side].advances.append(instruction.input)
                }
            }
        }
    }

    private mutating func deliver(_ link: Int, from side: Int) {
        let frame = links[link][side].wire.removeFirst()
        noteArrival(frame, link, at: 1 - side)
        feed(link, 1 - side, .frame(frame))
        updateWritable(link, side)
    }

    private mutating func updateWritable(_ link: Int, _ side: Int) {
        guard links[link].ends != nil, links[link][side].end == nil else { return }
        let writable = links[link][side].queuedBytes <= highWater
        guard writable != links[link][side].isWritable else { return }
        links[link][side].isWritable = writable
        feed(link, side, .writable(writable))
    }

    /// Does one of the things that a session asked its store for: reads in any order, applying in order.
    private mutating func work(_ link: Int, _ side: Int) {
        let node = links[link].node(side)
        let tasks = links[link][side].tasks
        var index = Int.random(in: tasks.indices, using: &random)
        if case .apply = tasks[index] {
            index = tasks.firstIndex { if case .apply = $0 { true } else { false } }!
        }
        switch links[link][side].tasks.remove(at: index) {
        case .readHeld(let space):
            let (summary, digest) = replicas[node][space]!.held()
            feed(link, side, .held(space, summary, digest: digest))
        case .readSlice(let space, let after, let known, let maximumBytes):
            let slice = replicas[node][space]!.slice(
                after: after, excluding: known.all, maximumBytes: maximumBytes)
            feed(link, side, .slice(space, slice))
        case .apply(let space, let runs):
            let outcome = replicas[node][space]!.receive(runs)
            if outcome.applied > 0 { announceAdvance(node, space) }
            if let forked = outcome.forked, outcome.applied > 0 {
                tell(node, .forked(space, forked), except: (link, side))
            }
            feed(link, side, .applied(space, outcome))
        case .compare(let space, let heads):
            feed(link, side, .compared(space, replicas[node][space]!.compare(heads)))
        case .readReceipts(let space):
            let receipts = replicas[node][space]!.receipts.values.sorted { $0.node < $1.node }
            feed(link, side, .receipts(space, receipts))
        case .receipts(let space, let receipts):
            let new = replicas[node][space]!.keep(receipts)
            tell(node, .receipts(space, new))
        default: Issue.record("not a task of the store")
        }
    }

    private mutating func carryOut(_ effect: SessionEffect, _ link: Int, _ side: Int) {
        switch effect {
        case .send(let frame):
            #expect(frame.count <= SyncLimits.frameBytes)
            noteDeparture(frame, link, side)
            links[link][side].wire.append(frame)
        case .readHeld, .readSlice, .apply, .compare, .readReceipts, .receipts:
            links[link][side].tasks.append(effect)
        case .ownReplicaElsewhere(let space, let replica):
            let node = links[link].node(side)
            guard replicas[node][space]!.replica == replica else { return }
            retired.append(replica)
            guard !equivocators.contains(node) else { return }
            replicas[node][space]!.retire()
            tell(node, .spacesChanged(spaceHeads(of: node)))
        case .progress(let space, let progress): links[link][side].progress[space] = progress
        case .alarm(_, let error): links[link][side].alarms.append(error)
        case .end(let end):
            links[link][side].end = end
            if !end.byPeer { ends.append(end) }
        case .peerHello, .roundTrip, .intake, .blob: break
        }
    }

    private mutating func noteDeparture(_ frame: [UInt8], _ link: Int, _ side: Int) {
        guard let message = try? Message(encoded: frame) else {
            Issue.record("a session sent what cannot be read")
            return
        }
        let node = links[link].node(side)
        links[link][side].sentTypes[message.type, default: 0] += 1
        links[link][side].sentBytes += frame.count
        switch message {
        case .acknowledge(let space, let vector):
            // Of branches the peer's names are not known here.
            guard sendsOnlyNews else { return }
            #expect(replicas[node][space]!.vector.covers(vector), "acknowledged what is not durable")
        case .vector(let space, let heads):
            links[link][1 - side].toldByOther[space] = VersionVector(heads.map(\.dot))
        case .changes(let space, let runs):
            let last = VersionVector(runs.map { Dot($0.chain, $0.lastSequence) })
            links[link][side].sentFrames.append((space, last, frame.count))
            if sendsOnlyNews { for run in runs { checkIsNews(run, space, link, side) } }
        case .receipts(let space, let receipts):
            links[link][side].sentReceipts[space, default: []] += receipts
        default: break
        }
    }

    /// What is sent was not sent before, did not come from the other end, and was not said to be there.
    private mutating func checkIsNews(_ run: ChangeRun, _ space: SpaceID, _ link: Int, _ side: Int) {
        let dot = Dot(run.replica, run.lastSequence)
        let isNew = links[link][side].sentDots[space, default: []].insert(dot).inserted
        #expect(isNew, "\(dot) is sent twice")
        let echoes = links[link][1 - side].sentDots[space, default: []].contains(dot)
        #expect(!echoes, "\(dot) is echoed")
        if let told = links[link][side].toldByOther[space] {
            #expect(!told.contains(dot), "\(dot) is sent although the peer has it")
        }
    }

    private mutating func noteArrival(_ frame: [UInt8], _ link: Int, at side: Int) {
        switch try? Message(encoded: frame) {
        case .acknowledge(let space, let vector)?:
            links[link][side].sentFrames.removeAll { $0.space == space && vector.covers($0.last) }
        case .changes(let space, let runs)?:
            for run in runs {
                for sequence in run.firstSequence...run.lastSequence {
                    received[links[link].node(side)][space, default: [:]][
                        Dot(run.chain, sequence), default: 0] += 1
                }
            }
        default: break
        }
    }

    private func checkWindow(_ link: Int, _ side: Int) {
        guard links[link].ends != nil else { return }
        let end = links[link][side]
        let inFlight = end.sentFrames.reduce(0) { $0 + $1.bytes }
        #expect(
            inFlight <= configuration.windowBytes || end.sentFrames.count == 1,
            "\(inFlight) bytes are on their way")
        #expect(end.queuedBytes <= highWater + (600 << 10), "\(end.queuedBytes) bytes are queued")
    }
}
