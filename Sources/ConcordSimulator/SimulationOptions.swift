// What a run is asked for, and what it draws for itself: every seed has its own faults, latencies and mixture
// of work, so that many seeds together meet combinations that no fixed setting would.

/// What a run is asked for.
public struct SimulationOptions: Hashable, Sendable {
    /// What is written while a run goes on.
    public enum Log: String, CaseIterable, Sendable {
        /// One line for each seed.
        case short
        /// Every event.
        case full
    }

    /// The seed of the first run; others follow by one.
    public var seed: UInt64
    /// How many seeds are run.
    public var count: Int
    /// How many nodes take part; nil to have it drawn from 2 to 5.
    public var nodes: Int?
    /// How often people write something while there are faults.
    public var steps: Int
    /// What is written while a run goes on.
    public var log: Log
    /// Whether a node breaks an invariant on purpose, which must be noticed.
    public var canary: Bool

    /// The most nodes that can take part.
    public static let maximumNodes = 5

    /// Options; the defaults are those of the program.
    public init(
        seed: UInt64, count: Int = 1, nodes: Int? = nil, steps: Int = 120, log: Log = .short,
        canary: Bool = false
    ) {
        self.seed = seed
        self.count = count
        self.nodes = nodes
        self.steps = steps
        self.log = log
        self.canary = canary
    }

    /// The command that repeats the run of one seed.
    public func command(seed: UInt64) -> String {
        var words = ["concord-simulator", "--seed", "\(seed)"]
        if let nodes { words += ["--nodes", "\(nodes)"] }
        words += ["--steps", "\(steps)", "--log", "full"]
        if canary { words.append("--canary") }
        return words.joined(separator: " ")
    }
}

/// What a run draws for itself.
struct Swarm: Sendable {
    /// Who is connected to whom.
    enum Topology: String, CaseIterable, Sendable {
        case mesh, chain, star
    }

    /// What the canary breaks.
    enum Canary: String, CaseIterable, Sendable {
        /// A node acknowledges what it did not store.
        case falseAcknowledgement
        /// A node comes back from a crash without its last commits.
        case lostCommits
    }

    let nodes: Int
    let founders: Int
    let admissionThreshold: Int
    let topology: Topology
    /// One way, in milliseconds.
    let latency: Int64
    /// Bytes per millisecond.
    let bandwidth: Int64
    let meanWriteInterval: Int64
    /// Mean intervals in milliseconds; nil for faults that do not occur.
    let disconnectInterval: Int64?
    let partitionInterval: Int64?
    let crashInterval: Int64?
    let pauseInterval: Int64?
    let clockInterval: Int64?
    let clockSkew: Int64
    /// Out of a hundred broken connections, how many are noticed by one side only after a long silence.
    let halfOpenPercent: Int
    /// How often people put back an older copy of a node's database, and write before anybody is met.
    let restoreInterval: Int64?
    /// The node of which a hostile copy appears, which shows other nodes another branch; nil in a run without one.
    let copied: Int?
    /// The nodes that the copy is linked to.
    let linksOfCopy: [Int]
    /// How often written procedure suspends a member, or reinstates it; nil if that does not occur.
    let procedureInterval: Int64?
    /// Whether the member that is suspended is reinstated in the end.
    let endsReinstated: Bool
    /// The weight of each kind of work, in the order of ``Work``.
    let workWeights: [Int]
    let canary: Canary?

    init(_ options: SimulationOptions, seed: UInt64) {
        var random = SimulationRandom(seed: seed, label: "swarm")
        func interval(_ choices: [Int64]) -> Int64? { random.chance(65) ? random.pick(choices) : nil }
        nodes = options.nodes ?? random.pick([2, 2, 3, 3, 3, 4, 5])
        founders = random.number(min(2, nodes)...nodes)
        admissionThreshold = random.number(1...min(2, founders))
        topology = nodes == 2 ? .mesh : random.pick(Topology.allCases)
        latency = random.pick([1, 5, 20, 100, 300])
        bandwidth = random.pick([8, 100, 2_000, 1_000_000])
        meanWriteInterval = random.pick([20, 100, 400])
        disconnectInterval = interval([500, 2_000, 8_000])
        partitionInterval = nodes > 2 ? interval([5_000, 20_000]) : nil
        let crashes = interval([2_000, 8_000])
        pauseInterval = interval([3_000, 10_000])
        clockInterval = interval([2_000, 10_000])
        let isHonest = random.chance(50)
        restoreInterval = isHonest || options.canary ? nil : random.pick([nil, 300, 1_000, 4_000])
        let target = random.number(0...nodes - 1)
        copied = isHonest || options.canary || nodes < 3 || random.chance(40) ? nil : target
        // A founder among them, whom the copy knows and who knows it whatever it missed.
        let founder = target == 0 ? 1 : 0
        linksOfCopy = (0..<nodes).filter { $0 == founder || $0 != target && random.chance(50) }
        procedureInterval = nodes < 3 || founders < 2 || random.chance(50) ? nil : random.pick([500, 3_000])
        endsReinstated = random.chance(60)
        clockSkew = random.pick([0, 1_000, 3_600_000, 86_400_000])
        halfOpenPercent = random.pick([0, 10, 50])
        var weights = Work.allCases.map { _ in random.chance(80) ? random.number(1...100) : 0 }
        weights[Work.createMeeting.rawValue] += 20
        weights[Work.setField.rawValue] += 150
        workWeights = weights
        canary = options.canary ? random.pick(Canary.allCases) : nil
        crashInterval = canary == .lostCommits ? 1_000 : crashes
    }

    /// The links between nodes.
    var links: [(Int, Int)] {
        switch topology {
        case .mesh: (0..<nodes).flatMap { first in (first + 1..<nodes).map { (first, $0) } }
        case .chain: (1..<nodes).map { ($0 - 1, $0) }
        case .star: (1..<nodes).map { (0, $0) }
        }
    }

    /// Whether one number of a chain may come to stand for two changes.
    var hasForks: Bool { restoreInterval != nil || copied != nil }

    /// In one line, what was drawn.
    var summary: String {
        func text(_ interval: Int64?) -> String { interval.map { "\($0)" } ?? "-" }
        let faults = [
            ("disconnect", disconnectInterval), ("partition", partitionInterval), ("crash", crashInterval),
            ("pause", pauseInterval), ("clock", clockInterval), ("restore", restoreInterval),
            ("procedure", procedureInterval),
        ].map { "\($0.0) \(text($0.1))" }.joined(separator: ", ")
        return
            "nodes \(nodes) (\(founders) founders, threshold \(admissionThreshold)) as \(topology.rawValue), "
            + "latency \(latency) ms, \(bandwidth) B/ms, write \(meanWriteInterval) ms, \(faults), "
            + "skew \(clockSkew) ms" + (copied.map { ", hostile copy of \($0) at \(linksOfCopy)" } ?? "")
            + (canary.map { ", canary \($0.rawValue)" } ?? "")
    }
}

/// What people do.
enum Work: Int, CaseIterable, Sendable {
    case createContact, createMeeting, createDocument, setField, changeSet, delete, restore, resolve, many
}
