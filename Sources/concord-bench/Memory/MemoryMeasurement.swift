// What is measured of daemons as processes.

import Foundation

/// What was measured.
struct MemoryMeasurement: Encodable {
    /// One daemon at one moment.
    struct Moment: Encodable {
        let name: String
        let usage: ProcessUsage
        /// From starting the program until it answered, where it was started for this.
        let startMilliseconds: Double?
        /// Processor time in a minute of idling, where that was waited for.
        let idleProcessorMillisecondsPerMinute: Double?
    }

    let records: Int
    let moments: [Moment]

    /// For people.
    var table: BenchTable {
        var table = BenchTable(
            "A daemon with \(Figure.count(records)) contacts", "", "resident", "of it anonymous", "peak",
            "starting", "processor, idle minute")
        for moment in moments {
            table.add(
                moment.name, Figure.mebibytes(moment.usage.residentBytes),
                Figure.mebibytes(moment.usage.anonymousBytes), Figure.mebibytes(moment.usage.peakBytes),
                moment.startMilliseconds.map { Figure.time($0) } ?? "",
                moment.idleProcessorMillisecondsPerMinute.map { "\(Figure.number($0, 1)) ms" } ?? "")
        }
        return table
    }
}

/// Makes the measurement.
struct MemoryMeter {
    private let scene: SyncScene

    init() async throws { scene = try await SyncScene(network: try BenchNetwork()) }

    func measure(records: Int, idleSeconds: Int) async throws -> MemoryMeasurement {
        let (madrid, berlin) = (scene.madrid, scene.berlin)
        var moments = [moment("new, without records", try madrid.usage)]
        var contacts = SampleContacts()
        _ = try await madrid.importRecords("contact", contacts.next(records))
        moments.append(moment("after importing them", try madrid.usage))
        try await madrid.stop()
        let start = try await madrid.start()
        moments.append(moment("started again", try madrid.usage, start: start))
        _ = try await scene.join()
        moments.append(moment("after a peer caught up with it", try madrid.usage))
        moments.append(moment("the peer, after catching up", try berlin.usage))
        try await madrid.stop()
        try await berlin.stop()
        let starts = [try await madrid.start(), try await berlin.start()]
        try await scene.verify()
        try await eventually("the two are connected") {
            try await madrid.client.status().document.peers.contains { $0.state == .connected }
        }
        // Until summaries are compared, and the system has taken back what it lends for a while.
        try await Task.sleep(for: .seconds(2))
        let before = [try madrid.usage, try berlin.usage]
        try await Task.sleep(for: .seconds(idleSeconds))
        for (index, node) in [madrid, berlin].enumerated() {
            let usage = try node.usage
            let spent = usage.processorMilliseconds - before[index].processorMilliseconds
            moments.append(
                moment(
                    index == 0 ? "idle with one peer" : "the peer", usage, start: starts[index],
                    idle: spent * 60 / Double(idleSeconds)))
        }
        try await scene.verify()
        try await madrid.stop()
        try await berlin.stop()
        return MemoryMeasurement(records: records, moments: moments)
    }

    private func moment(
        _ name: String, _ usage: ProcessUsage, start: Double? = nil, idle: Double? = nil
    ) -> MemoryMeasurement.Moment {
        MemoryMeasurement.Moment(
            name: name, usage: usage, startMilliseconds: start, idleProcessorMillisecondsPerMinute: idle)
    }
}
