// One run: nodes with real stores and real sessions, driven by one loop over simulated time. First people
// write while everything fails; then the faults end and all nodes must come to hold the same. Invariants are
// checked at each step of the way and once more at the end. Nothing happens at the same time as anything
// else, so a seed repeats a run.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation

/// One run of one seed.
struct Simulation {
    /// What can happen.
    enum Event: Sendable {
        /// The next frame reaches this side of a connection.
        case arrive(connection: Int, side: Int)
        /// A frame that this side sent has left.
        case leave(connection: Int, side: Int)
        /// The store does the next thing that this side's session asked for.
        case work(connection: Int, side: Int)
        /// The intake of a node wants to know the time.
        case intake(node: Int)
        /// The session of this side wants to know the time.
        case tick(connection: Int, side: Int)
        /// This side notices that the connection is gone.
        case notice(connection: Int, side: Int)
        /// The nodes of a link try to connect.
        case dial(link: Int)
        /// Somebody writes something.
        case write
        /// A member signs the admission of the member of another node.
        case endorse(signer: Int, subject: Int)
        /// A node takes up its invitation.
        case join(node: Int)
        /// A node that was killed comes back; one that people put back to an earlier state writes at once.
        case reopen(node: Int, writes: Int)
        /// The hostile copy of a node appears.
        case copy
        /// A member signs that the member of the last founding or admitted node be suspended, or reinstated.
        case sign(signer: Int, act: Procedure)
        case disconnect, partition, crash, pause, clock, restore, procedure
        /// Whether all is well by now is looked at.
        case check
    }

    let seed: UInt64
    let options: SimulationOptions
    let swarm: Swarm
    let charter: SignedCharter
    var space: SpaceID { charter.charter.space }
    var queue = EventQueue<Event>()
    var now: Int64 = 0
    var nodes: [SimulatedNode]
    var links: [SimulatedLink]
    var connections: [Int: SimulatedConnection] = [:]
    var nextConnection = 1
    var network: SimulationRandom
    var faults: SimulationRandom
    var workload: SimulationRandom
    var stepsLeft: Int
    var healedAt: Int64?
    var isConverged = false
    var canaryFired = false
    /// The suspensions that were drafted.
    var suspensions: [Digest] = []
    /// When people last looked whether signatures are missing.
    var signedAgainAt: Int64 = 0
    /// Whether the last act that was drafted is a suspension.
    var isSuspended = false
    var figures = SimulationFigures()
    private(set) var lastEvents: [String] = []
    private let output: (String) -> Void

    /// How many of the last events are kept for the report.
    static let keptEvents = 40
    /// How much simulated time a run may take to converge after the faults have ended.
    static let healingLimit: Int64 = 3_600_000

    init(seed: UInt64, options: SimulationOptions, folder: URL, output: @escaping (String) -> Void) throws {
        self.seed = seed
        self.options = options
        self.output = output
        let swarm = Swarm(options, seed: seed)
        self.swarm = swarm
        nodes = try (0..<swarm.nodes).map { try SimulatedNode($0, seed: seed, folder: folder) }
        links = swarm.links.map { SimulatedLink(nodes: $0) }
        if let copied = swarm.copied {
            nodes.append(try SimulatedNode(swarm.nodes, copyOf: copied, seed: seed, folder: folder))
            links += swarm.linksOfCopy.map { SimulatedLink(nodes: ($0, swarm.nodes)) }
        }
        let founders = nodes[..<swarm.founders].map(\.identity)
        let text = try Charter(
            name: "Simulated network", timestamp: 1_474_329_600_000,
            founders: try founders.map { try MemberStatement(authority: $0.authority) },
            admissionThreshold: UInt64(swarm.admissionThreshold), suspensionThreshold: 2)
        charter = try SignedCharter(charter: text, key: founders[0].authorityKey)
        network = SimulationRandom(seed: seed, label: "network")
        faults = SimulationRandom(seed: seed, label: "faults")
        workload = SimulationRandom(seed: seed, label: "workload")
        stepsLeft = options.steps
        figures.seeds = 1
    }

