// What a run is like: every seed has its own network, its own faults and its own mixture of work, so that many seeds
// together meet combinations that no fixed setting would. Which faults exist at all is drawn, too: where everything fails
// all the time, little gets done.

/// What a run draws for itself.
struct Swarm: Codable, Hashable, Sendable {
    /// Who is connected to whom.
    enum Topology: String, CaseIterable, Codable, Sendable {
        case mesh, chain, star, ring
    }

    /// How often something happens.
    struct Rate: Codable, Hashable, Sendable {
        let kind: Decision.Kind
        let interval: Int64
    }

    private(set) var nodes: Int
    /// For each node the number of its member.
    private(set) var members: [Int]
    /// How many nodes, from the first, are of founding members.
    private(set) var founders: Int
    let admissionThreshold: Int
    let topology: Topology
    /// One way, in milliseconds, at least.
    let latency: Int64
    /// How much longer it may take.
    let jitter: Int64
    /// Out of a hundred frames, how many are lost and come after a timeout.
    let lossPercent: Int
    /// Bytes per millisecond.
    let bandwidth: Int64
    let meanWriteInterval: Int64
    /// Out of a hundred writings, how many are several people in one text at a time.
    let debatePercent: Int
    private let rates: [Rate]
    let clockSkew: Int64
    /// Out of a hundred broken connections, how many are noticed by one side only after a long silence.
    let halfOpenPercent: Int
    /// How long a disk takes for a thing at most.
    let diskLatency: Int
    /// The node of which a hostile copy appears, which shows other nodes another branch; nil in a run without one.
    private(set) var copied: Int?
    /// The nodes that the copy is linked to.
    private(set) var linksOfCopy: [Int]
    /// The node that means ill, if there is one.
    private(set) var hostile: Int?
    /// The node that is reached by couriers alone; nil if there is none.
    private(set) var laptop: Int?
    /// Whether the member that is suspended is reinstated in the end.
    let endsReinstated: Bool
    /// The weight of each kind of work, in the order of ``Work``.
    let workWeights: [Int]
    /// The nodes that run the next version from the beginning; nil in scenarios of before there were any.
    private(set) var later: [Int]?
    /// What was drawn apart from ``rates``, so that seeds of before go on as they did; nil likewise.
    private let addedRates: [Rate]?
    let canary: Canary?

    init(_ options: SimulationOptions, seed: UInt64) {
        var random = SimulationRandom(seed: seed, label: "swarm")
        nodes = options.nodes ?? random.pick([2, 2, 3, 3, 3, 4, 5])
        canary = options.canary ? options.broken ?? random.pick(Canary.allCases) : nil
        founders = random.number(min(2, nodes)...min(nodes, 12))
        members = Array(0..<nodes)
        // Nodes of one member: the last ones are further nodes of the first.
        if nodes > 2, random.chance(25) {
            for node in founders..<nodes where random.chance(40) {
                members[node] = random.number(0...founders - 1)
            }
        }
        admissionThreshold = random.number(1...min(2, founders))
        // Among many a full mesh says nothing new, and takes long.
        let isLarge = nodes > 12
        let topologies = Topology.allCases.filter { !isLarge || $0 != .mesh }
        topology = nodes == 2 ? .mesh : random.pick(topologies)
        latency = random.pick([1, 1, 5, 20, 100, 300, 300, 5_000])
        jitter = min(latency, 1_000)
        lossPercent = random.pick([0, 0, 0, 1, 5])
        bandwidth = random.pick([8, 100, 2_000, 1_000_000])
        let interval: Int64 = random.pick([20, 100, 400, 400, 3_000])
        meanWriteInterval = max(interval, latency / 4)
        debatePercent = random.pick([0, 5, 30])
        let rates = Self.rates(
            &random, steps: options.steps, interval: meanWriteInterval, nodes: nodes, founders: founders,
            canary: canary)
        self.rates = rates
        let isHonest = canary != nil || random.chance(60)
        let target = random.number(0...nodes - 1)
        copied = isHonest || nodes < 3 || random.chance(60) ? nil : target
        // A founder among them, whom the copy knows and who knows it whatever it missed.
        let founder = target == 0 ? 1 : 0
        linksOfCopy = (0..<nodes).filter { $0 == founder || $0 != target && random.chance(50) }
        hostile = isHonest || nodes < 3 || copied != nil || random.chance(30) ? nil : nodes - 1
        laptop = nodes < 3 || hostile != nil || copied == nodes - 1 || random.chance(75) ? nil : nodes - 1
        if let laptop { linksOfCopy.removeAll { $0 == laptop } }
        endsReinstated = random.chance(60)
        clockSkew = random.pick([0, 1_000, 3_600_000, 86_400_000])
        halfOpenPercent = random.pick([0, 10, 50])
        diskLatency = random.pick([0, 3, 3, 20, 200])
        var weights = Work.allCases.map { _ in random.chance(80) ? random.number(1...100) : 0 }
        weights[Work.createMeeting.rawValue] += 20
        weights[Work.setField.rawValue] += 150
        if random.chance(70) { weights[Work.erase.rawValue] = 0 }
        weights[Work.erase.rawValue] /= 5
        workWeights = weights
        (later, addedRates) = Self.added(
            SimulationRandom(seed: seed, label: "versions"), nodes: nodes,
            length: Int64(options.steps) * meanWriteInterval, canary: canary)
    }

