// A network of many nodes in one thread: real sessions, the real intake of each node and the real choice of peers, over
// links that take their time by the distance of the two, and with stores that hold no more than what sessions ask
// for. Everything follows from the seed.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// A node.
struct PushNode {
    /// A peer as one of a node's addresses.
    struct Acquaintance {
        var avoidedUntil: Int64 = 0
        var lastSessionAt = Int64.min
    }

    let place: (x: Double, y: Double)
    var replica: PushReplica
    var intake = NodeIntake()
    var intakeTickAt = Int64.max
    var isUp = true
    /// Connections by the number of the other node.
    var connections: [Int: Int] = [:]
    var dialling: Set<Int> = []
    var known: [Int: Acquaintance] = [:]
    var redialAt = Int64.max
    var incarnations: UInt64 = 0
}

/// One end of a connection.
struct PushEnd {
    let node: Int
    var session: Session
    var tasks: [SessionEffect] = []
    var isWorking = false
    var tickAt = Int64.max
    var isOver = false
    /// When what was sent last arrives: a connection keeps the order.
    var lastArrival: Int64 = 0
    var lineFreeAt: Int64 = 0
    var progress: Progress?
}

/// A network.
struct PushNetwork {
    enum Event: Sendable {
        case arrive(connection: Int, side: Int, frame: [UInt8])
        /// The other side has closed, or the connection was found to be cut.
        case gone(connection: Int, side: Int)
        case work(connection: Int, side: Int)
        case tick(connection: Int, side: Int)
        case intake(node: Int)
        case redial(node: Int)
        /// A node's attempt reaches another node.
        case knock(from: Int, to: Int)
        case write(node: Int)
        case cut
        case fail
        case rise(node: Int)
    }

    final class Connection {
        let latency: Int64
        var ends: [PushEnd]
        var isCut = false

        init(latency: Int64, ends: [PushEnd]) {
            self.latency = latency
            self.ends = ends
        }
    }

    let space = SpaceID(SHA256.hash(Array("push space".utf8)))
    let options: PushOptions
    var queue = EventQueue<Event>()
    var now: Int64 = 1_000
    var nodes: [PushNode] = []
    var connections: [Int: Connection] = [:]
    var nextConnection = 0
    var book = PushBook()
    var figures: PushFigures
    var random: SimulationRandom
    var faults: SimulationRandom
    var violation: String?
    /// Bytes of a frame that leave in a millisecond: 10 Mbit/s.
    private static let bandwidth = 1_250

    init(_ options: PushOptions) {
        self.options = options
        figures = PushFigures(space: space)
        random = SimulationRandom(seed: options.seed, label: "push")
        faults = SimulationRandom(seed: options.seed, label: "push faults")
        for _ in 0..<options.nodes { addNode() }
        for node in nodes.indices { acquaint(node) }
    }

    /// A new node, which knows nobody.
    @discardableResult
    mutating func addNode() -> Int {
        let place = (Double(random.number(0...1_000)) / 1_000, Double(random.number(0...1_000)) / 1_000)
        nodes.append(PushNode(place: place, replica: PushReplica(nodes.count)))
        return nodes.count - 1
    }

    /// Lets a node know others: all of a small network, some hundred of a large one.
    mutating func acquaint(_ node: Int) {
        let others = nodes.indices.filter { $0 != node }
        let known = others.count <= 256 ? others : Array(others.shuffled(using: &random).prefix(256))
        for other in known { nodes[node].known[other] = .init() }
        askForRedial(node, at: now + Int64(random.number(0...2_000)))
    }

    // MARK: Time

