// What a push simulation found, for people and for programs.

import ConcordModel

/// The figures of a run, and what bounds it broke.
public struct PushReport: Codable, Hashable, Sendable {
    /// One part of a run.
    public struct Part: Codable, Hashable, Sendable {
        /// How many changes were sent.
        public var changes = 0
        /// How often each was sent for each node that lacked it, on average.
        public var transmissions = 0.0
        /// The same of the change that was sent most often.
        public var worstTransmissions = 0.0
        /// Milliseconds from the writing of a change to its being durable at a node: half the cases, 99 in 100, all.
        public var medianDelay: Int64 = 0
        public var percentile99Delay: Int64 = 0
        public var longestDelay: Int64 = 0
        /// Milliseconds until a change is durable at the last node, half the cases.
        public var medianToAll: Int64 = 0
        /// Bytes for each change and node by type of message, TLS included.
        public var bytes: [String: Double] = [:]
        /// Bytes of all messages for each change and node.
        public var totalBytes = 0.0
        /// The simulated time that the part took.
        public var milliseconds: Int64 = 0

        /// Nothing yet.
        public init() {}
    }

    /// The options.
    public let nodes: Int
    public let changes: Int
    public let seed: UInt64
    /// Changes written while nothing fails.
    public var undisturbed = Part()
    /// Changes written while connections and nodes fail.
    public var disturbed = Part()
    /// The whole history as a new node is sent it.
    public var joining = Part()
    /// Connections that were cut, and nodes that were killed.
    public var cuts = 0
    public var failures = 0
    /// The most peers that a node had at one time.
    public var mostPeers = 0
    /// Bytes that an idle session costs in a minute, both directions together, TLS included.
    public var idleBytes = 0.0
    /// What does not hold; empty if all is well.
    public var broken: [String] = []

    init(_ options: PushOptions) {
        nodes = options.nodes
        changes = options.changes
        seed = options.seed
    }

    /// The report as a table.
    public var table: [String] {
        var lines = [
            "nodes \(nodes), changes \(changes), seed \(seed), at most \(mostPeers) peers a node, \(cuts) connections cut, "
                + "\(failures) nodes killed",
            "",
            "                        undisturbed   disturbed     joining",
        ]
        func row(_ name: String, _ value: (Part) -> String) {
            let cells = [undisturbed, disturbed, joining].map { part in
                String(repeating: " ", count: max(0, 12 - value(part).count)) + value(part)
            }
            lines.append(name.padded(to: 23) + cells.joined())
        }
        row("changes") { "\($0.changes)" }
        row("sent a node, mean") { $0.transmissions.text }
        row("sent a node, worst") { $0.worstTransmissions.text }
        row("ms to a node, median") { "\($0.medianDelay)" }
        row("ms to a node, 99 %") { "\($0.percentile99Delay)" }
        row("ms to a node, all") { "\($0.longestDelay)" }
        row("ms to all, median") { "\($0.medianToAll)" }
        row("bytes a change, node") { $0.totalBytes.text }
        for (_, name) in PushFigures.names
        where [undisturbed, disturbed, joining].contains(where: { $0.bytes[name] != nil }) {
            row("  \(name)") { ($0.bytes[name] ?? 0).text }
        }
        lines += ["", "an idle session: \(idleBytes.text) bytes a minute"]
        return lines
    }
}

extension PushReport.Part {
    init(_ figures: PushFigures, receivers: Int, nodes: Int, milliseconds: Int64) {
        self.init()
        let part = figures.part
        let counted =
            figures.onlyNode == nil
            ? part.arrivals.filter { figures.changes.contains($0.key) } : part.arrivals
        changes = counted.count
        self.milliseconds = milliseconds
        guard changes > 0 else { return }
        transmissions = Double(counted.values.reduce(0, +)) / Double(changes * receivers)
        worstTransmissions = Double(counted.values.max() ?? 0) / Double(receivers)
        let delays = part.delays.sorted()
        if !delays.isEmpty {
            medianDelay = delays[delays.count / 2]
            percentile99Delay = delays[min(delays.count - 1, delays.count * 99 / 100)]
            longestDelay = delays[delays.count - 1]
            medianToAll = part.last.values.sorted()[part.last.count / 2]
        }
        let share = Double(changes * receivers)
        for (type, name) in PushFigures.names {
            if let count = part.bytes[type] { bytes[name] = (Double(count) / share * 10).rounded() / 10 }
        }
        totalBytes = (Double(part.totalBytes) / share * 10).rounded() / 10
    }

    /// In one line.
    var summary: String {
        "\(changes) changes, sent \(transmissions.text) times a node (worst \(worstTransmissions.text)), median "
            + "\(medianDelay) ms, \(totalBytes.text) bytes"
    }
}

extension Double {
    /// With two digits behind the point.
    fileprivate var text: String {
        let hundredths = Int((self * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