    /// Which nodes run the next version, how often nodes change theirs, and how often firewalls come.
    private static func added(
        _ random: SimulationRandom, nodes: Int, length: Int64, canary: Canary?
    ) -> ([Int], [Rate]) {
        guard canary == nil else { return ([], []) }
        var random = random
        var rates: [Rate] = []
        func add(_ kind: Decision.Kind, _ times: [Int64]) {
            rates.append(Rate(kind: kind, interval: max(50, length / random.pick(times))))
        }
        if random.chance(25) { add(.firewall, [1, 3]) }
        guard random.chance(35) else { return ([], rates) }
        add(.laterWrite, [5, 15])
        if random.chance(70) { add(.upgrade, [2, 6]) }
        return ((0..<nodes).filter { _ in random.chance(40) }, rates)
    }

    /// The intervals at which each kind of fault strikes, in proportion to how long the run is to be: a few times each.
    private static func rates(
        _ random: inout SimulationRandom, steps: Int, interval: Int64, nodes: Int, founders: Int,
        canary: Canary?
    ) -> [Rate] {
        let length = Int64(steps) * interval
        var rates: [Rate] = []
        func add(_ kind: Decision.Kind, _ percent: Int, _ times: [Int64]) {
            let isThere = random.chance(percent)
            let interval = max(50, length / random.pick(times))
            if isThere { rates.append(Rate(kind: kind, interval: interval)) }
        }
        add(.disconnect, 55, [3, 10, 30])
        add(.reset, 30, [2, 5])
        if nodes > 2 { add(.partition, 45, [2, 5]) }
        if nodes > 2 { add(.isolation, 30, [2, 5]) }
        add(.stall, 30, [2, 5, 10])
        add(.refusal, 25, [2, 5])
        add(.outage, 12, [1, 2])
        add(.kill, 50, [2, 5, 10])
        add(.powerCut, 50, [2, 5, 10])
        add(.midwayCut, 60, [3, 8, 20])
        add(.pause, 40, [2, 5])
        add(.clock, 50, [2, 5])
        add(.diskFull, 25, [1, 3])
        add(.diskErrors, 35, [1, 3])
        add(.courier, 30, [2, 6, 12])
        add(.mischief, 100, [5, 15, 30])
        add(.renewal, 20, [1, 3])
        add(.revocation, 20, [1, 3])
        if founders > 2 || nodes > founders { add(.procedure, 45, [3, 8]) }
        add(.restore, 25, [3, 8])
        guard canary != nil else { return rates }
        // What hides an edit, or excuses its loss, would hide the canary.
        rates.removeAll { [.procedure, .restore, .revocation, .mischief].contains($0.kind) }
        if canary == .lostCommits { rates.append(Rate(kind: .kill, interval: max(50, length / 8))) }
        if canary == .lostEverywhere {
            // What is on its way on foot would bring it back.
            rates.removeAll { $0.kind == .courier }
            rates.append(Rate(kind: .restore, interval: max(50, length / 20)))
        }
        return rates
    }