    /// Runs up to a point in time, or until a condition holds, which is looked at every 100 ms.
    mutating func run(until end: Int64, orUntil condition: (inout PushNetwork) -> Bool = { _ in false }) {
        var lookAt = now
        while violation == nil, let (time, event) = queue.next() {
            guard time <= end else {
                queue.add(event, at: time)
                break
            }
            now = max(now, time)
            handle(event)
            guard now >= lookAt else { continue }
            lookAt = now + 100
            if condition(&self) { return }
        }
        now = max(now, end)
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrive(let id, let side, let frame):
            guard let connection = connections[id], !connection.isCut else { return }
            note(frame, at: connection.ends[side].node)
            feed(id, side, .frame(frame))
        case .gone(let id, let side): feed(id, side, .disconnected)
        case .work(let id, let side): work(id, side)
        case .tick(let id, let side):
            // An event that an earlier one made needless is passed over.
            guard let connection = connections[id], connection.ends[side].tickAt <= now else { return }
            connection.ends[side].tickAt = .max
            feed(id, side, .tick)
        case .intake(let node):
            guard nodes[node].intakeTickAt <= now else { return }
            nodes[node].intakeTickAt = .max
            guard nodes[node].isUp else { return }
            carryOut(nodes[node].intake.tick(now: now), at: node)
        case .redial(let node):
            guard nodes[node].redialAt <= now else { return }
            nodes[node].redialAt = .max
            redial(node)
        case .knock(let from, let to): knock(from, to)
        case .write(let node): write(node)
        case .cut: cutSomething()
        case .fail: failSomething()
        case .rise(let node):
            nodes[node].isUp = true
            askForRedial(node, at: now)
        }
    }

    // MARK: Sessions

    mutating func feed(_ id: Int, _ side: Int, _ input: SessionInput) {
        guard let connection = connections[id], !connection.ends[side].isOver else { return }
        let node = connection.ends[side].node
        var instructions: [NodeIntake.Instruction] = []
        for effect in connection.ends[side].session.handle(input, now: now) {
            instructions += nodes[node].intake.handle(effect, of: 2 * id + side, now: now)
            carryOut(effect, connection, id, side)
        }
        if !instructions.isEmpty { carryOut(instructions, at: node) }
        guard !connection.ends[side].isOver else { return }
        if let deadline = connection.ends[side].session.deadline, deadline < connection.ends[side].tickAt {
            connection.ends[side].tickAt = deadline
            queue.add(.tick(connection: id, side: side), at: max(now, deadline))
        }
        if !connection.ends[side].tasks.isEmpty, !connection.ends[side].isWorking {
            connection.ends[side].isWorking = true
            queue.add(.work(connection: id, side: side), at: now + Int64(random.number(0...2)))
        }
    }

    mutating func carryOut(_ instructions: [NodeIntake.Instruction], at node: Int) {
        for instruction in instructions {
            feed(instruction.link / 2, instruction.link % 2, instruction.input)
        }
        guard let deadline = nodes[node].intake.deadline, deadline < nodes[node].intakeTickAt else { return }
        nodes[node].intakeTickAt = deadline
        queue.add(.intake(node: node), at: max(now, deadline))
    }

    private mutating func carryOut(_ effect: SessionEffect, _ connection: Connection, _ id: Int, _ side: Int)
    {
        switch effect {
        case .send(let frame): transmit(frame, connection, id, side)
        case .readHeld, .readSlice, .compare, .apply, .readReceipts, .receipts:
            connection.ends[side].tasks.append(effect)
        case .progress(_, let progress): connection.ends[side].progress = progress
        case .alarm(_, let error): violation = "an alarm was raised: \(error)"
        case .ownReplicaElsewhere: violation = "a replica is said to be written elsewhere"
        case .end(let end): finish(end, connection, id, side)
        case .intake, .blob, .peerHello, .roundTrip: break
        }
    }

    private mutating func transmit(_ frame: [UInt8], _ connection: Connection, _ id: Int, _ side: Int) {
        figures.sent(frame)
        let leavesAt = max(now, connection.ends[side].lineFreeAt) + Int64(frame.count / Self.bandwidth)
        connection.ends[side].lineFreeAt = leavesAt
        let arrival = max(
            connection.ends[side].lastArrival, leavesAt + connection.latency + Int64(random.number(0...3)))
        connection.ends[side].lastArrival = arrival
        guard !connection.isCut else { return }
        queue.add(.arrive(connection: id, side: 1 - side, frame: frame), at: arrival)
    }

    private mutating func finish(_ end: SessionEnd, _ connection: Connection, _ id: Int, _ side: Int) {
        let node = connection.ends[side].node
        let expected: [ErrorCode?] = [.connectionFailed, .peerSilent, .peersFull]
        if !expected.contains(where: { $0?.rawValue == end.code }) {
            violation = "node \(node) ended a session: \(end.code ?? "") \(end.sentence)"
        }
        connection.ends[side].isOver = true
        connection.ends[side].tasks = []
        let other = connection.ends[1 - side].node
        if nodes[node].connections[other] == id {
            nodes[node].connections[other] = nil
            nodes[node].known[other]?.lastSessionAt = now
            if end.code == ErrorCode.peersFull.rawValue {
                nodes[node].known[other]?.avoidedUntil = now + 60_000
            }
            askForRedial(node, at: now + Int64(random.number(50...500)))
        }
        if !connection.isCut {
            queue.add(
                .gone(connection: id, side: 1 - side),
                at: max(now, connection.ends[side].lastArrival) + connection.latency)
        }
        if connection.ends.allSatisfy(\.isOver) { connections[id] = nil }
    }

    // MARK: Stores

    private mutating func work(_ id: Int, _ side: Int) {
        guard let connection = connections[id], !connection.ends[side].isOver else { return }
        connection.ends[side].isWorking = false
        guard !connection.ends[side].tasks.isEmpty else { return }
        let node = connection.ends[side].node
        let task = connection.ends[side].tasks.removeFirst()
        switch task {
        case .readHeld(let space):
            let held = nodes[node].replica.held(book)
            feed(id, side, .held(space, held, digest: held.hash))
        case .readSlice(let space, let after, let known, let maximumBytes):
            let slice = nodes[node].replica.slice(
                book, after: after, excluding: known.all, maximumBytes: maximumBytes)
            feed(id, side, .slice(space, slice))
        case .compare(let space, let heads):
            feed(id, side, .compared(space, nodes[node].replica.compare(heads)))
        case .apply(let space, let runs):
            let (outcome, applied) = nodes[node].replica.receive(runs, book)
            for dot in applied { figures.applied(dot, at: now) }
            if !applied.isEmpty { tellAdvance(node) }
            feed(id, side, .applied(space, outcome))
        case .readReceipts(let space): feed(id, side, .receipts(space, []))
        default: break
        }
    }

    private mutating func tellAdvance(_ node: Int) {
        let (position, held) = (nodes[node].replica.position, nodes[node].replica.vector)
        for (_, id) in nodes[node].connections.sorted(by: { $0.key < $1.key }) {
            guard let connection = connections[id] else { continue }
            let side = connection.ends[0].node == node ? 0 : 1
            feed(id, side, .advanced(space, position: position, held: held))
        }
    }

    /// Somebody writes a change at a node.
    mutating func write(_ node: Int) {
        guard nodes[node].isUp else { return }
        let isFirst = nodes[node].replica.vector[nodes[node].replica.replica] == 0
        let dot = nodes[node].replica.write(&book, payload: random.bytes(random.number(120...280)), at: now)
        figures.written(dot, at: now)
        if isFirst {
            for (_, id) in nodes[node].connections.sorted(by: { $0.key < $1.key }) {
                guard let connection = connections[id] else { continue }
                feed(id, connection.ends[0].node == node ? 0 : 1, .spacesChanged([head(of: node)]))
            }
        }
        tellAdvance(node)
    }

    func head(of node: Int) -> SpaceHead {
        let replica = nodes[node].replica
        let last = Dot(replica.replica, replica.vector[replica.replica])
        guard let entry = book[last] else { return SpaceHead(space: space) }
        return SpaceHead(
            space: space, replica: replica.replica, head: .init(sequence: last.sequence, hash: entry.hash))
    }

    private mutating func note(_ frame: [UInt8], at node: Int) {
        guard case .changes(_, let runs)? = try? Message(encoded: frame) else { return }
        for run in runs {
            for sequence in run.firstSequence...run.lastSequence {
                figures.received(Dot(run.replica, sequence), at: node)
            }
        }
    }
}
