// What a run of the push simulation is asked for, and what it holds up against.

/// Options of a run that measures how changes spread in a large network.
public struct PushOptions: Hashable, Sendable {
    /// How many nodes there are, 3 to 2,000.
    public var nodes: Int
    /// How many changes are written in the undisturbed part; half as many more while connections and nodes fail.
    public var changes: Int
    /// Everything follows from it.
    public var seed: UInt64
    /// How many of the nodes write.
    public var writers: Int
    /// How much simulated time lies between two changes on average.
    public var meanInterval: Int64

    /// The options of a usual run.
    public init(nodes: Int, changes: Int = 40, seed: UInt64 = 1, writers: Int = 44, meanInterval: Int64 = 250)
    {
        self.nodes = nodes
        self.changes = changes
        self.seed = seed
        self.writers = min(writers, nodes)
        self.meanInterval = meanInterval
    }

    /// The sizes that a run may have.
    public static let sizes = 3...2_000

    /// The command that repeats the run.
    public var command: String {
        "concord-simulator push --nodes \(nodes) --changes \(changes) --writers \(writers) --interval \(meanInterval) "
            + "--seed \(seed)"
    }
}

/// What must hold in every run.
public enum PushBounds {
    /// How often a change may be sent for each node that takes it in.
    public static let transmissions = 1.5
    /// The bytes that an idle session may cost in a minute, both directions together, TLS included.
    public static let idleBytes = 800.0
    /// What a frame costs besides its payload: its length, and a TLS record's header, type and tag.
    static let frameOverhead = 4 + 22
}
