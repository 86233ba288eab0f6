// One run of the push simulation, from an empty network to the report: nodes connect, people write while all is well,
// people write while connections and nodes fail, a new node joins, and at last nothing happens for ten minutes.

import ConcordCrypto
import ConcordModel
import ConcordSync

/// Measures how changes spread in a network, and checks that they do.
public struct PushRun {
    private var network: PushNetwork
    private let options: PushOptions
    private var report: PushReport

    /// A run with these options.
    public init(_ options: PushOptions) {
        self.options = options
        network = PushNetwork(options)
        report = PushReport(options)
    }

    /// Runs to the end.
    ///
    /// - Parameter progress: takes a line whenever a part of the run is done.
    public mutating func run(progress: (String) -> Void = { _ in }) -> PushReport {
        connect()
        progress("connected: \(network.connections.count) sessions")
        writeInPeace()
        progress("undisturbed: \(report.undisturbed.summary)")
        writeUnderFaults()
        progress("disturbed: \(report.disturbed.summary)")
        join()
        progress("joined: \(report.joining.summary)")
        idle()
        report.mostPeers = network.figures.mostPeers
        if options.nodes > ActivePeers<Int>.meshNodes, report.mostPeers > ActivePeers<Int>.most {
            report.broken.append("a node has \(report.mostPeers) peers, \(ActivePeers<Int>.most) are allowed")
        }
        if let violation = network.violation { report.broken.append(violation) }
        return report
    }

    // MARK: Parts

    private mutating func connect() {
        network.run(until: network.now + 60_000)
        // Everybody has written once, so that nobody is a stranger.
        for writer in 0..<options.writers { network.write(writer) }
        settle("the network does not come to rest after the first changes")
        network.run(until: network.now + 120_000)
    }

    private mutating func writeInPeace() {
        network.figures.begin()
        let began = network.now
        scheduleWrites(options.changes)
        settle("what is written undisturbed does not reach everybody")
        report.undisturbed = measured(receivers: network.nodes.count - 1, since: began)
        check(report.undisturbed, "undisturbed")
    }

    private mutating func writeUnderFaults() {
        network.figures.begin()
        let began = network.now
        let count = max(1, options.changes / 2)
        let end = scheduleWrites(count)
        // In all a quarter of the connections break, and one node in twenty dies for a while.
        let cuts = max(2, network.connections.count / 4)
        for _ in 0..<cuts {
            network.queue.add(.cut, at: began + Int64(network.faults.number(0...Int(end - began))))
        }
        for _ in 0..<max(1, options.nodes / 20) {
            network.queue.add(.fail, at: began + Int64(network.faults.number(0...Int(end - began))))
        }
        network.run(until: end)
        settle("what is written while connections fail does not reach everybody")
        report.disturbed = measured(receivers: network.nodes.count - 1, since: began)
        report.cuts = network.figures.cuts
        report.failures = network.figures.failures
        check(report.disturbed, "disturbed")
    }

    private mutating func join() {
        network.run(until: network.now + 60_000)
        let node = network.addNode()
        network.figures.begin(onlyNode: node)
        let began = network.now
        network.acquaint(node)
        settle("a node that joins does not catch up")
        report.joining = measured(receivers: 1, since: began)
        // One node alone: what it is sent twice while it changes from one peer to the next counts on average.
        report.joining.worstTransmissions = report.joining.transmissions
        check(report.joining, "joining")
    }

    private mutating func idle() {
        // First what was told without haste, and the comparison after it.
        network.run(until: network.now + 300_000)
        network.figures.begin()
        let sessions = network.connections.count
        network.run(until: network.now + 600_000)
        report.idleBytes = Double(network.figures.part.totalBytes) / Double(max(1, sessions)) / 10
        if report.idleBytes > PushBounds.idleBytes {
            report.broken.append(
                "an idle session costs \(Int(report.idleBytes)) bytes a minute, \(Int(PushBounds.idleBytes)) are allowed"
            )
        }
        let unsure = network.connections.values.flatMap(\.ends).filter {
            !$0.isOver && ($0.progress?.inStep != true || $0.progress?.digestEqual != true)
        }
        if !unsure.isEmpty {
            let one = unsure[0]
            report.broken.append(
                "\(unsure.count) sessions do not know that the two hold the same, such as that of node \(one.node) "
                    + ": they lack \(one.progress?.theyLack ?? -1), we lack "
                    + "\(one.progress?.weLack ?? -1), the digests are \(one.progress?.digestEqual == true ? "equal" : "not compared")"
            )
        }
    }

    // MARK: Steps

    /// Has people write at random nodes among the writers.
    ///
    /// - Returns: when the last of them writes.
    @discardableResult
    private mutating func scheduleWrites(_ count: Int) -> Int64 {
        var time = network.now
        for _ in 0..<count {
            time += network.random.duration(mean: options.meanInterval)
            network.queue.add(.write(node: network.random.number(0...options.writers - 1)), at: time)
        }
        return time + 1
    }

    /// Lets the network run until all nodes hold the same; ten minutes at most.
    private mutating func settle(_ otherwise: String) {
        var isSettled = false
        let writesUntil = network.now + 4 * options.meanInterval * Int64(options.changes)
        network.run(
            until: max(
                network.now, min(writesUntil, network.now + Int64(options.changes) * options.meanInterval)))
        network.run(until: network.now + 600_000) { network in
            isSettled = network.isConverged
            return isSettled
        }
        if !isSettled, network.violation == nil { report.broken.append(otherwise) }
    }

    private func measured(receivers: Int, since began: Int64) -> PushReport.Part {
        PushReport.Part(
            network.figures, receivers: receivers, nodes: network.nodes.count,
            milliseconds: network.now - began)
    }

    private mutating func check(_ part: PushReport.Part, _ name: String) {
        if part.worstTransmissions > PushBounds.transmissions {
            report.broken.append(
                "\(name): a change is sent \(part.worstTransmissions) times a node, \(PushBounds.transmissions) are allowed"
            )
        }
    }
}

extension PushNetwork {
    /// Whether every node is up and holds everything that was written.
    var isConverged: Bool {
        let all = book.chains.mapValues { UInt64($0.count) }
        return nodes.allSatisfy { node in
            node.isUp && node.replica.vector.elements.count == all.count
                && node.replica.vector.elements.allSatisfy { all[$0.replica] == $0.sequence }
        }
    }
}
