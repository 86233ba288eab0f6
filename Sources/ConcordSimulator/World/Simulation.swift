// One run: nodes with real stores on simulated disks and with real sessions on a simulated network, driven by one loop over
// simulated time. First people write while everything fails, as the scenario says; then the faults end and all nodes must
// come to hold the same. Invariants are checked at each step of the way and once more at the end. Nothing happens at the
// same time as anything else, so a scenario repeats a run.
//
//     Plan/      what a run is asked for; the swarm that a seed draws; the list of decisions; shrinking; reporting
//     People/    what people write, and what they will remember of it
//     World/     nodes, disks, connections, couriers, what means ill, and this loop
//     Checkers/  what must hold: they look at stores and frames from outside and share no code with them
//
// What a run may take from where: what people do and what fails stands in the scenario, decision by decision, each with a
// seed of its own; how long frames take is drawn by the network; what becomes of unsynced bytes, by each disk; identifiers
// and salts, by each node; signatures and certificates, from what is signed. So taking out a decision shifts none of the
// others, which is what makes a failing run small.
//
// A disk keeps what was written and not synced apart. A process that is killed leaves all that it wrote; a machine that
// loses power keeps what was synced, and of the rest whole writes, sectors of them, or nothing. The power can fail in the
// middle of any write or sync; then everything fails until the node is started again. While a disk is full or fails now and
// then, a store may refuse what it is asked; what it does not refuse must last, and when the trouble is over it must
// remember what its disk holds.
//
// Not every run can judge everything: where nodes are set back or mean ill, a number may stand for two changes, and what
// people wrote may be hidden. The table at the end of many runs says how many judged what.

import ConcordCrypto
import ConcordModel
import ConcordStore
import ConcordSync
import Foundation