    /// Runs to the end.
    ///
    /// - Throws: ``Violation`` for the first invariant that does not hold.
    mutating func run() async throws {
        try await start()
        while !isConverged {
            guard let (time, event) = queue.next() else {
                throw Violation(
                    invariant: .converges, detail: "nothing is left to happen: " + (pending() ?? ""))
            }
            now = max(now, time)
            try await handle(event)
        }
        try await checkEnd()
        for node in nodes { try node.close() }
    }

    private mutating func start() async throws {
        for number in 0..<swarm.nodes {
            try nodes[number].open()
            if number < swarm.founders {
                _ = try await nodes[number].store?.addSpace(charter)
                nodes[number].hasSpace = true
            }
        }
        for number in swarm.founders..<max(swarm.founders, swarm.nodes) {
            let time = faults.duration(mean: 2_000)
            for signer in 0..<swarm.admissionThreshold {
                queue.add(.endorse(signer: signer, subject: number), at: time + faults.duration(mean: 500))
            }
            queue.add(.join(node: number), at: time + faults.duration(mean: 2_000))
        }
        for link in links.indices { queue.add(.dial(link: link), at: Int64(network.number(0...200))) }
        queue.add(.write, at: 1)
        schedule(.disconnect, swarm.disconnectInterval)
        schedule(.partition, swarm.partitionInterval)
        schedule(.crash, swarm.crashInterval)
        schedule(.pause, swarm.pauseInterval)
        schedule(.clock, swarm.clockInterval)
        schedule(.restore, swarm.restoreInterval)
        schedule(.procedure, swarm.procedureInterval)
        if swarm.copied != nil { schedule(.copy, 800) }
    }

    /// Schedules a fault, if it occurs in this run.
    mutating func schedule(_ event: Event, _ interval: Int64?) {
        guard let interval, healedAt == nil else { return }
        queue.add(event, at: now + faults.duration(mean: interval))
    }

    private mutating func handle(_ event: Event) async throws {
        switch event {
        case .arrive(let connection, let side): try arrive(connection, side)
        case .leave(let connection, let side): try leave(connection, side)
        case .work(let connection, let side): try await work(connection, side)
        case .tick(let connection, let side): try tick(connection, side)
        case .notice(let connection, let side): try notice(connection, side)
        case .intake(let node): try tickIntake(node)
        case .dial(let link): try dial(link)
        case .write: try await write()
        case .endorse(let signer, let subject): try await endorse(signer, subject)
        case .join(let node): try await join(node)
        case .reopen(let node, let writes): try await reopen(node, writes: writes)
        case .copy: try copy()
        case .sign(let signer, let act): try await sign(act, signer)
        case .procedure: try draftProcedure()
        case .disconnect, .partition, .crash, .pause, .clock, .restore: try strike(event)
        case .check: try check()
        }
    }

    /// The faults end.
    mutating func heal() throws {
        guard healedAt == nil else { return }
        if swarm.canary == .lostCommits, !canaryFired, let node = nodes.firstIndex(where: \.canLoseCommits) {
            try crash(node, losingCommits: true)
        }
        healedAt = now
        log(nil, "heal: the faults end")
        for index in links.indices { links[index].blockedUntil = 0 }
        for index in nodes.indices {
            nodes[index].pausedUntil = 0
            if nodes[index].store == nil, nodes[index].original == nil {
                queue.add(.reopen(node: index, writes: 0), at: now)
            }
        }
        try healProcedure()
        for link in links.indices where links[link].connection == nil {
            queue.add(.dial(link: link), at: now)
        }
        queue.add(.check, at: now + 500)
    }

    /// Notes what happened.
    mutating func log(_ node: Int?, _ text: String) {
        let time = String(repeating: " ", count: max(0, 9 - "\(now)".count)) + "\(now)"
        let name = node.map { nodes[$0].name } ?? "-"
        let line = "\(time) \(name.padding(toLength: 9, withPad: " ", startingAt: 0)) \(text)"
        lastEvents.append(line)
        if lastEvents.count > Self.keptEvents { lastEvents.removeFirst() }
        if options.log == .full { output(line) }
    }
}