    /// The kinds of faults and how often each strikes.
    var intervals: [(kind: Decision.Kind, interval: Int64)] {
        rates.filter { $0.kind != .mischief || hostile != nil }.map { ($0.kind, $0.interval) }
    }

    /// The same of what is drawn apart.
    var addedIntervals: [(kind: Decision.Kind, interval: Int64)] {
        (addedRates ?? []).map { ($0.kind, $0.interval) }
    }

    /// The links between nodes.
    var links: [(Int, Int)] { topologyLinks.filter { $0.0 != laptop && $0.1 != laptop } }

    private var topologyLinks: [(Int, Int)] {
        switch topology {
        case .mesh: (0..<nodes).flatMap { first in (first + 1..<nodes).map { (first, $0) } }
        case .chain: (1..<nodes).map { ($0 - 1, $0) }
        case .star: (1..<nodes).map { (0, $0) }
        case .ring: (1..<nodes).map { ($0 - 1, $0) } + (nodes > 2 ? [(0, nodes - 1)] : [])
        }
    }

    /// The first node of each founding member.
    var firstNodesOfFounders: [Int] {
        (0..<founders).filter { node in !members[..<node].contains(members[node]) }
    }

    func has(_ kind: Decision.Kind) -> Bool { intervals.contains { $0.kind == kind } }

    /// Whether a store may fail at times.
    var hasDiskTrouble: Bool { has(.diskFull) || has(.diskErrors) || has(.midwayCut) }
    /// Whether one number of a chain may come to stand for two changes.
    var hasForks: Bool { has(.restore) || copied != nil || hostile != nil }
    /// Whether a change may come to have no effect although its author was told that it is durable.
    var hasHiding: Bool { hasForks || hasExclusion }
    /// Whether nodes may come to be such that others exchange nothing with them.
    var hasExclusion: Bool { has(.procedure) || has(.revocation) }

    /// The same with one node less; nil if it cannot do with less.
    func withoutLastNode() -> Swarm? {
        guard nodes > 2, copied != nodes - 1 else { return nil }
        var copy = self
        copy.nodes -= 1
        copy.members.removeLast()
        copy.founders = min(founders, nodes - 1)
        copy.linksOfCopy.removeAll { $0 == nodes - 1 }
        if copy.linksOfCopy.isEmpty { copy.copied = nil }
        if hostile == nodes - 1 { copy.hostile = nil }
        if laptop == nodes - 1 { copy.laptop = nil }
        copy.later?.removeAll { $0 == nodes - 1 }
        return copy.admissionThreshold <= copy.founders ? copy : nil
    }

    /// In one line, what was drawn.
    var summary: String {
        let faults = (intervals + addedIntervals).map { "\($0.kind.rawValue) \($0.interval)" }
            .joined(separator: ", ")
        return
            "nodes \(nodes) of members \(members.map(String.init).joined(separator: " ")) (\(founders) founders, "
            + "threshold \(admissionThreshold)) as \(topology.rawValue), latency \(latency) ms, loss "
            + "\(lossPercent) %, \(bandwidth) B/ms, disk \(diskLatency) ms, write \(meanWriteInterval) ms, "
            + "skew \(clockSkew) ms, half-open \(halfOpenPercent) %, \(faults)"
            + (copied.map { ", hostile copy of \($0) at \(linksOfCopy)" } ?? "")
            + (hostile.map { ", \($0) is hostile" } ?? "")
            + (laptop.map { ", \($0) is reached by couriers alone" } ?? "")
            + (later.flatMap { $0.isEmpty ? nil : ", \($0) run the next version" } ?? "")
            + (canary.map { ", canary \($0.rawValue)" } ?? "")
    }
}

/// What people do.
enum Work: Int, CaseIterable, Sendable {
    case createContact, createMeeting, createDocument, setField, changeSet, delete, restore, resolve, many
    case writeText, endorse, addItem, erase
}