/// One run of one scenario.
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
        /// The next thing that the scenario says.
        case decide(Int)
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
        /// The trouble of a node's disk is over.
        case relief(node: Int)
        /// A node whose disk has failed finds out whether it can be written again.
        case trial(node: Int)
        /// What somebody carried arrives.
        case deliver(CourierLoad, to: Int)
        /// A node gets a new certificate for its key.
        case renew(node: Int, number: Int)
        /// A node whose key was revoked gets another one.
        case giveKey(node: Int)
        /// The faults end.
        case heal
        /// Whether all is well by now is looked at.
        case check
    }

    let scenario: Scenario
    let options: SimulationOptions
    let charter: SignedCharter
    var swarm: Swarm { scenario.swarm }
    let space: SpaceID
    var queue = EventQueue<Event>()
    var now: Int64 = 0
    var nodes: [SimulatedNode]
    var links: [SimulatedLink]
    var connections: [Int: SimulatedConnection] = [:]
    var nextConnection = 1
    var network: SimulationRandom
    /// What the choices within the present decision follow from.
    var choices: SimulationRandom
    var healedAt: Int64?
    var isConverged = false
    /// How much has happened at this moment.
    private var standstill = 0
    var canaryFired = false
    /// The suspensions that were drafted.
    var suspensions: [Digest] = []
    /// When people last looked whether signatures are missing.
    var signedAgainAt: Int64 = 0
    /// When people last went to the node that couriers alone reach.
    var laptopVisitedAt: Int64 = 0
    var laptopVisits = 0
    /// Whether the last act that was drafted is a suspension.
    var isSuspended = false
    /// What the node that means ill writes by hand.
    var forged: ForgedChain?
    /// What people wrote, as they remember it.
    var ledger = WriteLedger()
    /// What nodes lost that were set back, and others held.
    var lostWrites: [LostWrite] = []
    /// Whether what a store remembered was compared with its disk after that had failed.
    var isDiskCompared = false
    /// What the nodes sent since the faults ended, and what they lacked then.
    var traffic = HealingTraffic()
    var figures = SimulationFigures()
    private(set) var lastEvents: [String] = []
    /// A hash over all events.
    private(set) var trace: UInt64 = 0
    private let output: (String) -> Void

    /// How many of the last events are kept for the report.
    static let keptEvents = 40
    /// How much may happen at one moment: far more than one that is busy, and far less than for ever.
    static let standstillLimit = 50_000
    /// How much simulated time a run may take to converge after the faults have ended.
    static let healingLimit: Int64 = 3_600_000

    init(_ scenario: Scenario, options: SimulationOptions, output: @escaping (String) -> Void) throws {
        self.scenario = scenario
        self.options = options
        self.output = output
        let (seed, swarm) = (scenario.seed, scenario.swarm)
        nodes = try Self.makeNodes(seed, swarm)
        links = swarm.links.map { SimulatedLink(nodes: $0) }
        if swarm.copied != nil { links += swarm.linksOfCopy.map { SimulatedLink(nodes: ($0, swarm.nodes)) } }
        var founders: [SimulatedIdentity] = []
        for node in nodes[..<swarm.founders]
        where !founders.contains(where: { $0.code == node.identity.code }) {
            founders.append(node.identity)
        }
        let text = try Charter(
            name: "Simulated network", timestamp: 1_474_329_600_000,
            founders: try founders.map { try MemberStatement(authority: $0.authority) },
            admissionThreshold: UInt64(swarm.admissionThreshold), suspensionThreshold: 2)
        charter = try withSeededSignatures(1) {
            try SignedCharter(charter: text, key: founders[0].authorityKey)
        }
        space = text.space
        network = SimulationRandom(seed: seed, label: "network")
        choices = SimulationRandom(seed: seed, label: "choices")
        figures.seeds = 1
    }

    private static func makeNodes(_ seed: UInt64, _ swarm: Swarm) throws -> [SimulatedNode] {
        var nodes: [SimulatedNode] = []
        for (number, member) in swarm.members.enumerated() {
            let first = try SimulatedIdentities.shared.member(member)
            let isFirst = !swarm.members[..<number].contains(member)
            let identity = isFirst ? first : try SimulatedIdentities.shared.node(number, of: first)
            var node = SimulatedNode(number, of: identity, seed: seed, diskLatency: swarm.diskLatency)
            node.isLater = swarm.later?.contains(number) ?? false
            nodes.append(node)
        }
        guard let copied = swarm.copied else { return nodes }
        return nodes + [
            SimulatedNode(
                swarm.nodes, of: nodes[copied].identity, copyOf: copied, seed: seed,
                diskLatency: swarm.diskLatency)
        ]
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
            standstill = time > now ? 0 : standstill + 1
            guard standstill < Self.standstillLimit else {
                throw Violation(
                    invariant: .timePasses, detail: "at \(now) ms the same happens again and again: \(event)")
            }
            now = max(now, time)
            try await handle(event)
        }
        try await checkEnd()
    }

    /// Closes all stores, whatever became of the run.
    mutating func close() {
        for index in nodes.indices { nodes[index].close() }
    }

    private mutating func start() async throws {
        for number in 0..<swarm.nodes {
            try nodes[number].open()
            if number < swarm.founders {
                _ = try await nodes[number].store?.addSpace(charter)
                nodes[number].hasSpace = true
            }
        }
        let founders = swarm.firstNodesOfFounders
        for number in swarm.founders..<max(swarm.founders, swarm.nodes) {
            let time = choices.duration(mean: 2_000)
            if !swarm.members[..<number].contains(swarm.members[number]) {
                for signer in founders.prefix(swarm.admissionThreshold) {
                    let delay = choices.duration(mean: 500)
                    queue.add(.endorse(signer: signer, subject: number), at: time + delay)
                }
            }
            queue.add(.join(node: number), at: time + choices.duration(mean: 2_000))
        }
        for link in links.indices { queue.add(.dial(link: link), at: Int64(network.number(0...200))) }
        for (index, decision) in scenario.decisions.enumerated() {
            queue.add(.decide(index), at: decision.at)
        }
        queue.add(.heal, at: scenario.end)
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
        case .decide(let index): try await decide(scenario.decisions[index])
        case .endorse(let signer, let subject): try await endorse(signer, subject)
        case .join(let node): try await join(node)
        case .reopen(let node, let writes): try await reopen(node, writes: writes)
        case .copy: try copy()
        case .sign(let signer, let act): try await sign(act, signer)
        case .relief(let node): try await relieve(node)
        case .trial(let node): try await tryWriting(node)
        case .deliver(let load, let node): try await deliver(load, to: node)
        case .renew(let node, let number): try giveCertificate(node, number)
        case .giveKey(let node): try giveKey(node)
        case .heal: try await heal()
        case .check: try await check()
        }
    }

    /// The faults end.
    private mutating func heal() async throws {
        guard healedAt == nil else { return }
        if swarm.canary == .lostCommits, !canaryFired, let node = nodes.firstIndex(where: \.canLoseCommits) {
            try die(node, .forget)
        }
        healedAt = now
        log(nil, "heal: the faults end")
        for index in links.indices { links[index].heal() }
        for index in nodes.indices {
            nodes[index].pausedUntil = 0
            nodes[index].disk.failPower(after: 0)
            try await relieve(index)
            nodes[index].certificateEndedUntil = 0
            try giveKey(index)
            if swarm.canary == .absence, index == swarm.nodes - 1 {
                canaryFired = true
                nodes[index].close()
            } else if nodes[index].store == nil, nodes[index].original == nil {
                queue.add(.reopen(node: index, writes: 0), at: now)
            }
        }
        beginHealing()
        try healProcedure()
        for link in links.indices where links[link].connection == nil {
            queue.add(.dial(link: link), at: now)
        }
        queue.add(.check, at: now + 500)
    }

    /// Notes what happened.
    mutating func log(_ node: Int?, _ text: String) {
        let time = String(repeating: " ", count: max(0, 11 - "\(now)".count)) + "\(now)"
        let name = node.map { nodes[$0].name } ?? "-"
        let line = "\(time) \(name.padding(toLength: 9, withPad: " ", startingAt: 0)) \(text)"
        for byte in line.utf8 { trace = (trace ^ UInt64(byte)) &* 0x100_0000_01b3 }
        lastEvents.append(line)
        if lastEvents.count > Self.keptEvents { lastEvents.removeFirst() }
        if options.log == .full { output(line) }
    }
}
