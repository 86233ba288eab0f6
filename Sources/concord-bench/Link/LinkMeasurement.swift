// What is measured over a slow link.

import ConcordModel
import Foundation
import ShapedLink

/// What was measured.
struct LinkMeasurement: Encodable {
    /// Many changes that cross the link.
    struct Passage: Encodable {
        let name: String
        let changes: Int
        /// From the first request to write, or from the moment when the two could connect, until all was durable on the
        /// other side.
        let milliseconds: Double
        /// Bytes of the changes as they stand in the log, those of the busier direction.
        let changeBytes: Int
        /// The time that these take on the link.
        let neededMilliseconds: Double
        /// Bytes on the link that way, with TLS, headers, and what was lost and sent again.
        let bytesForth: Int
        /// Bytes on the link in the other direction.
        let bytesBack: Int
        let lostSegments: Int

        /// The time, without two round trips, as a multiple of the time that is needed.
        func multiple(_ shape: LinkShape) -> Double {
            (milliseconds - 2 * shape.roundTrip.milliseconds) / max(neededMilliseconds, 0.001)
        }
    }

    let shape: String
    let roundTripMilliseconds: Double
    let passages: [Passage]
    /// One change on an idle link, from the request until it was durable on the other side.
    let single: Distribution
    /// Changes while a file crosses the link; nil if none was asked for.
    let beside: Beside?
    /// The times of ``passages``, each without two round trips, as multiples of what their bytes need.
    let multiples: [Double]

    /// For people.
    var table: BenchTable {
        var table = BenchTable(
            "Two daemons over a link of \(shape)", "", "changes", "until durable", "their bytes",
            "need", "without 2 round trips", "on the link forth", "back", "lost")
        for (passage, multiple) in zip(passages, multiples) {
            table.add(
                passage.name, Figure.count(passage.changes), Figure.time(passage.milliseconds),
                "\(Figure.count(passage.changeBytes)) B", Figure.time(passage.neededMilliseconds),
                "\(Figure.number(multiple, 2)) ×", "\(Figure.count(passage.bytesForth)) B",
                "\(Figure.count(passage.bytesBack)) B", Figure.count(passage.lostSegments))
        }
        table.note(
            "One change on the idle link: \(Figure.time(single.median)) in the median, "
                + "\(Figure.time(single.maximum)) at most, of \(single.count).")
        if let beside {
            table.note(
                "One change while a file of \(Figure.count(beside.fileBytes)) B is fetched: "
                    + "\(Figure.time(beside.change.median)) in the median, \(Figure.time(beside.change.maximum)) at "
                    + "most, of \(beside.change.count); the file had \(Figure.number(beside.share * 100, 0)) % of the link."
            )
            table.note(
                "The link broke when \(Figure.count(Int(beside.heldBeforeBreak))) B of the file had come; it went on with "
                    + "\(Figure.count(Int(beside.heldAfterBreak))) B.")
        }
        return table
    }
}

/// Makes the measurement.
struct LinkMeter {
    let shape: LinkShape
    private let changes: Int
    let single: Int
    let fileBytes: Int
    let scene: SyncScene
    let link: ShapedLink

    init(_ shape: LinkShape, changes: Int, single: Int, fileBytes: Int) async throws {
        (self.shape, self.changes, self.single, self.fileBytes) = (shape, changes, single, fileBytes)
        scene = try await SyncScene(network: try BenchNetwork(), over: shape)
        guard let link = scene.link else { throw BenchError("there is no link") }
        self.link = link
    }

    func measure() async throws -> LinkMeasurement {
        let meetings = try await scene.madrid.importRecords(
            "meeting", (0..<10).map { ["title": "Meeting \($0)"] }
        ).ids
        _ = try await scene.join()
        let records = (0..<changes).map { meetings[$0 % meetings.count] }
        let (madrid, berlin) = (scene.madrid.client, scene.berlin.client)
        let single = try await singleChanges(meetings[0], count: single)
        let passages = [
            try await passage("written while connected", isForth: false) {
                _ = try await madrid.set("city", of: records) { "City \($0)" }
                try await waitForAll()
            },
            try await passage("the other way", isForth: true) {
                _ = try await berlin.set("venue", of: records) { "Hall \($0)" }
                try await waitForAll()
            },
            try await passage("both ways at once", isForth: true) {
                async let ours = madrid.set("city", of: records) { "Town \($0)" }
                async let theirs = berlin.set("venue", of: records) { "Room \($0)" }
                _ = try await (ours, theirs)
                try await waitForAll()
            },
            try await absence(records),
        ]
        let beside = try await besideFile()
        try await scene.verify()
        try await scene.madrid.stop()
        try await scene.berlin.stop()
        return LinkMeasurement(
            shape: shape.description, roundTripMilliseconds: shape.roundTrip.milliseconds,
            passages: passages, single: single, beside: beside, multiples: passages.map { $0.multiple(shape) }
        )
    }

    /// Written on Madrid while there is no connection.
    private func absence(_ records: [RecordID]) async throws -> LinkMeasurement.Passage {
        try await scene.separate()
        _ = try await scene.madrid.client.set("city", of: records) { "Place \($0)" }
        return try await passage("after an absence", isForth: false) {
            _ = try await scene.berlin.client.resume(member: nil)
            try await waitForAll()
        }
    }

    /// Waits until both logs are equally long.
    private func waitForAll() async throws {
        let (near, far) = (try ReplicaWatch(scene.madrid), try ReplicaWatch(scene.berlin))
        try near.wait("both hold the same", 600, interval: 2000) { try near.changes() == far.changes() }
    }

    /// - Parameter isForth: whether the bytes that count go from Berlin, which dials, to Madrid.
    private func passage(
        _ name: String, isForth: Bool, _ body: () async throws -> Void
    ) async throws -> LinkMeasurement.Passage {
        let watch = try ReplicaWatch(scene.madrid)
        let held = min(try watch.changes(), try ReplicaWatch(scene.berlin).changes())
        let before = try await link.traffic()
        let (milliseconds, _) = try await Stopwatch.measureAsync(body)
        let after = try await link.traffic()
        let (forth, back) = (after.forth.since(before.forth), after.back.since(before.back))
        let (main, other) = isForth ? (forth, back) : (back, forth)
        let bytes = try watch.changeBytes(after: held) / (name.hasPrefix("both") ? 2 : 1)
        try await scene.verify()
        return LinkMeasurement.Passage(
            name: name, changes: try watch.changes() - held, milliseconds: milliseconds, changeBytes: bytes,
            neededMilliseconds: shape.time(for: bytes).milliseconds, bytesForth: main.bytes,
            bytesBack: other.bytes, lostSegments: forth.lostSegments + back.lostSegments)
    }

    /// Writes changes on Madrid, each when Berlin's answer to the one before has crossed; returns their times.
    func singleChanges(_ meeting: RecordID, count: Int) async throws -> Distribution {
        let watch = try ReplicaWatch(scene.berlin)
        var times: [Double] = []
        for number in 0..<count {
            let value = "Room \(number)"
            let start = ContinuousClock.now
            try await scene.madrid.client.set("venue", of: meeting, to: value)
            times.append(
                try watch.wait("change \(number) is visible", since: start) {
                    try watch.value(of: "venue", in: meeting) == value
                })
            // Until the acknowledgement has crossed, too, so that each finds the link idle.
            try await scene.verify()
        }
        return Distribution(times)
    }
}
