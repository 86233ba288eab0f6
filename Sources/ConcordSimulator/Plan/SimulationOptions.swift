// What a run is asked for.

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
    /// Whether something breaks an invariant on purpose, which must be noticed.
    public var canary: Bool
    /// What breaks; drawn if it is nil.
    public var broken: Canary?
    /// The commit that the program is built from, as far as that is known: for whoever repeats a run.
    public var commit: String?

    /// The most nodes that can take part.
    public static let maximumNodes = 64

    /// Options; the defaults are those of the program.
    public init(
        seed: UInt64, count: Int = 1, nodes: Int? = nil, steps: Int = 120, log: Log = .short,
        canary: Bool = false, broken: Canary? = nil, commit: String? = nil
    ) {
        self.seed = seed
        self.count = count
        self.nodes = nodes
        self.steps = steps
        self.log = log
        self.canary = canary || broken != nil
        self.broken = broken
        self.commit = commit
    }

    /// The command that repeats the run of one seed.
    public func command(seed: UInt64) -> String {
        var words = ["concord-simulator", "--seed", "\(seed)"]
        if let nodes { words += ["--nodes", "\(nodes)"] }
        words += ["--steps", "\(steps)", "--log", "full"]
        if let broken { words += ["--broken", broken.rawValue] }
        if canary, broken == nil { words.append("--canary") }
        return words.joined(separator: " ")
    }
}

/// What a run breaks on purpose: for each checker something that it must notice.
public enum Canary: String, CaseIterable, Codable, Sendable {
    /// A node acknowledges what it did not store.
    case falseAcknowledgement
    /// A node comes back from a crash without its last commits.
    case lostCommits
    /// A node says that a change was written that it did not write.
    case inventedWrite
    /// A person's edit is remembered with another value than was written.
    case alteredEdit
    /// A word that somebody wrote into a text is remembered as another one.
    case alteredWord
    /// A deletion is remembered of a record that nobody deleted.
    case inventedDeletion
    /// After the end of the faults everything is sent a hundred times.
    case storm
    /// After the end of the faults a node does not come back.
    case absence
    /// A frame is altered on its way.
    case alteredFrame
    /// With a node that is set back, all others are, too.
    case lostEverywhere
    /// A log is read in the wrong order.
    case reversedLog
}
